#include "common/did_you_mean.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace procsup {
namespace {

constexpr std::array<std::string_view, 5> kVerbs{"start", "stop", "restart", "status", "run"};

TEST(DidYouMean, FindsTheWordBehindOneSlip) {
    EXPECT_EQ(nearest("restrat", kVerbs), "restart");
    EXPECT_EQ(nearest("statsu", kVerbs), "status");
    EXPECT_EQ(nearest("strt", kVerbs), "start");
    EXPECT_EQ(nearest("startt", kVerbs), "start");
}

TEST(DidYouMean, AllowsTwoSlipsInALongWordAndOneInAShort) {
    EXPECT_EQ(nearest("resstrat", kVerbs), "restart");
    EXPECT_EQ(nearest("sp", kVerbs), "");
    EXPECT_EQ(nearest("rnn", kVerbs), "run");
}

TEST(DidYouMean, PrefersTheNearestAndThenTheFirst) {
    constexpr std::array<std::string_view, 3> kWords{"tagged", "tags1", "tags2"};
    EXPECT_EQ(nearest("tags2", kWords), "tags2");
    EXPECT_EQ(nearest("tagsX", kWords), "tags1");
}

TEST(DidYouMean, GivesNothingForWhatIsFarOrEmptyOrEndless) {
    EXPECT_EQ(nearest("frobnicate", kVerbs), "");
    EXPECT_EQ(nearest("", kVerbs), "");
    EXPECT_EQ(nearest(std::string(100000, 's'), kVerbs), "");
    EXPECT_EQ(nearest("start", {}), "");
}

TEST(DidYouMean, WritesAQuestion) {
    EXPECT_EQ(did_you_mean("restrat", kVerbs), " (did you mean 'restart'?)");
    EXPECT_EQ(did_you_mean("frobnicate", kVerbs), "");
}

}  // namespace
}  // namespace procsup
