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

TEST(LogDirOption, IsAbsolute) {
    EXPECT_EQ(options_of({"--log-dir", "/a"}).places.log_dir, "/a");
    EXPECT_EQ(options_of({"--log-dir=a"}).places.log_dir, std::filesystem::current_path().string() + "/a");
}

// Who names a place for the state expects nothing to be written anywhere else.
TEST(LogDirOption, IsUsuallyInTheStateDirectoryThatIsNamed) {
    EXPECT_EQ(options_of({"--state-dir", "/s"}).places.default_log_dir, "/s/log");
    EXPECT_EQ(options_of({"--state-dir", "/s"}).places.log_dir, "");
}

TEST(LogDirOption, OfAUserIsInTheUsersState) {
    setenv("XDG_STATE_HOME", "/home/u/state", 1);
    EXPECT_EQ(options_of({"--user"}).places.default_log_dir, "/home/u/state/procsupd/log");
    setenv("XDG_STATE_HOME", "", 1);
    setenv("HOME", "/home/u", 1);
    EXPECT_EQ(options_of({"--user"}).places.default_log_dir, "/home/u/.local/state/procsupd/log");
}

TEST(LogDirOption, OfAUserWhoseHomeIsTheRootIsThere) {
    setenv("XDG_STATE_HOME", "", 1);
    setenv("HOME", "/", 1);
    EXPECT_EQ(options_of({"--user"}).places.default_log_dir, "/.local/state/procsupd/log");
}

TEST(LogDirOption, IsAbsoluteWhateverTheEnvironmentSays) {
    setenv("XDG_STATE_HOME", "state", 1);
    EXPECT_EQ(options_of({"--user"}).places.default_log_dir,
              std::filesystem::current_path().string() + "/state/procsupd/log");
}

TEST(ConfigOption, OfSeveralDirectoriesKeepsTheirOrder) {
    const auto options = options_of({"--config", "/a", "--config=b"});
    EXPECT_EQ(options.config.paths, (std::vector<std::string>{"/a", std::filesystem::current_path().string() + "/b"}));
    EXPECT_FALSE(options.config.may_be_absent);
    const auto checked = options_of({"--check", "--config", "/a", "/b", "/c"});
    EXPECT_EQ(checked.config.paths, (std::vector<std::string>{"/b", "/c"}));
}

TEST(ConfigOption, OfAUserIsTheUsersDirectoriesOverThoseOfPackages) {
    setenv("XDG_CONFIG_HOME", "/home/u/c", 1);
    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    const auto options = options_of({"--user"});
    EXPECT_EQ(options.config.text(), "/home/u/c/procsupd, /run/user/1/procsupd, /usr/lib/procsupd/user");
    EXPECT_TRUE(options.config.may_be_absent);
    setenv("XDG_RUNTIME_DIR", "not/absolute", 1);
    EXPECT_EQ(options_of({"--user"}).config.text(), "/home/u/c/procsupd, /usr/lib/procsupd/user");
    unsetenv("XDG_RUNTIME_DIR");
    EXPECT_EQ(options_of({"--user"}).config.text(), "/home/u/c/procsupd, /usr/lib/procsupd/user");
}

TEST(ConfigOption, MayBeGivenSoManyTimes) {
    std::vector<const char*> words{"procsupd"};
    for (int i = 0; i < 17; ++i) words.insert(words.end(), {"--config", "/a"});
    const auto count = static_cast<int>(words.size());
    words.push_back(nullptr);
    EXPECT_EQ(parse_options(count, const_cast<char**>(words.data())).error().message,
              "--config is given more than 16 times");
}

TEST(HereOption, IsOfCheckAlone) {
    EXPECT_FALSE(options_of({"--check", "a"}).here.has_value());
    EXPECT_EQ(options_of({"--check", "--here", "a"}).here, "");
    EXPECT_EQ(options_of({"--check", "--here={}", "--", "a"}).here, "{}");
    const char* words[] = {"procsupd", "--here", nullptr};
    EXPECT_EQ(parse_options(2, const_cast<char**>(words)).error().message, "--here goes with --check");
}

}  // namespace
}  // namespace procsup
