#include "daemon/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <vector>

namespace procsup {
namespace {

Options options_of(std::vector<const char*> words) {
    words.insert(words.begin(), "procsupd");
    const auto count = static_cast<int>(words.size());
    words.push_back(nullptr);
    auto options = parse_options(count, const_cast<char**>(words.data()));
    if (options) return std::move(*options);
    ADD_FAILURE() << options.error().message;
    return {};
}

std::string log_dir(const std::vector<const char*>& words, const std::string& configured) {
    return choose_log_dir(options_of(words), configured);
}

TEST(LogDirOption, OfTheCommandLineWins) {
    EXPECT_EQ(log_dir({"--log-dir", "/a", "--state-dir", "/s"}, "/c"), "/a");
    EXPECT_EQ(log_dir({"--log-dir=a"}, "/c"), std::filesystem::current_path().string() + "/a");
}

TEST(LogDirOption, OfTheConfigurationWinsOverTheStateDirectory) {
    EXPECT_EQ(log_dir({"--state-dir", "/s"}, "/c"), "/c");
}

TEST(LogDirOption, IsInTheStateDirectoryThatIsNamed) { EXPECT_EQ(log_dir({"--state-dir", "/s"}, ""), "/s/log"); }

TEST(LogDirOption, OfAUserIsInTheUsersState) {
    setenv("XDG_STATE_HOME", "/home/u/state", 1);
    EXPECT_EQ(log_dir({"--user"}, ""), "/home/u/state/procsupd/log");
    setenv("XDG_STATE_HOME", "", 1);
    setenv("HOME", "/home/u", 1);
    EXPECT_EQ(log_dir({"--user"}, ""), "/home/u/.local/state/procsupd/log");
}

TEST(LogDirOption, IsAbsoluteWhateverTheEnvironmentSays) {
    setenv("XDG_STATE_HOME", "state", 1);
    EXPECT_EQ(log_dir({"--user"}, ""), std::filesystem::current_path().string() + "/state/procsupd/log");
}

}  // namespace
}  // namespace procsup
