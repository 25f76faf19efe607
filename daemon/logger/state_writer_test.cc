#include "daemon/logger/state_writer.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "common/varlink/test_loop.h"

namespace procsup::logger {
namespace {

namespace fs = std::filesystem;

struct WriteState : testing::Test {
    WriteState() {
        std::string name = (fs::temp_directory_path() / "stateXXXXXX").string();
        root = mkdtemp(name.data());
    }
    ~WriteState() override { fs::remove_all(root); }

    Result<void> put(const std::string& name, std::optional<std::string> content) {
        return write_state({1, root + "/state", name, std::move(content)});
    }
    std::string content(const std::string& name) {
        std::ostringstream text;
        text << std::ifstream(root + "/state/" + name).rdbuf();
        return text.str();
    }

    std::string root;
};

TEST_F(WriteState, MakesTheFileAndItsDirectories) {
    ASSERT_TRUE(put("stopped/web", "by hand"));
    EXPECT_EQ(content("stopped/web"), "by hand");
}

TEST_F(WriteState, ReplacesTheFileAndLeavesNothingBeside) {
    ASSERT_TRUE(put("web", "first, which is longer"));
    ASSERT_TRUE(put("web", "second"));
    EXPECT_EQ(content("web"), "second");
    EXPECT_EQ(std::distance(fs::directory_iterator(root + "/state"), {}), 1);
}

TEST_F(WriteState, ReplacesASymbolicLinkAndNotItsTarget) {
    ASSERT_TRUE(put("target", "precious"));
    fs::create_symlink(root + "/state/target", root + "/state/web");
    ASSERT_TRUE(put("web", "mine"));
    EXPECT_EQ(content("target"), "precious");
    EXPECT_EQ(content("web"), "mine");
}

TEST_F(WriteState, DoesNotWriteThroughALinkInPlaceOfTheNewFile) {
    ASSERT_TRUE(put("target", "precious"));
    fs::create_symlink(root + "/state/target", root + "/state/.web.new");
    const auto refused = put("web", "mine");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "cannot make " + root + "/state/web: Too many levels of symbolic links");
    EXPECT_EQ(content("target"), "precious");
}

TEST_F(WriteState, GoesOnOverWhatAWriterBeforeHasLeft) {
    ASSERT_TRUE(put(".web.new", "half of"));
    ASSERT_TRUE(put("web", "all"));
    EXPECT_EQ(content("web"), "all");
    EXPECT_FALSE(fs::exists(root + "/state/.web.new"));
}

TEST_F(WriteState, RemovesTheFile) {
    ASSERT_TRUE(put("web", "x"));
    ASSERT_TRUE(put("web", std::nullopt));
    EXPECT_FALSE(fs::exists(root + "/state/web"));
}

TEST_F(WriteState, WhatIsNotThereNeedNotBeRemoved) {
    EXPECT_TRUE(put("none/web", std::nullopt));
    EXPECT_FALSE(fs::exists(root + "/state"));
}

TEST_F(WriteState, SaysWhatIsInTheWay) {
    std::ofstream(root + "/state") << "a file";
    const auto refused = put("web", "x");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "cannot open the directory " + root + "/state: Not a directory");
}

TEST_F(WriteState, OrdersAreAnsweredOneAfterTheOther) {
    TestLoop loop;
    std::vector<std::string> answers;
    StateWriter writer(loop, [&](std::string packet) { answers.push_back(std::move(packet)); });
    writer.add(StateFile{1, root + "/state", "web", "first"});
    writer.add(StateFile{2, root + "/state", "web", "second"});
    writer.add(StateFile{3, root + "/state/web", "x", "below a file"});
    EXPECT_FALSE(writer.idle());
    loop.run_until([&] { return writer.idle(); });
    EXPECT_EQ(content("web"), "second");
    ASSERT_EQ(answers.size(), 3u);
    EXPECT_EQ(answers[0], stored_packet(1, ""));
    EXPECT_EQ(answers[2], stored_packet(3, "cannot open the directory " + root + "/state/web: Not a directory"));
}

}  // namespace
}  // namespace procsup::logger
