#include "daemon/host/notice_text.h"

#include <gtest/gtest.h>

#include <random>

#include "common/utf8.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

TEST(NoticeText, IsReadLineByLine) {
    const auto notice = parse_notice("READY=1\nSTATUS=at work\nMAINPID=12\nEXTEND_TIMEOUT_USEC=5000000\nOTHER=1\nX");
    EXPECT_TRUE(notice.ready);
    EXPECT_FALSE(notice.reloading || notice.stopping);
    EXPECT_EQ(notice.status, "at work");
    EXPECT_EQ(notice.main_pid, 12);
    EXPECT_EQ(notice.extend_timeout, 5s);
    EXPECT_TRUE(parse_notice("RELOADING=1\nSTOPPING=1").reloading);
    EXPECT_TRUE(parse_notice("RELOADING=1\nSTOPPING=1").stopping);
}

TEST(NoticeText, ValuesThatCannotBeArePassedOver) {
    for (const auto* text : {"", "\n\n", "=", "READY", "READY=", "READY=11", "ready=1", "READY=0", "MAINPID=-1",
                             "MAINPID=99999999999", "MAINPID=1x", "EXTEND_TIMEOUT_USEC=-5", "EXTEND_TIMEOUT_USEC=0"}) {
        const auto notice = parse_notice(text);
        EXPECT_FALSE(notice.ready || notice.status || notice.extend_timeout || notice.main_pid != 0) << text;
    }
    EXPECT_EQ(parse_notice("EXTEND_TIMEOUT_USEC=9223372036854775807").extend_timeout, Duration(365 * 24h));
}

TEST(NoticeText, AMainProcessThatCannotBeIsTold) {
    EXPECT_EQ(parse_notice("READY=1\nMAINPID=4711").refused, "");
    EXPECT_EQ(parse_notice("MAINPID=").refused, "MAINPID= was not taken: that is no process ID");
    EXPECT_EQ(parse_notice("MAINPID=$!\nMAINPID=x\nREADY=1").refused,
              "MAINPID=$! was not taken: that is no process ID");
    for (const auto* value : {"0", "-1", "99999999999", "4711x", " 4711", "\x1b[2J"}) {
        const auto notice = parse_notice("MAINPID=" + std::string(value));
        EXPECT_NE(notice.refused, "") << value;
        EXPECT_EQ(notice.refused.find('\x1b'), std::string::npos);
        EXPECT_EQ(notice.main_pid, 0);
    }
    EXPECT_EQ(parse_notice("MAINPID=" + std::string(5000, '9')).refused,
              "MAINPID=" + std::string(32, '9') + "... was not taken: that is no process ID");
}

TEST(NoticeText, SignsOfLifeAreWords) {
    EXPECT_TRUE(parse_notice("WATCHDOG=1").alive);
    EXPECT_FALSE(parse_notice("WATCHDOG=1").hangs);
    EXPECT_TRUE(parse_notice("WATCHDOG=trigger").hangs);
    EXPECT_EQ(parse_notice("WATCHDOG_USEC=20000000").watchdog, 20s);
    EXPECT_EQ(parse_notice("WATCHDOG_USEC=0").watchdog, kForever);
    EXPECT_EQ(parse_notice("WATCHDOG_USEC=00").watchdog, kForever);
    EXPECT_EQ(parse_notice("WATCHDOG_USEC=18446744073709551615").watchdog, kForever);
    for (const auto* text : {"WATCHDOG=", "WATCHDOG=11", "WATCHDOG_USEC=", "WATCHDOG_USEC=-1", "WATCHDOG_USEC=1s"}) {
        const auto notice = parse_notice(text);
        EXPECT_FALSE(notice.alive || notice.hangs || notice.watchdog) << text;
    }
}

TEST(NoticeText, AStatusIsOneShortLineForATerminal) {
    EXPECT_EQ(parse_notice("STATUS=a\x1b[2Jb\x7f").status, "a [2Jb ");
    EXPECT_EQ(parse_notice("STATUS=\xff\xfe").status, "??");
    EXPECT_EQ(parse_notice("STATUS=" + std::string(5000, 'x')).status->size(), 256u);
    const auto cut = *parse_notice("STATUS=x" + std::string(127, 'x') + std::string(200, '\xc3')).status;
    EXPECT_TRUE(is_utf8(cut));
    std::string umlauts = "STATUS=x";
    for (int i = 0; i < 200; ++i) umlauts += "ü";
    EXPECT_EQ(parse_notice(umlauts).status->size(), 255u);
}

TEST(NoticeText, NothingThatCanBeSentDoesHarm) {
    std::minstd_rand random(1);
    const std::string words[] = {"READY=1", "STATUS=", "EXTEND_TIMEOUT_USEC=", "MAINPID=", "\n", "=", "9", "\xc3\xbc"};
    for (int i = 0; i < 200'000; ++i) {
        std::string text;
        const auto parts = random() % 12;
        for (unsigned j = 0; j < parts; ++j) {
            text +=
                random() % 3 == 0 ? std::string(1, static_cast<char>(random())) : words[random() % std::size(words)];
        }
        const auto notice = parse_notice(text);
        if (!notice.status) continue;
        ASSERT_LE(notice.status->size(), 256u);
        ASSERT_TRUE(is_utf8(*notice.status));
        ASSERT_EQ(notice.status->find_first_of(std::string_view("\0\n\x1b", 3)), std::string::npos);
    }
}

}  // namespace
}  // namespace procsup
