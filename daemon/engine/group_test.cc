#include <gmock/gmock.h>

#include "daemon/engine/several_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Strategy = Membership::Strategy;

/// Members "a", "b" and "c" of the group "web", and a job that is in none.
class Team : public Several {
public:
    explicit Team(Strategy strategy, RateLimit intensity = {5, 1min},
                  Membership::OnExhausted then = Membership::OnExhausted::FailGroup) {
        std::vector<JobSpec> specs{job("z")};
        std::uint32_t position = 0;
        for (const char* name : {"c", "a", "b"}) {
            auto spec = job(name);
            spec.restart.min_uptime = 1s;
            spec.membership = {"web", position++, strategy, intensity, then};
            specs.push_back(spec);
        }
        configure(std::move(specs));
    }
    /// All run and have done so for a while.
    void bring_up() {
        for (const char* name : {"c", "a", "b", "z"}) run(name);
        fakes.now += 1h;
        calls();
    }
    void fire(const std::string& name, TimerKind kind) {
        const auto id = at(name).id();
        const auto found = std::find_if(fakes.timers.begin(), fakes.timers.end(),
                                        [&](const auto& timer) { return timer.id == id && timer.kind == kind; });
        ASSERT_NE(found, fakes.timers.end()) << name;
        const auto armed = *found;
        fakes.now = std::max(fakes.now, armed.when);
        fakes.disarm(armed.id, armed.kind);
        supervisor.timer_fired(armed.id, armed.kind, armed.generation, fakes.now);
    }
    std::string states() const {
        std::string text;
        for (const char* name : {"c", "a", "b"}) text += (text.empty() ? "" : " ") + std::string(to_text(state(name)));
        return text;
    }
};

TEST(Group, IsOneToWhoeverNamesIt) {
    Team team(Strategy::OneForOne);
    EXPECT_EQ(team.ids({"web"}).size(), 3u);
    EXPECT_THAT(team.calls(), ElementsAre("spawn a", "spawn b", "spawn c", "spawn z")) << "in no order of its own";
    team.stop({"web"});
    EXPECT_EQ(team.state("z"), State::Starting);
    EXPECT_EQ(team.states(), "stopping stopping stopping");
}

TEST(Group, WithOneForOneRestartsTheOneThatHasFailed) {
    Team team(Strategy::OneForOne);
    team.bring_up();
    team.exit("a", 1);
    EXPECT_EQ(team.state("a"), State::Backoff) << "for a moment";
    EXPECT_THAT(team.calls(), IsEmpty());
    team.fire("a", TimerKind::Backoff);
    EXPECT_THAT(team.calls(), ElementsAre("spawn a"));
    EXPECT_EQ(team.at("a").cause(), "restarted after exit 1");
}

TEST(Group, WithOneForAllEndsAllAndStartsThemInTheirOrder) {
    Team team(Strategy::OneForAll);
    EXPECT_THAT(team.calls(), ElementsAre("spawn c", "spawn z"));
    team.run("c");
    EXPECT_THAT(team.calls(), ElementsAre("spawn a"));
    team.bring_up();
    team.exit("a", 1);
    EXPECT_THAT(team.calls(), ElementsAre("signal 15")) << "the last first";
    EXPECT_EQ(team.states(), "stopping backoff stopping");
    EXPECT_EQ(team.at("b").cause(), "restarted with a, of its group web, which has ended: exit 1");
    team.fire("a", TimerKind::Backoff);
    EXPECT_EQ(team.at("a").cause(), "restarted after exit 1; waits for c to be ready, b to end")
        << team.at("a").cause();
    team.exit("b");
    EXPECT_THAT(team.calls(), ElementsAre("signal 15"));
    EXPECT_EQ(team.states(), "stopping waiting waiting");
    team.exit("c");
    EXPECT_THAT(team.calls(), ElementsAre("spawn c"));
    team.run("c");
    team.run("a");
    team.run("b");
    EXPECT_THAT(team.calls(), ElementsAre("spawn a", "spawn b"));
    EXPECT_EQ(team.states(), "running running running");
}

TEST(Group, WithRestForOneEndsThoseBehindIt) {
    Team team(Strategy::RestForOne);
    team.bring_up();
    team.exit("a", 1);
    EXPECT_EQ(team.states(), "running backoff stopping");
    team.fire("a", TimerKind::Backoff);
    EXPECT_EQ(team.states(), "running waiting stopping") << "b ends before";
    team.exit("b");
    EXPECT_EQ(team.states(), "running starting waiting");
    team.run("a");
    EXPECT_EQ(team.states(), "running running starting");
}

TEST(Group, IsLeftAloneByWhatIsNoFailure) {
    Team team(Strategy::OneForAll);
    team.bring_up();
    team.exit("b", 0);
    EXPECT_EQ(team.states(), "running running exited") << "restart = on-failure";
    team.restart("a");
    EXPECT_EQ(team.states(), "running stopping exited");
    team.exit("a");
    team.run("a");
    team.stop({"a"});
    team.exit("a");
    EXPECT_EQ(team.states(), "running stopped exited");
    team.start("b");
    EXPECT_EQ(team.states(), "running stopped starting");
}

TEST(Group, ThatIsExhaustedFailsAsAWhole) {
    Team team(Strategy::OneForOne, {1, 1min});
    team.bring_up();
    team.exit("a", 1);
    team.fire("a", TimerKind::Backoff);
    team.run("a");
    team.exit("c", 2);
    EXPECT_EQ(team.states(), "failed stopping stopping");
    team.exit("a", 0);
    team.exit("b", 0);
    EXPECT_EQ(team.states(), "failed failed failed");
    EXPECT_EQ(team.at("c").cause(), "group web: intensity (1/1min) reached; last: c: exit 2");
    EXPECT_EQ(team.at("a").cause(), "group web: intensity (1/1min) reached; last: c: exit 2; exit 0");
    team.start("web");
    for (const char* name : {"a", "b", "c"}) team.run(name);
    team.fakes.now += 1s;
    team.exit("a", 1);
    EXPECT_EQ(team.states(), "running backoff running") << "counted anew";
}

TEST(Group, OfMembersThatNeedEachOtherFailsWithTheOneThatIsGivenUp) {
    for (const auto strategy : {Strategy::RestForOne, Strategy::OneForOne}) {
        Team team(strategy);
        team.bring_up();
        auto tired = Several::job("a");
        tired.restart.start_limit = {1, 1h};
        tired.membership = team.at("a").spec().membership;
        team.configure({Several::job("z"), team.at("b").spec(), team.at("c").spec(), tired});
        team.exit("a", 1);
        team.fire("a", TimerKind::Backoff);
        if (team.state("a") == State::Waiting) team.exit("b");
        team.run("a");
        team.exit("a", 1);
        EXPECT_EQ(team.state("a"), State::Failed);
        const bool ordered = strategy != Strategy::OneForOne;
        EXPECT_EQ(team.state("c"), ordered ? State::Stopping : State::Running);
        const bool tells = team.at("c").cause().starts_with("group web: a has failed: start_limit");
        EXPECT_EQ(tells, ordered) << team.at("c").cause();
    }
}

TEST(Group, ThatIsToEndTheDaemonDoesSoWithTheCodeOfTheLastOne) {
    Team team(Strategy::OneForOne, {1, 1min}, Membership::OnExhausted::Shutdown);
    team.bring_up();
    team.exit("a", 1);
    team.exit("b", 7);
    EXPECT_THAT(team.fakes.end_codes, ElementsAre(7));
    EXPECT_EQ(team.states(), "running backoff backoff") << "how it ends is the daemon's";
}

TEST(Group, IsStoppedByWhoeverAsksWhileItFails) {
    Team team(Strategy::OneForAll, {0, 0s});
    team.bring_up();
    auto given_up = Several::job("c");
    given_up.restart.when = Restart::No;
    given_up.membership = team.at("c").spec().membership;
    team.configure({Several::job("z"), team.at("a").spec(), team.at("b").spec(), given_up});
    team.exit("c", 1);
    EXPECT_EQ(team.states(), "failed stopping stopping");
    team.stop({"a"});
    team.exit("b");
    team.exit("a");
    EXPECT_EQ(team.states(), "failed stopped failed");
}

}  // namespace
}  // namespace procsup
