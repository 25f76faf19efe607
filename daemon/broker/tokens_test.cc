#include "daemon/broker/tokens.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace procsup::broker {
namespace {

class FencingTokens : public ::testing::Test {
protected:
    FencingTokens() {
        std::string text = ::testing::TempDir() + "tokens.XXXXXX";
        dir = mkdtemp(text.data());
    }
    ~FencingTokens() override { std::filesystem::remove_all(dir); }
    std::string dir;
};

TEST_F(FencingTokens, AreReservedForOneBrokerAlone) {
    const auto first = reserve_tokens(dir), second = reserve_tokens(dir);
    ASSERT_TRUE(first) << first.error().message;
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_GE(*second, *first + 4'000'000'000) << "those that the first may have given";
}

TEST_F(FencingTokens, GrowWhenTheClockIsSetBack) {
    const auto ahead = clock_token() * 2;
    std::ofstream(dir + "/fencing-tokens") << ahead << "\n";
    EXPECT_GE(*reserve_tokens(dir), ahead);
}

TEST_F(FencingTokens, GrowWhenTheirFileIsLost) {
    const auto before = clock_token();
    EXPECT_GE(*reserve_tokens(dir), before);
}

TEST_F(FencingTokens, ThatCannotBeReservedAreAnError) {
    std::filesystem::create_directory(dir + "/fencing-tokens");
    EXPECT_FALSE(reserve_tokens(dir));
}

}  // namespace
}  // namespace procsup::broker
