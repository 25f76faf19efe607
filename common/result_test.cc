#include "common/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace procsup {
namespace {

TEST(Result, HoldsAValueOrAnError) {
    const Result<int> good = 3;
    const Result<int> bad = Error{"cannot count", 0};
    ASSERT_TRUE(good);
    EXPECT_EQ(*good, 3);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "cannot count");
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
    Result<std::unique_ptr<int>> result = std::make_unique<int>(4);
    const auto taken = std::move(*result);
    EXPECT_EQ(*taken, 4);
}

TEST(Result, OfNothingIsGoodUnlessItHasAnError) {
    const Result<void> good;
    const Result<void> bad = Error{"cannot do it", EPERM};
    EXPECT_TRUE(good);
    EXPECT_FALSE(bad);
    EXPECT_EQ(bad.error().os_error, EPERM);
}

TEST(Result, RefusesToGiveTheSideThatIsNotThere) {
    const Result<int> bad = Error{"cannot count", 0};
    EXPECT_THROW((void)bad.value(), std::bad_variant_access);
}

TEST(OsFailure, NamesTheCause) {
    const auto error = os_failure("open /nowhere", ENOENT);
    EXPECT_EQ(error.message, "cannot open /nowhere: No such file or directory");
    EXPECT_EQ(error.os_error, ENOENT);
}

TEST(OsFailure, ShowsTheNumberOfAnErrorWithoutAName) {
    EXPECT_EQ(os_failure("do it", 9999).message, "cannot do it: error 9999");
}

}  // namespace
}  // namespace procsup
