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

TEST(HereOption, IsOfCheckAlone) {
    EXPECT_FALSE(options_of({"--check", "a"}).here.has_value());
    EXPECT_EQ(options_of({"--check", "--here", "a"}).here, "");
    EXPECT_EQ(options_of({"--check", "--here={}", "--", "a"}).here, "{}");
    const char* words[] = {"procsupd", "--here", nullptr};
    EXPECT_EQ(parse_options(2, const_cast<char**>(words)).error().message, "--here goes with --check");
}

}  // namespace
}  // namespace procsup
