#include "daemon/host/accounts.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

using namespace std::chrono_literals;

TEST(Accounts, AddUpTheOrphansOfARunBesideItsMainProcess) {
    Accounts accounts;
    accounts.orphans_collected(7, {1, 2ms});
    accounts.main_collected(7, 100, 50ms);
    accounts.orphans_collected(7, {3, 4ms});
    EXPECT_EQ(accounts.of(7).main_cpu, 50ms);
    EXPECT_EQ(accounts.of(7).orphans.count, 4u);
    EXPECT_EQ(accounts.of(7).orphans.cpu, 6ms);
    EXPECT_EQ(accounts.of(8).orphans.count, 0u);
}

TEST(Accounts, TakeNoFormerMainProcessForAnOrphan) {
    Accounts accounts;
    accounts.former_mains_collected(7, {1, 2ms});
    accounts.main_collected(7, 100, 50ms);
    EXPECT_EQ(accounts.of(7).former_mains.count, 1u);
    EXPECT_EQ(accounts.of(7).former_mains.cpu, 2ms);
    EXPECT_EQ(accounts.of(7).orphans.count, 0u);
    EXPECT_EQ(accounts.all().count, 0u);
}

TEST(Accounts, CountWhatBelongsToNoRunForAllRuns) {
    Accounts accounts;
    accounts.orphans_collected(7, {1, 2ms});
    accounts.orphans_collected(0, {2, 3ms});
    EXPECT_EQ(accounts.unattributed(), 2u);
    EXPECT_EQ(accounts.all().count, 3u);
    EXPECT_EQ(accounts.all().cpu, 5ms);
}

TEST(Accounts, KnowASessionFromTheEndOfItsLeaderUntilTheRunIsClosed) {
    Accounts accounts;
    EXPECT_EQ(accounts.of_session(100), 0u);
    accounts.main_collected(7, 100, 0ms);
    EXPECT_EQ(accounts.of_session(100), 7u);
    accounts.close(7);
    EXPECT_EQ(accounts.of_session(100), 0u);
    EXPECT_FALSE(accounts.has(7));
}

TEST(Accounts, KeepTheNewerRunOfANumberThatWasUsedAgain) {
    Accounts accounts;
    accounts.main_collected(7, 100, 0ms);
    accounts.main_collected(8, 100, 0ms);
    accounts.close(7);
    EXPECT_EQ(accounts.of_session(100), 8u);
}

}  // namespace
}  // namespace procsup
