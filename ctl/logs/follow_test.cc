#include <gtest/gtest.h>

#include "ctl/logs/log_fixture.h"

namespace procsup::ctl {
namespace {

std::string numbered(int from, int to) {
    std::string all;
    for (int i = from; i <= to; ++i) all += stamped(i, std::to_string(i));
    return all;
}

TEST(FollowLogs, BeginsWithTheLastTenLines) {
    FakeLogger logger;
    logger.offer(current_file("a@0", 1, numbered(1, 12).size()), numbered(1, 13));
    logger.listed();
    const auto printed = logger.follow({"-o", "cat"});
    EXPECT_EQ(printed.out, "3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    EXPECT_EQ(printed.code, 124);
}

TEST(FollowLogs, PrintsWhatAFileGrowsBy) {
    FakeLogger logger;
    const auto file = current_file("a@0", 1, numbered(1, 2).size());
    logger.offer(file, numbered(1, 4));
    logger.listed();
    logger.packet(log_reading::grown_packet(file.stream, 1, numbered(1, 4).size()));
    EXPECT_EQ(logger.follow({"-n0", "-o", "cat"}).out, "3\n4\n");
}

TEST(FollowLogs, PrintsALineWhenItIsComplete) {
    FakeLogger logger;
    const auto file = current_file("a@0", 1, numbered(1, 2).size() - 3);
    logger.offer(file, numbered(1, 2) + "2026-03-03T10:11:03.000000Z incompl");
    logger.listed();
    EXPECT_EQ(logger.follow({"-o", "cat"}).out, "1\n");
    logger.next_connection();
    logger.offer(file, numbered(1, 2) + "2026-03-03T10:11:03.000000Z incompl");
    logger.listed();
    logger.packet(log_reading::grown_packet(file.stream, 1, numbered(1, 2).size() + 20));
    EXPECT_EQ(logger.follow({"-n0", "-o", "cat"}).out, "2\n");
}

TEST(FollowLogs, FinishesAFileBeforeTheNext) {
    FakeLogger logger;
    logger.offer(current_file("a@0", 1, numbered(1, 1).size()), numbered(1, 3));
    logger.listed();
    logger.offer(current_file("a@0", 2, numbered(4, 4).size()), numbered(4, 5));
    logger.packet(log_reading::grown_packet(current_file("a@0", 2, 0).stream, 2, numbered(4, 5).size()));
    EXPECT_EQ(logger.follow({"-o", "cat"}).out, "1\n2\n3\n4\n5\n");
}

TEST(FollowLogs, JoinsALineThatIsSplitByARotation) {
    FakeLogger logger;
    const auto line = stamped(1, "one line");
    logger.offer(current_file("a@0", 1, 30), line.substr(0, 32));
    logger.listed();
    logger.offer(current_file("a@0", 2, line.size() - 32), line.substr(32));
    EXPECT_EQ(logger.follow({"-o", "cat"}).out, "one line\n");
}

TEST(FollowLogs, TakesInStreamsThatComeLater) {
    FakeLogger logger;
    logger.offer(current_file("a@0", 1, 0), "");
    logger.listed();
    logger.offer(current_file("b@0", 1, numbered(1, 1).size()), numbered(1, 1));
    EXPECT_EQ(logger.follow({"-o", "cat"}).out, "1\n");
}

TEST(FollowLogs, TellsWhatWasMissed) {
    FakeLogger logger;
    const auto file = current_file("web@0", 1, numbered(1, 1).size());
    logger.offer(file, numbered(1, 1));
    logger.listed();
    logger.packet(log_reading::missed_packet(file.stream, 2));
    logger.offer(current_file("web@0", 4, numbered(9, 9).size()), numbered(9, 9));
    const auto printed = logger.follow({"-o", "cat"});
    EXPECT_EQ(printed.out, "1\n9\n");
    EXPECT_EQ(printed.err, "-- 2 files of web@0 stdout were written and removed before they could be read --\n");
}

TEST(FollowLogs, GoesOnWhereItWasWithAnotherLogger) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1), numbered(1, 1));
    logger.offer(current_file("a@0", 2, numbered(2, 3).size()), numbered(2, 3));
    logger.listed();
    logger.next_connection();
    logger.offer(plain_file("a@0", 1), numbered(1, 1));
    auto renumbered = current_file("a@0", 2, numbered(2, 3).size());
    renumbered.stream = 7;
    logger.offer(renumbered, numbered(2, 3));
    logger.listed();
    auto next = current_file("a@0", 3, numbered(4, 4).size());
    next.stream = 7;
    logger.offer(next, numbered(4, 5));
    logger.packet(log_reading::grown_packet(7, 3, numbered(4, 5).size()));
    const auto printed = logger.follow({"-o", "cat"});
    EXPECT_EQ(printed.out, "1\n2\n3\n4\n5\n");
    EXPECT_EQ(printed.err, "");
}

TEST(FollowLogs, SearchesWhatIsAdded) {
    FakeLogger logger;
    const auto file = current_file("a@0", 1, stamped(1, "yes 1").size());
    const auto all = stamped(1, "yes 1") + stamped(2, "no") + stamped(3, "yes 2");
    logger.offer(file, all);
    logger.listed();
    logger.packet(log_reading::grown_packet(file.stream, 1, all.size()));
    EXPECT_EQ(logger.follow({"--grep", "yes", "-o", "cat"}).out, "yes 1\nyes 2\n");
}

}  // namespace
}  // namespace procsup::ctl
