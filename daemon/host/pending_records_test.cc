#include "daemon/host/pending_records.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

using Texts = std::vector<std::string>;

/// A record of exactly `size` bytes.
std::string record(int number, std::size_t size) {
    auto text = "{\"n\":" + std::to_string(number) + ",\"x\":\"";
    text.append(size - text.size() - 2, 'x');
    return text + "\"}";
}

TEST(PendingRecords, AreSentInOrderAndGoneWhenTheyAreWritten) {
    PendingRecords pending;
    pending.add("web", "{\"n\":1}");
    pending.add("web", "{\"n\":2}");
    EXPECT_EQ(pending.send("web", 7), "{\"n\":1}\n{\"n\":2}\n");
    EXPECT_TRUE(pending.under_way());
    EXPECT_EQ(pending.of("web").size(), 2u) << "a reader needs them until they are in the file";
    pending.written(7);
    EXPECT_FALSE(pending.under_way());
    EXPECT_TRUE(pending.of("web").empty());
}

TEST(PendingRecords, WaitWhileABatchOfTheirNameIsUnderWay) {
    PendingRecords pending;
    pending.add("web", "{\"n\":1}");
    pending.send("web", 1);
    pending.add("web", "{\"n\":2}");
    pending.add("db", "{\"n\":3}");
    EXPECT_EQ(pending.sendable(), std::set<std::string>{"db"});
    pending.written(1);
    EXPECT_EQ(pending.sendable(), (std::set<std::string>{"db", "web"}));
    EXPECT_EQ(pending.send("web", 2), "{\"n\":2}\n");
}

TEST(PendingRecords, ThatCouldNotBeWrittenAreSentAgainWithWhatHasComeSince) {
    PendingRecords pending;
    pending.add("web", "{\"n\":1}");
    pending.send("web", 1);
    pending.add("web", "{\"n\":2}");
    EXPECT_EQ(pending.hold(1), "web");
    EXPECT_TRUE(pending.sendable().empty());
    pending.release();
    EXPECT_EQ(pending.send("web", 2), "{\"n\":1}\n{\"n\":2}\n");
    EXPECT_EQ(pending.written(1), "") << "an answer to what was held means nothing";
    EXPECT_EQ(pending.of("web").size(), 2u);
}

TEST(PendingRecords, ThatAreHeldDoNotHoldUpThoseOfOtherNames) {
    PendingRecords pending;
    pending.add("web", "{\"n\":1}");
    pending.hold_all();
    pending.add("web", "{\"n\":2}");
    pending.add("db", "{\"n\":3}");
    EXPECT_EQ(pending.sendable(), std::set<std::string>{"db"});
    pending.release();
    EXPECT_EQ(pending.send("web", 1), "{\"n\":1}\n{\"n\":2}\n");
}

TEST(PendingRecords, UnderWayAreToldAgainAsTheyWere) {
    PendingRecords pending;
    pending.add("web", "{\"n\":1}");
    const auto lines = pending.send("web", 5);
    pending.add("web", "{\"n\":2}");
    const auto sent = pending.sent();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].id, 5);
    EXPECT_EQ(sent[0].name, "web");
    EXPECT_EQ(sent[0].lines, lines);
}

TEST(PendingRecords, ABatchIsBounded) {
    PendingRecords pending;
    for (int i = 0; i < 20; ++i) pending.add("web", record(i, 3000));
    EXPECT_EQ(pending.send("web", 1).size(), 11 * 3001u);
}

TEST(PendingRecords, ArePressingWhenThereIsAWholeBatch) {
    PendingRecords pending;
    const auto half = PendingRecords::kBatch / 2;
    pending.add("web", record(0, half));
    EXPECT_FALSE(pending.is_pressing());
    pending.add("web", record(1, half));
    EXPECT_TRUE(pending.is_pressing());
    pending.send("web", 1);
    EXPECT_FALSE(pending.is_pressing());
    for (int i = 2; i < 4; ++i) pending.add("web", record(i, half));
    EXPECT_FALSE(pending.is_pressing()) << "nothing can be sent";
    pending.written(1);
    EXPECT_TRUE(pending.is_pressing());
    pending.hold_all();
    EXPECT_FALSE(pending.is_pressing());
}

TEST(PendingRecords, OfANameTheOldestGoAndTheNextOneSaysHowMany) {
    PendingRecords pending;
    const auto size = PendingRecords::kMostOfName / 4;
    for (int i = 0; i < 7; ++i) pending.add("web", record(i, size));
    const auto records = pending.of("web");
    ASSERT_EQ(records.size(), 4u);
    EXPECT_TRUE(records[0].starts_with("{\"lost\":3,\"n\":3,")) << records[0].substr(0, 30);
    EXPECT_TRUE(records[1].starts_with("{\"n\":4,"));
}

TEST(PendingRecords, UnderWayAreNotDroppedAsTheyMayBeInTheFile) {
    PendingRecords pending;
    const auto size = PendingRecords::kMostOfName / 4;
    pending.add("web", record(0, size));
    pending.send("web", 1);
    for (int i = 1; i < 7; ++i) pending.add("web", record(i, size));
    const auto records = pending.of("web");
    EXPECT_TRUE(records[0].starts_with("{\"n\":0,"));
    EXPECT_TRUE(records[1].starts_with("{\"lost\":3,\"n\":4,"));
    pending.written(1);
    EXPECT_EQ(pending.of("web").size(), 3u);
}

TEST(PendingRecords, OfAllNamesTheOneWithTheMostLosesFirst) {
    PendingRecords pending;
    pending.add("quiet", record(0, 1000));
    for (int name = 0; name < 20; ++name) {
        for (int i = 0; i < 100; ++i) pending.add("busy" + std::to_string(name), record(i, 1000));
    }
    EXPECT_EQ(pending.of("quiet").size(), 1u);
    std::size_t bytes = 0;
    for (int name = 0; name < 20; ++name) {
        for (const auto& text : pending.of("busy" + std::to_string(name))) bytes += text.size();
    }
    EXPECT_GT(bytes, PendingRecords::kMost - 50'000);
    EXPECT_LE(bytes, PendingRecords::kMost);
}

}  // namespace
}  // namespace procsup
