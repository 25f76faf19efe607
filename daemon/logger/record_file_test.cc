#include "daemon/logger/record_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/logger/log_dir.h"

namespace procsup::logger {
namespace {

namespace fs = std::filesystem;

struct RecordFile : testing::Test {
    RecordFile() {
        std::string name = (fs::temp_directory_path() / "recordsXXXXXX").string();
        root = mkdtemp(name.data());
        dir = root + "/history";
    }
    ~RecordFile() override { fs::remove_all(root); }

    Result<void> append(std::string lines) { return append_records({1, dir, "web", std::move(lines)}); }
    std::string content(const std::string& file) {
        std::ostringstream text;
        text << std::ifstream(dir + "/" + file).rdbuf();
        return text.str();
    }
    void put(const std::string& file, std::string_view text = "{}\n", std::int64_t age = 0) {
        fs::create_directories(dir);
        std::ofstream(dir + "/" + file) << text;
        const auto changed = std::chrono::file_clock::now() - std::chrono::seconds(age);
        fs::last_write_time(dir + "/" + file, changed);
    }
    std::set<std::string> files() {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(dir)) names.insert(entry.path().filename());
        return names;
    }

    std::string root, dir;
};

TEST_F(RecordFile, IsMadeWithItsDirectoryForItsUserAlone) {
    ASSERT_TRUE(append("{\"a\":1}\n"));
    EXPECT_EQ(content("web.jsonl"), "{\"a\":1}\n");
    struct stat status {};
    ASSERT_EQ(stat((dir + "/web.jsonl").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST_F(RecordFile, GrowsUntilItHasItsSizeAndIsThenTheOlderOne) {
    const std::string lines(kMostOfRecords / 2, 'x');
    ASSERT_TRUE(append(lines.substr(1) + "\n"));
    ASSERT_TRUE(append(lines.substr(1) + "\n"));
    EXPECT_EQ(files(), std::set<std::string>{"web.jsonl"});
    ASSERT_TRUE(append("new\n"));
    EXPECT_EQ(content("web.jsonl"), "new\n");
    EXPECT_EQ(content("web.jsonl.1").size(), kMostOfRecords);
    ASSERT_TRUE(append(lines.substr(1) + "\n"));
    ASSERT_TRUE(append(lines.substr(1) + "\n"));
    EXPECT_EQ(content("web.jsonl.1").substr(0, 5), "new\nx");
    EXPECT_EQ(files().size(), 2u);
}

TEST_F(RecordFile, WhatWasCutOffWithinALineDoesNotTakeTheNextOneWithIt) {
    put("web.jsonl", "{\"a\":1}\n{\"a\":");
    ASSERT_TRUE(append("{\"a\":2}\n"));
    EXPECT_EQ(content("web.jsonl"), "{\"a\":1}\n{\"a\":\n{\"a\":2}\n");
}

TEST_F(RecordFile, IsNotWrittenThroughALink) {
    put("other.jsonl", "precious\n");
    fs::create_symlink("other.jsonl", dir + "/web.jsonl");
    const auto refused = append("mine\n");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "cannot open " + dir + "/web.jsonl: Too many levels of symbolic links");
    EXPECT_EQ(content("other.jsonl"), "precious\n");
}

TEST_F(RecordFile, ThatIsAFifoIsRefusedAndNotWaitedFor) {
    fs::create_directories(dir);
    ASSERT_EQ(mkfifo((dir + "/web.jsonl").c_str(), 0600), 0);
    const auto refused = append("mine\n");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "cannot open " + dir + "/web.jsonl: it is no regular file");
    const auto opened = open_way(dir, false);
    ASSERT_TRUE(opened);
    EXPECT_FALSE(open_records(*opened, dir, "web", false));
}

TEST_F(RecordFile, SaysWhatIsInTheWay) {
    std::ofstream(dir) << "a file";
    const auto refused = append("x\n");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "cannot open the directory " + dir + ": Not a directory");
}

TEST_F(RecordFile, OfNamesThatAreNoLongerUsedGoesWhenItIsOld) {
    put("web.jsonl", "{}\n", kLongestUnused + 100);
    put("gone.jsonl", "{}\n", kLongestUnused - 100);
    put("gone.jsonl.1", "{}\n", kLongestUnused + 100);
    put("old.jsonl", "{}\n", kLongestUnused + 100);
    put("somebody's", "{}\n", kLongestUnused + 100);
    ASSERT_TRUE(sweep_records(dir, {"web"}));
    EXPECT_EQ(files(), (std::set<std::string>{"web.jsonl", "gone.jsonl", "somebody's"}));
}

TEST_F(RecordFile, OfNamesThatAreNoLongerUsedOnlyTheNewestAreKept) {
    for (int i = 0; i < kMostUnused + 3; ++i) put("run" + std::to_string(i) + ".jsonl", "{}\n", i);
    put("web.jsonl", "{}\n", 1000);
    ASSERT_TRUE(sweep_records(dir, {"web"}));
    const auto left = files();
    EXPECT_EQ(left.size(), static_cast<std::size_t>(kMostUnused) + 1);
    EXPECT_TRUE(left.contains("run0.jsonl"));
    EXPECT_FALSE(left.contains("run256.jsonl"));
    EXPECT_TRUE(left.contains("web.jsonl"));
}

TEST_F(RecordFile, WhereNothingIsThereIsNothingToSweep) { EXPECT_TRUE(sweep_records(dir, {"web"})); }

}  // namespace
}  // namespace procsup::logger
