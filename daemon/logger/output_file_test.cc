#include "daemon/logger/output_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace procsup::logger {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class OutputFileTest : public testing::Test {
protected:
    OutputFileTest() {
        char name[] = "/tmp/procsup-logger-XXXXXX";
        root_ = mkdtemp(name);
    }
    ~OutputFileTest() override { fs::remove_all(root_); }

    std::string dir() const { return root_ + "/a/log"; }
    /// As a logger of its own has it.
    OutputFile file(const Retention& retention = {0, 5, 0, 0, false}, Compressor* compressor = nullptr) const {
        return {
            std::make_shared<LogDir>(dir(), std::make_shared<LockedDirs>(), compressor), "web.out.log", {}, retention};
    }
    static std::string content(const std::string& path) {
        std::stringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }
    static void write(OutputFile& file, std::string_view text, std::int64_t now = 0) {
        const auto there = file.look(now);
        ASSERT_TRUE(there) << there.error().message;
        ASSERT_TRUE(file.append(text));
    }

    std::string root_;
};

TEST_F(OutputFileTest, MakesItsDirectoryAndGoesOnWhereItWas) {
    {
        auto first = file();
        write(first, "one\n");
    }
    auto second = file();
    write(second, "two\n");
    EXPECT_EQ(content(dir() + "/web.out.log"), "one\ntwo\n");
    EXPECT_EQ(second.size(), 8u);
}

TEST_F(OutputFileTest, KeepsTheNewestFiles) {
    auto log = file({0, 2, 0, 0, false});
    for (int i = 1; i <= 5; ++i) {
        write(log, std::to_string(i));
        ASSERT_TRUE(log.rotate());
    }
    EXPECT_EQ(log.number(), 6u);
    EXPECT_FALSE(fs::exists(dir() + "/web.out.log.000003"));
    EXPECT_EQ(content(dir() + "/web.out.log.000004"), "4");
    EXPECT_EQ(content(dir() + "/web.out.log.000005"), "5");
    EXPECT_EQ(content(dir() + "/web.out.log"), "");
}

TEST_F(OutputFileTest, KeepsNoMoreThanTheirSizeAllows) {
    auto log = file({0, 100, 10, 0, false});
    for (const std::string_view text : {"123456", "1234", "12345", "12345"}) {
        write(log, text);
        ASSERT_TRUE(log.rotate());
    }
    EXPECT_FALSE(fs::exists(dir() + "/web.out.log.000002"));
    EXPECT_TRUE(fs::exists(dir() + "/web.out.log.000003"));
    EXPECT_TRUE(fs::exists(dir() + "/web.out.log.000004"));
    write(log, "more than all of them may have");
    ASSERT_TRUE(log.rotate());
    EXPECT_TRUE(log.rotated().empty());
}

TEST_F(OutputFileTest, KeepsNothingThatIsTooOld) {
    constexpr std::int64_t kSecond = 1'000'000;
    auto log = file({0, 100, 0, 3600 * kSecond, false});
    EXPECT_EQ(log.expire(kSecond), 0);
    write(log, "old");
    ASSERT_TRUE(log.rotate());
    write(log, "young");
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    const auto today = now.tv_sec * kSecond;
    const auto due = log.expire(today);
    EXPECT_GE(due, today + 3590 * kSecond);
    EXPECT_TRUE(fs::exists(dir() + "/web.out.log.000001"));
    EXPECT_EQ(log.expire(today + 3700 * kSecond), 0) << "nothing is left that gets older";
    EXPECT_FALSE(fs::exists(dir() + "/web.out.log.000001"));
    EXPECT_EQ(content(dir() + "/web.out.log"), "");
}

TEST_F(OutputFileTest, CompressesWhatIsRotated) {
    Compressor compressor;
    auto log = file({0, 5, 0, 0, true}, &compressor);
    const std::string text(300'000, 'x');
    write(log, text);
    ASSERT_TRUE(log.rotate());
    compressor.finish();
    EXPECT_FALSE(fs::exists(dir() + "/web.out.log.000001"));
    bool compressed = false;
    const auto opened = log.open_rotated(1, compressed);
    ASSERT_TRUE(opened && compressed);
    const auto packed = content(dir() + "/web.out.log.000001.zst");
    std::string unpacked(text.size() + 1, '\0');
    unpacked.resize(ZSTD_decompress(unpacked.data(), unpacked.size(), packed.data(), packed.size()));
    EXPECT_EQ(unpacked, text);
    while (log.number() < 8) {
        write(log, "more");
        ASSERT_TRUE(log.rotate());
    }
    compressor.finish();
    EXPECT_FALSE(fs::exists(dir() + "/web.out.log.000001.zst"));
    EXPECT_EQ(std::distance(fs::directory_iterator(dir()), {}), 7) << "with the lock";
}

TEST_F(OutputFileTest, CompressesWhatALoggerBeforeHasRotated) {
    fs::create_directories(dir());
    std::ofstream(dir() + "/web.out.log.000003") << "x";
    std::ofstream(dir() + "/web.out.log.000003.zst.new") << "half";
    Compressor compressor;
    auto log = file({0, 5, 0, 0, true}, &compressor);
    ASSERT_TRUE(log.look(0));
    compressor.finish();
    EXPECT_TRUE(fs::exists(dir() + "/web.out.log.000003.zst"));
    EXPECT_EQ(std::distance(fs::directory_iterator(dir()), {}), 3) << "with the lock";
}

TEST_F(OutputFileTest, WhatIsRemovedIsNotBroughtBackByItsCompression) {
    fs::create_directories(dir());
    std::ofstream(dir() + "/one") << std::string(1000, 'x');
    const Fd place(open(dir().c_str(), O_RDONLY | O_DIRECTORY));
    EXPECT_TRUE(compress_file(place.get(), "one", [&] { return fs::remove(dir() + "/one"), true; }));
    EXPECT_TRUE(fs::is_empty(dir()));
    std::ofstream(dir() + "/two") << "x";
    EXPECT_FALSE(compress_file(place.get(), "two", [] { return false; }));
    EXPECT_EQ(std::distance(fs::directory_iterator(dir()), {}), 1);
}

TEST_F(OutputFileTest, CountsOnFromWhatIsThere) {
    fs::create_directories(dir());
    std::ofstream(dir() + "/web.out.log.000041.zst") << "x";
    std::ofstream(dir() + "/web.out.log.old") << "x";
    std::ofstream(dir() + "/other.out.log.000099") << "x";
    auto log = file();
    write(log, "y");
    EXPECT_EQ(log.number(), 42u);
}

TEST_F(OutputFileTest, WhatOthersHaveNumberedIsNotItsOwn) {
    fs::create_directories(dir());
    std::ofstream(dir() + "/web.out.log.20260303") << "mine";
    std::ofstream(dir() + "/web.out.log.0000002") << "mine";
    std::ofstream(dir() + "/web.out.log.18446744073709551615") << "mine";
    auto log = file({0, 0, 0, 0, false});
    write(log, "one");
    EXPECT_EQ(log.number(), 1u);
    ASSERT_TRUE(log.rotate());
    EXPECT_EQ(content(dir() + "/web.out.log.20260303"), "mine");
    EXPECT_EQ(content(dir() + "/web.out.log.0000002"), "mine");
}

TEST_F(OutputFileTest, WhatTakesItsPlaceHasAnotherNumber) {
    auto log = file();
    write(log, "one");
    fs::remove(dir() + "/web.out.log");
    write(log, "two");
    EXPECT_EQ(log.number(), 2u);
    fs::resize_file(dir() + "/web.out.log", 0);
    write(log, "three");
    EXPECT_EQ(log.number(), 3u);
    ASSERT_TRUE(log.rotate());
    EXPECT_EQ(content(dir() + "/web.out.log.000003"), "three");
}

TEST_F(OutputFileTest, NobodyElseCanLockIt) {
    fs::create_directories(dir());
    const Fd place(open(dir().c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_EQ(flock(place.get(), LOCK_EX), 0);
    auto log = file();
    write(log, "one");
    struct stat status {};
    ASSERT_EQ(stat((dir() + "/.procsup-logger.lock").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(OutputFileTest, IsMadeAnewWhenItWasRemovedOrMoved) {
    auto log = file();
    write(log, "one");
    fs::remove(dir() + "/web.out.log");
    write(log, "two");
    EXPECT_EQ(content(dir() + "/web.out.log"), "two");
    fs::rename(dir() + "/web.out.log", dir() + "/moved");
    write(log, "three", 2'000'000);
    EXPECT_EQ(content(dir() + "/web.out.log"), "three");
    fs::remove_all(root_ + "/a");
    write(log, "four", 4'000'000);
    EXPECT_EQ(content(dir() + "/web.out.log"), "four");
}

TEST_F(OutputFileTest, ADirectoryThatWasMovedAwayIsMadeAnew) {
    auto log = file();
    write(log, "one");
    fs::rename(dir(), root_ + "/moved");
    write(log, "two", 2'000'000);
    EXPECT_EQ(content(root_ + "/moved/web.out.log"), "one");
    EXPECT_EQ(content(dir() + "/web.out.log"), "two");
}

TEST_F(OutputFileTest, GoesOnBehindWhatWasCutOff) {
    auto log = file();
    write(log, "one");
    fs::resize_file(dir() + "/web.out.log", 0);
    write(log, "two");
    EXPECT_EQ(content(dir() + "/web.out.log"), "two");
    EXPECT_EQ(log.size(), 3u);
}

TEST_F(OutputFileTest, WritesToNothingButAFileOfItsOwn) {
    fs::create_directories(dir());
    const auto path = dir() + "/web.out.log";
    const auto refusal = [&] {
        auto log = file();
        const auto there = log.look(0);
        fs::remove(path);
        return there ? std::string("it was taken") : there.error().message;
    };
    std::ofstream(root_ + "/target") << "precious";
    fs::create_symlink(root_ + "/target", path);
    EXPECT_THAT(refusal(), HasSubstr("symbolic link"));
    fs::create_hard_link(root_ + "/target", path);
    EXPECT_THAT(refusal(), HasSubstr("2 names"));
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_THAT(refusal(), HasSubstr("cannot"));
    const Fd reader([&] {
        EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
        return open(path.c_str(), O_RDONLY | O_NONBLOCK);
    }());
    EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
    fs::create_directory(path);
    EXPECT_THAT(refusal(), HasSubstr("cannot open"));
    if (geteuid() == 0) {
        std::ofstream(path) << "";
        ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
        EXPECT_THAT(refusal(), HasSubstr("another user"));
    }
    EXPECT_EQ(content(root_ + "/target"), "precious");
}

TEST_F(OutputFileTest, FollowsNoLinkOfAnotherUser) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can give a link away";
    fs::create_directories(root_ + "/real");
    fs::create_directory_symlink(root_ + "/real", root_ + "/a");
    auto log = file();
    EXPECT_TRUE(log.look(0));
    ASSERT_EQ(lchown((root_ + "/a").c_str(), 65534, 65534), 0);
    auto again = file();
    const auto there = again.look(0);
    ASSERT_FALSE(there);
    EXPECT_THAT(there.error().message, HasSubstr("symbolic link of another user"));
}

TEST_F(OutputFileTest, TwoNamesOfADirectoryAreOne) {
    const auto locked = std::make_shared<LockedDirs>();
    fs::create_directory_symlink(dir(), root_ + "/name");
    OutputFile log(std::make_shared<LogDir>(dir(), locked), "web.out.log", {}, {});
    OutputFile other(std::make_shared<LogDir>(root_ + "/name", locked), "other.out.log", {}, {});
    write(log, "one");
    write(other, "two");
    EXPECT_EQ(content(dir() + "/other.out.log"), "two");
}

TEST_F(OutputFileTest, ADirectoryHasOneLogger) {
    auto log = file();
    write(log, "one");
    auto other = file();
    const auto there = other.look(0);
    ASSERT_FALSE(there);
    EXPECT_THAT(there.error().message, HasSubstr("another procsup-logger"));
}

}  // namespace
}  // namespace procsup::logger
