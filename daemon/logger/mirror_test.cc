#include "daemon/logger/mirror.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "common/varlink/test_loop.h"

namespace procsup::logger {
namespace {

struct MirrorTest : testing::Test {
    MirrorTest() {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        reading.reset(ends[0]);
        writing.reset(ends[1]);
        // As a terminal or a log reader has it: who writes there waits.
        fcntl(writing.get(), F_SETFL, 0);
    }

    std::string read_all() const {
        std::string text;
        char buffer[65536];
        for (ssize_t size = 0; (size = read(reading.get(), buffer, sizeof(buffer))) > 0;) {
            text.append(buffer, static_cast<std::size_t>(size));
        }
        return text;
    }

    TestLoop loop;
    Fd reading, writing;
    OutputRest rest{};
};

TEST_F(MirrorTest, PutsTheInstanceInFrontOfEachLine) {
    OwnOutput output(loop, writing.get(), rest);
    Mirror mirror(output);
    mirror.add(1, "web@0", "one\ntw");
    mirror.add(2, "db", "three\n\n");
    mirror.add(1, "web@0", "o\n");
    EXPECT_EQ(read_all(), "web@0 | one\ndb | three\ndb | \nweb@0 | two\n");
    EXPECT_EQ(fcntl(writing.get(), F_GETFL) & O_NONBLOCK, 0) << "who shares the description is not disturbed";
}

TEST_F(MirrorTest, WhatARunHasBegunIsALineOfItsOwn) {
    OwnOutput output(loop, writing.get(), rest);
    Mirror mirror(output);
    mirror.add(1, "web", "abc");
    mirror.end_line(1, "web");
    mirror.end_line(1, "web");
    mirror.add(1, "web", "def\n");
    EXPECT_EQ(read_all(), "web | abc\nweb | def\n");
}

TEST_F(MirrorTest, ALongLineIsCut) {
    OwnOutput output(loop, writing.get(), rest);
    Mirror mirror(output);
    mirror.add(1, "w", std::string(Mirror::kLongestLine + 5, 'x') + "\nnext\n");
    const auto text = read_all();
    EXPECT_EQ(text, "w | " + std::string(Mirror::kLongestLine, 'x') + "\nw | xxxxx\nw | next\n");
}

/// Lets a mirror say more than is read, and then all be read.
void overwhelm(Mirror& mirror, const MirrorTest& test) {
    const std::string line(1000, 'x');
    for (int i = 0; i < 3000; ++i) mirror.add(1, "w", line + "\n");
    std::string text;
    for (int turns = 0; text.find("not repeated here") == std::string::npos && turns < 1000; ++turns) {
        text += test.read_all();
        mirror.flush();
    }
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_LT(lines, 3000u);
    const auto told = text.find("procsupd | ");
    ASSERT_NE(told, std::string::npos);
    EXPECT_EQ(std::stoul(text.substr(told + 11)), 3000 - (lines - 1));
}

TEST_F(MirrorTest, WaitsForNobodyAndSaysWhatIsMissing) {
    OwnOutput output(loop, writing.get(), rest);
    Mirror mirror(output);
    overwhelm(mirror, *this);
}

TEST_F(MirrorTest, WaitsForNobodyEitherWhereItMayNotOpenTheOutputAnew) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
    ASSERT_EQ(fchmod(writing.get(), 0600), 0);
    ASSERT_EQ(seteuid(65534), 0);
    OwnOutput output(loop, writing.get(), rest);
    EXPECT_TRUE(output.look(0).has_value());
    Mirror mirror(output);
    ASSERT_EQ(seteuid(0), 0);
    overwhelm(mirror, *this);
    EXPECT_EQ(fcntl(writing.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(MirrorTest, WritesBehindWhatOthersHaveWrittenToTheFile) {
    const Fd file(memfd_create("log", MFD_CLOEXEC));
    OwnOutput output(loop, file.get(), rest);
    Mirror mirror(output);
    ASSERT_EQ(write(file.get(), "before\n", 7), 7);
    mirror.add(1, "w", "line\n");
    ASSERT_EQ(write(file.get(), "after\n", 6), 6);
    char buffer[64];
    const auto size = pread(file.get(), buffer, sizeof(buffer), 0);
    EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(size)), "before\nw | line\nafter\n");
}

TEST_F(MirrorTest, WritesToASocketToo) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const Fd ours(ends[0]), theirs(ends[1]);
    OwnOutput output(loop, theirs.get(), rest);
    Mirror mirror(output);
    mirror.add(1, "w", "one\n");
    char buffer[16];
    EXPECT_EQ(read(ours.get(), buffer, sizeof(buffer)), 8);
    for (int i = 0; i < 5000; ++i) mirror.add(1, "w", std::string(1000, 'x') + "\n");
    EXPECT_EQ(fcntl(theirs.get(), F_GETFL) & O_NONBLOCK, 0);
}

}  // namespace
}  // namespace procsup::logger
