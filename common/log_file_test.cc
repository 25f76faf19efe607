#include "common/log_file.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

TEST(LogFile, IsReadBackFromItsPacket) {
    const LogFile file{3, "web", "web@0", "stderr", LogFormat::Json, 17, true, false, 4711};
    const auto packet = json::parse(log_reading::file_packet(file));
    ASSERT_TRUE(packet);
    const auto read = log_reading::file_of(*packet);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->stream, 3u);
    EXPECT_EQ(read->job, "web");
    EXPECT_EQ(read->instance, "web@0");
    EXPECT_EQ(read->stream_name, "stderr");
    EXPECT_EQ(read->format, LogFormat::Json);
    EXPECT_EQ(read->number, 17u);
    EXPECT_TRUE(read->compressed);
    EXPECT_FALSE(read->current);
    EXPECT_EQ(read->size, 4711u);
}

TEST(LogFile, IsNotMadeOfOtherPackets) {
    EXPECT_FALSE(log_reading::file_of(*json::parse(log_reading::listed_packet())));
    EXPECT_FALSE(log_reading::file_of(*json::parse(R"({"file":{"stream":1,"format":"xml"}})")));
}

TEST(LogFile, RunsAreReadBackTheNewestOfMany) {
    const std::vector<LogRun> many(100, LogRun{1'795'277'000'007'843, 123456, 16'777'216});
    const auto text = log_reading::runs_packet(4'000'000'000, many);
    EXPECT_LE(text.size(), log_reading::kMaxPacket);
    const auto packet = json::parse(text);
    ASSERT_TRUE(packet);
    const auto runs = log_reading::runs_of(*packet->find("runs"));
    ASSERT_EQ(runs.size(), log_reading::kMostRuns);
    EXPECT_EQ(runs[0].time, many[0].time);
    EXPECT_EQ(runs[63].number, 123456u);
    EXPECT_EQ(runs[63].offset, 16'777'216u);
    EXPECT_TRUE(log_reading::runs_of(*json::parse(R"({"runs":[[1,2],"x",[1,2,"3"]]})")).size() == 1);
}

TEST(LogFile, FormatsHaveNames) {
    EXPECT_EQ(parse_log_format("stamped"), LogFormat::Stamped);
    EXPECT_FALSE(parse_log_format("Stamped"));
}

}  // namespace
}  // namespace procsup
