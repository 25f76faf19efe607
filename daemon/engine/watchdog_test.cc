#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

JobSpec watched(Restart when = Restart::No) {
    JobSpec spec = with_restart(when);
    spec.watchdog = 10s;
    spec.readiness.kind = Readiness::Kind::Notify;
    return spec;
}

class Watched : public Sim {
public:
    explicit Watched(const JobSpec& spec = watched()) : Sim(spec) {
        start();
        run();
        fakes.calls.clear();
    }
    void say(const Notice& notice) { supervisor.noticed(fakes.last_incarnation, notice, fakes.now); }
    void be_ready() { say({.ready = true}); }
    void be_alive() { say({.alive = true}); }
    bool looks() const { return fakes.timer(TimerKind::Watchdog) != nullptr; }
    const std::string& told() const { return fakes.transitions.back(); }
};

TEST(Watchdog, LooksFromReadinessOn) {
    Watched sim;
    EXPECT_FALSE(sim.looks());
    sim.be_ready();
    ASSERT_TRUE(sim.looks());
    EXPECT_EQ(sim.fakes.timer(TimerKind::Watchdog)->when, sim.fakes.now + 10s);
}

TEST(Watchdog, EndsWhatGivesNoSignOfLife) {
    Watched sim;
    sim.be_ready();
    sim.fire(TimerKind::Watchdog);
    EXPECT_EQ(sim.told(), "web: running -> stopping: watchdog (10s) passed without a sign of life; sending SIGABRT");
    EXPECT_EQ(sim.fakes.calls, Calls{"signal " + std::to_string(SIGABRT)});
    EXPECT_EQ(sim.web().outcome().result, RunResult::Watchdog);
    sim.exit(ExitStatus::killed(SIGABRT));
    EXPECT_EQ(sim.told(), "web: stopping -> failed: watchdog (10s) passed without a sign of life, killed by SIGABRT");
}

TEST(Watchdog, WaitsAsLongAfterEverySignOfLife) {
    Watched sim;
    sim.be_ready();
    sim.pass(4s);
    sim.be_alive();
    sim.fire(TimerKind::Watchdog);
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_EQ(sim.fakes.timer(TimerKind::Watchdog)->when, sim.fakes.now + 4s);
    sim.fire(TimerKind::Watchdog);
    EXPECT_EQ(sim.state(), State::Stopping);
}

TEST(Watchdog, KillsWhatDoesNotEndByItsSignal) {
    Watched sim;
    sim.be_ready();
    sim.fire(TimerKind::Watchdog);
    sim.fire(TimerKind::StopTimeout);
    EXPECT_EQ(sim.fakes.calls.back(), "kill tree");
}

TEST(Watchdog, AsksNoCommandOfTheJob) {
    auto spec = watched();
    spec.stop_command = {{"webctl", "quit"}, "/bin/webctl"};
    spec.hooks.push_back({Hook::PreStop, {{"tell"}, "/bin/tell"}});
    spec.watchdog_signal = SIGQUIT;
    Watched sim(spec);
    sim.be_ready();
    sim.fire(TimerKind::Watchdog);
    EXPECT_EQ(sim.fakes.calls, Calls{"signal " + std::to_string(SIGQUIT)});
}

TEST(Watchdog, IsInForceFromWhenTheJobIsReady) {
    Watched sim;
    EXPECT_EQ(sim.web().watchdog(), kForever);
    sim.be_ready();
    EXPECT_EQ(sim.web().watchdog(), 10s);
    EXPECT_EQ(sim.web().sign_of_life(), sim.fakes.now);
    sim.pass(3s);
    sim.say({.alive = true});
    EXPECT_EQ(sim.web().sign_of_life(), sim.fakes.now);
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.web().watchdog(), kForever);
}

TEST(Watchdog, CountsAsAnAbnormalEnd) {
    Watched sim(watched(Restart::OnAbnormal));
    sim.be_ready();
    sim.fire(TimerKind::Watchdog);
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.state(), State::Starting);
}

TEST(Watchdog, EndsAtOnceWhatSaysThatItHangs) {
    Watched sim;
    sim.be_ready();
    sim.say({.hangs = true});
    EXPECT_EQ(sim.told(), "web: running -> stopping: it has hung, as it says; sending SIGABRT");
}

TEST(Watchdog, IsWhatTheJobMakesIt) {
    Watched sim;
    sim.be_ready();
    sim.say({.watchdog = 2s});
    EXPECT_EQ(sim.fakes.timer(TimerKind::Watchdog)->when, sim.fakes.now + 2s);
    sim.say({.watchdog = kForever});
    EXPECT_FALSE(sim.looks());
    sim.exit(ExitStatus::exited(0));
    sim.start();
    sim.run();
    sim.be_ready();
    EXPECT_EQ(sim.fakes.timer(TimerKind::Watchdog)->when, sim.fakes.now + 10s) << "of that run alone";
}

TEST(Watchdog, ThatTheJobHasSwitchedOffStaysSoForItsRun) {
    Watched sim;
    sim.say({.watchdog = kForever});
    sim.be_ready();
    EXPECT_FALSE(sim.looks()) << "also where it is said before there is one";
    EXPECT_TRUE(sim.web().watchdog_off());
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    sim.supervisor.resume(sim.id, "resume asked", sim.fakes.now);
    sim.say({.reloading = true});
    ASSERT_EQ(sim.state(), State::Reloading);
    sim.say({.ready = true});
    sim.be_alive();
    EXPECT_FALSE(sim.looks());
    sim.say({.watchdog = 3s});
    EXPECT_EQ(sim.fakes.timer(TimerKind::Watchdog)->when, sim.fakes.now + 3s);
    EXPECT_FALSE(sim.web().watchdog_off());
    sim.fire(TimerKind::Watchdog);
    EXPECT_EQ(sim.state(), State::Stopping);
}

TEST(Watchdog, DoesNotLookAtWhatStandsStill) {
    Watched sim;
    sim.be_ready();
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    EXPECT_FALSE(sim.looks());
    sim.pass(1h);
    sim.supervisor.resume(sim.id, "resume asked", sim.fakes.now);
    EXPECT_EQ(sim.fakes.timer(TimerKind::Watchdog)->when, sim.fakes.now + 10s);
}

TEST(Watchdog, LooksWhileItIsRead) {
    Watched sim;
    sim.be_ready();
    sim.say({.reloading = true});
    EXPECT_EQ(sim.state(), State::Reloading);
    sim.fire(TimerKind::Watchdog);
    EXPECT_EQ(sim.state(), State::Stopping);
}

TEST(Watchdog, IsNotThereWithoutItsKey) {
    auto spec = watched();
    spec.watchdog = kForever;
    Watched sim(spec);
    sim.be_ready();
    sim.say({.hangs = true, .watchdog = 1s});
    EXPECT_FALSE(sim.looks());
    EXPECT_EQ(sim.state(), State::Running);
}

TEST(Watchdog, MakesNobodyReadyWhoIsLookedAtOtherwise) {
    auto spec = watched();
    spec.readiness.kind = Readiness::Kind::Tcp;
    Watched sim(spec);
    sim.be_ready();
    EXPECT_FALSE(sim.web().ready());
    sim.supervisor.became_ready(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_TRUE(sim.looks());
}

}  // namespace
}  // namespace procsup
