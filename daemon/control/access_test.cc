#include "daemon/control/access.h"

#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

constexpr uid_t kDaemon = 900;
constexpr uid_t kSomeone = 4321;

varlink::Peer peer(uid_t uid, gid_t gid = 9999, std::vector<gid_t> groups = {}) {
    return {uid, gid, 77, std::move(groups)};
}

DaemonSpec nobody_reads() {
    DaemonSpec spec;
    spec.read = {};
    return spec;
}

TEST(Access, MakesRootAndTheDaemonsOwnUserAdministrators) {
    const Access access(nobody_reads(), kDaemon);
    EXPECT_EQ(access.tier_of(peer(0)), Tier::Admin);
    EXPECT_EQ(access.tier_of(peer(kDaemon)), Tier::Admin);
    EXPECT_EQ(access.daemon_uid(), kDaemon);
}

TEST(Access, LetsEveryoneReadUnlessToldOtherwise) {
    EXPECT_EQ(Access(DaemonSpec{}, kDaemon).tier_of(peer(kSomeone)), Tier::Read);
    EXPECT_EQ(Access(nobody_reads(), kDaemon).tier_of(peer(kSomeone)), Tier::None);
}

TEST(Access, FindsUsersByTheirUid) {
    auto spec = nobody_reads();
    spec.admin.users = {1};
    spec.operate.users = {2};
    spec.read.users = {3};
    const Access access(spec, kDaemon);
    EXPECT_EQ(access.tier_of(peer(1)), Tier::Admin);
    EXPECT_EQ(access.tier_of(peer(2)), Tier::Operate);
    EXPECT_EQ(access.tier_of(peer(3)), Tier::Read);
    EXPECT_EQ(access.tier_of(peer(kSomeone)), Tier::None);
}

TEST(Access, FindsGroupsAmongThePrimaryAndTheSupplementaryOnes) {
    auto spec = nobody_reads();
    spec.operate.groups = {50};
    const Access access(spec, kDaemon);
    EXPECT_EQ(access.tier_of(peer(kSomeone, 50)), Tier::Operate);
    EXPECT_EQ(access.tier_of(peer(kSomeone, 10, {20, 50})), Tier::Operate);
    EXPECT_EQ(access.tier_of(peer(kSomeone, 10, {20, 30})), Tier::None);
    EXPECT_EQ(access.tier_of(peer(50, 10, {20})), Tier::None);  // a uid is no gid
}

TEST(Access, GivesTheHighestOfSeveralTiers) {
    DaemonSpec spec;
    spec.operate.everyone = true;
    spec.admin.groups = {7};
    EXPECT_EQ(Access(spec, kDaemon).tier_of(peer(kSomeone, 1, {7})), Tier::Admin);
    EXPECT_EQ(Access(spec, kDaemon).tier_of(peer(kSomeone)), Tier::Operate);
}

TEST(Access, AllowsWhatATierIncludesAndNoMore) {
    auto spec = nobody_reads();
    spec.operate.users = {kSomeone};
    const Access access(spec, kDaemon);
    EXPECT_TRUE(access.allows(peer(kSomeone), Tier::Read));
    EXPECT_TRUE(access.allows(peer(kSomeone), Tier::Operate));
    EXPECT_FALSE(access.allows(peer(kSomeone), Tier::Admin));
    EXPECT_FALSE(access.allows(peer(kSomeone + 1), Tier::Read));
}

TEST(Access, LetsAnOwnerOperateAndReadOnlyTheOwnJob) {
    const Access access(nobody_reads(), kDaemon);
    auto own = job("own");
    own.owner = kSomeone;
    const auto other = job("other");
    EXPECT_TRUE(access.allows(peer(kSomeone), Tier::Operate, &own));
    EXPECT_TRUE(access.allows(peer(kSomeone), Tier::Read, &own));
    EXPECT_FALSE(access.allows(peer(kSomeone), Tier::Admin, &own));
    EXPECT_FALSE(access.allows(peer(kSomeone), Tier::Operate, &other));
    EXPECT_FALSE(access.allows(peer(kSomeone), Tier::Read));
    EXPECT_FALSE(access.allows(peer(kSomeone + 1), Tier::Operate, &own));
}

TEST(Access, SaysWhatIsLackedAndWhoHasIt) {
    EXPECT_EQ(Access::refusal(peer(5), Tier::Operate),
              "uid 5 lacks operate access, which root, a job's owner, and whom [access] operate names have");
    EXPECT_EQ(Access::refusal(peer(5), Tier::Admin),
              "uid 5 lacks admin access, which root, the supervisor's own user, and whom [access] admin names have");
}

}  // namespace
}  // namespace procsup
