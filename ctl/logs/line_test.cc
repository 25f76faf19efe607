#include "ctl/logs/line.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

constexpr std::int64_t kTime = 1772532662'123456;  // 2026-03-03T10:11:02.123456Z

std::string text(std::string_view raw, LogFormat format) {
    std::string room;
    return std::string(text_of({kTime, raw, format, true, true}, room));
}

TEST(LogLine, HasTheTimeOfItsStamp) {
    StampReader stamps;
    EXPECT_EQ(stamps.time_of("2026-03-03T10:11:02.123456Z x", LogFormat::Stamped), kTime);
    EXPECT_EQ(stamps.time_of("2026-03-03T10:11:03.123456Z x", LogFormat::Stamped), kTime + 1'000'000);
    EXPECT_EQ(stamps.time_of("2026-03-03T10:12:02.123456Z x", LogFormat::Stamped), kTime + 60'000'000);
    EXPECT_EQ(stamps.time_of(R"({"time":"2026-03-03T10:11:02.123456Z","message":"x"})", LogFormat::Json), kTime);
}

TEST(LogLine, HasNoTimeWithoutAStamp) {
    StampReader stamps;
    EXPECT_EQ(stamps.time_of("2026-03-03T10:11:02.123456Z x", LogFormat::Raw), kNoTime);
    EXPECT_EQ(stamps.time_of("2026-03-03T10:11:02.12345", LogFormat::Stamped), kNoTime);
    EXPECT_EQ(stamps.time_of("2026-03-03 10:11:02.123456Z", LogFormat::Stamped), kNoTime);
    EXPECT_EQ(stamps.time_of("", LogFormat::Json), kNoTime);
}

TEST(LogLine, HasTheTextOfTheJob) {
    EXPECT_EQ(text("2026-03-03T10:11:02.123456Z a b", LogFormat::Stamped), "a b");
    EXPECT_EQ(text("no stamp", LogFormat::Stamped), "no stamp");
    EXPECT_EQ(text("2026-03-03T10:11:02.123456Z a", LogFormat::Raw), "2026-03-03T10:11:02.123456Z a");
    EXPECT_EQ(text(R"({"time":"x","message":"a\nb"})", LogFormat::Json), "a\nb");
    EXPECT_EQ(text("{broken", LogFormat::Json), "{broken");
}

TEST(LogLine, BeginsWithWhatTheLoggerPutsThere) {
    EXPECT_TRUE(begins_line("2026-03-03T10:11:02.123456Z a", LogFormat::Stamped));
    EXPECT_FALSE(begins_line("the rest of a line", LogFormat::Stamped));
    EXPECT_TRUE(begins_line(R"({"time":"2026)", LogFormat::Json));
    EXPECT_FALSE(begins_line("anything", LogFormat::Raw));
}

}  // namespace
}  // namespace procsup::ctl
