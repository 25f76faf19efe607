#include "daemon/logger/own_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string>

#include "common/varlink/test_loop.h"

namespace procsup::logger {
namespace {

std::string read_all(const Fd& from) {
    std::string text;
    char buffer[65536];
    for (ssize_t size = 0; (size = read(from.get(), buffer, sizeof(buffer))) > 0;) {
        text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
}

std::string long_line(std::size_t size) { return std::string(size, 'x') + "\n"; }

/// A pipe as a container has it: who writes there waits.
struct OwnOutputTest : testing::Test {
    OwnOutputTest() {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        reading.reset(ends[0]);
        writing.reset(ends[1]);
        fcntl(reading.get(), F_SETFL, O_NONBLOCK);
    }
    ~OwnOutputTest() override { EXPECT_EQ(fcntl(writing.get(), F_GETFL) & O_NONBLOCK, 0) << "others have it too"; }

    /// As who may not open the pipe anew.
    void open_shared(OwnOutput& output) const {
        ASSERT_EQ(fchmod(writing.get(), 0600), 0);
        ASSERT_EQ(seteuid(65534), 0);
        EXPECT_TRUE(output.look(0).has_value());
        ASSERT_EQ(seteuid(0), 0);
    }
    /// Lines until no more are taken; their number.
    static int fill(OwnOutput& output, const std::string& line) {
        int lines = 0;
        while (output.append(line)) ++lines;
        return lines;
    }
    void expect_whole_lines(OwnOutput& output, const std::string& line) {
        const int before = fill(output, line);
        std::string text = read_all(reading);
        ASSERT_TRUE(output.append("next\n").has_value());
        loop.run_while_busy();
        text += read_all(reading);
        std::string expected;
        for (int i = 0; i < before; ++i) expected += line;
        EXPECT_TRUE(text == expected + "next\n") << text.size() << " bytes instead of " << expected.size() + 5;
    }

    TestLoop loop;
    Fd reading, writing;
    OutputRest rest{};
};

TEST_F(OwnOutputTest, TakesWholeLinesOnly) {
    OwnOutput output(loop, writing.get(), rest);
    expect_whole_lines(output, long_line(1000));
    EXPECT_EQ(rest.size, 0u) << "one that a pipe takes at once is not begun";
}

TEST_F(OwnOutputTest, EndsALongLineBeforeAnother) {
    OwnOutput output(loop, writing.get(), rest);
    expect_whole_lines(output, long_line(50'000));
}

TEST_F(OwnOutputTest, TakesNoMoreThanWasReadForOfMany) {
    OwnOutput output(loop, writing.get(), rest);
    std::string lines;
    for (int i = 0; i < 20'000; ++i) lines += std::to_string(i) + "\n";
    const auto taken = output.append(lines);
    ASSERT_TRUE(taken.has_value());
    EXPECT_LT(*taken, lines.size());
    EXPECT_TRUE(read_all(reading) == lines.substr(0, *taken));
    EXPECT_EQ(lines[*taken - 1], '\n');
}

TEST_F(OwnOutputTest, SaysThatNobodyReads) {
    OwnOutput output(loop, writing.get(), rest);
    fill(output, long_line(1000));
    const auto taken = output.append(long_line(1000));
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().os_error, EAGAIN);
    EXPECT_EQ(taken.error().message, "procsupd's standard output does not take it: nobody reads there");
}

TEST_F(OwnOutputTest, EndsALineByItselfWhenThereIsRoom) {
    OwnOutput output(loop, writing.get(), rest);
    const auto line = long_line(100'000);
    ASSERT_TRUE(output.append(line).has_value());
    EXPECT_TRUE(output.waits());
    std::string text;
    EXPECT_TRUE(loop.run_until([&] {
        text += read_all(reading);
        return !output.waits();
    }));
    EXPECT_TRUE(text + read_all(reading) == line);
}

TEST_F(OwnOutputTest, EndsTheLineOfALoggerThatWasKilled) {
    const auto line = long_line(100'000);
    ASSERT_TRUE(OwnOutput(loop, writing.get(), rest).append(line).has_value());
    std::string text = read_all(reading);
    OwnOutput output(loop, writing.get(), rest);
    EXPECT_TRUE(output.append("next\n").has_value());
    EXPECT_TRUE(text + read_all(reading) == line + "next\n");
}

TEST_F(OwnOutputTest, CallsWhoWaitsForRoomOnce) {
    OwnOutput output(loop, writing.get(), rest);
    fill(output, long_line(1000));
    int calls = 0;
    output.when_room([&] { ++calls; });
    loop.run_while_busy();
    EXPECT_EQ(calls, 0);
    read_all(reading);
    loop.run_while_busy();
    EXPECT_EQ(calls, 1);
}

TEST_F(OwnOutputTest, HasNoReaderAnyMoreWhichIsAProblem) {
    OwnOutput output(loop, writing.get(), rest);
    ASSERT_TRUE(output.append(long_line(100'000)).has_value());
    signal(SIGPIPE, SIG_IGN);
    reading.reset();
    const auto taken = output.append("one\n");
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().message, "cannot write to procsupd's standard output: Broken pipe");
    EXPECT_FALSE(output.waits());
    EXPECT_LT(loop.run_while_busy(100), 100) << "does not ask without end";
}

TEST_F(OwnOutputTest, WaitsForNobodyWhereItMayNotOpenAPipeAnew) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
    OwnOutput output(loop, writing.get(), rest);
    open_shared(output);
    expect_whole_lines(output, long_line(1000));
}

TEST_F(OwnOutputTest, DoesNotWaitForRoomThatAnotherHasTakenInAPipeThatIsShared) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
    OwnOutput output(loop, writing.get(), rest);
    open_shared(output);
    ASSERT_EQ(fcntl(writing.get(), F_SETPIPE_SZ, 4096), 4096);
    ASSERT_EQ(write(writing.get(), "x", 1), 1);
    EXPECT_FALSE(output.append(long_line(PIPE_BUF - 1)).has_value());
    read_all(reading);
    const auto line = long_line(100'000);
    EXPECT_TRUE(output.append(line).has_value());
    std::string text;
    EXPECT_TRUE(loop.run_until([&] {
        text += read_all(reading);
        return !output.waits();
    }));
    EXPECT_TRUE(text + read_all(reading) == line);
}

TEST_F(OwnOutputTest, WritesToASocketWithoutWaiting) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    reading.reset(ends[0]);
    writing.reset(ends[1]);
    fcntl(reading.get(), F_SETFL, O_NONBLOCK);
    OwnOutput output(loop, writing.get(), rest);
    expect_whole_lines(output, long_line(50'000));
}

TEST_F(OwnOutputTest, WritesBehindWhatOthersHaveWrittenToAFile) {
    const Fd file(memfd_create("log", MFD_CLOEXEC));
    OwnOutput output(loop, file.get(), rest);
    ASSERT_EQ(write(file.get(), "before\n", 7), 7);
    EXPECT_TRUE(output.append(long_line(PIPE_BUF)).has_value());
    ASSERT_EQ(write(file.get(), "after\n", 6), 6);
    lseek(file.get(), 0, SEEK_SET);
    EXPECT_EQ(read_all(file), "before\n" + long_line(PIPE_BUF) + "after\n");
}

TEST_F(OwnOutputTest, SaysWhyAFileTakesNothing) {
    const Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
    OwnOutput output(loop, full.get(), rest);
    const auto taken = output.append("one\n");
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(taken.error().message, "cannot write to procsupd's standard output: No space left on device");
}

TEST_F(OwnOutputTest, ShowsATerminalWhatWouldSteerIt) {
    int main_end = -1, terminal_end = -1;
    ASSERT_EQ(openpty(&main_end, &terminal_end, nullptr, nullptr, nullptr), 0);
    const Fd screen(main_end), terminal(terminal_end);
    OwnOutput output(loop, terminal.get(), rest);
    std::string lines;
    output.add_line(lines, "web@0",
                    "a\tb\033[2J\x7f\xc2\x9b"
                    "1m \xff \xe2\x82\xac");
    EXPECT_EQ(lines, "web@0 | a\tb\\x1b[2J\\x7f\\xc2\\x9b1m \\xff \xe2\x82\xac\n");
    EXPECT_TRUE(output.append(lines).has_value());
    EXPECT_EQ(fcntl(terminal.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(OwnOutputTest, DoesNotWaitForATerminalThatIsStopped) {
    int main_end = -1, terminal_end = -1;
    ASSERT_EQ(openpty(&main_end, &terminal_end, nullptr, nullptr, nullptr), 0);
    const Fd screen(main_end), terminal(terminal_end);
    fcntl(screen.get(), F_SETFL, O_NONBLOCK);
    termios settings{};
    tcgetattr(terminal.get(), &settings);
    settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    tcsetattr(terminal.get(), TCSANOW, &settings);
    OwnOutput output(loop, terminal.get(), rest);
    tcflow(terminal.get(), TCOOFF);
    EXPECT_FALSE(output.append("one\n").has_value());
    tcflow(terminal.get(), TCOON);
    const auto line = long_line(200'000);
    std::string text;
    ASSERT_TRUE(loop.run_until([&] { return output.append(line).has_value(); }));
    EXPECT_TRUE(loop.run_until([&] {
        text += read_all(screen);
        return !output.waits();
    }));
    EXPECT_TRUE(loop.run_until([&] { return (text += read_all(screen)).size() >= line.size(); }));
    EXPECT_TRUE(text == line);
}

TEST_F(OwnOutputTest, LeavesAPipeAsItIs) {
    OwnOutput output(loop, writing.get(), rest);
    std::string lines;
    output.add_line(lines, "web@0", "\033[1mbold");
    EXPECT_EQ(lines, "web@0 | \033[1mbold\n");
}

}  // namespace
}  // namespace procsup::logger
