#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/engine/crew_fixture.h"
#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;
using Verdict = HealthVerdict;

JobSpec watched(Health::Action action = Health::Action::Restart) {
    auto spec = with_restart(Restart::OnFailure);
    spec.health.look.kind = Readiness::Kind::Tcp;
    spec.health.look.target = "127.0.0.1:80";
    spec.health.look.probe = {{"look"}, "/usr/bin/probe"};
    spec.health.action = action;
    spec.health.restart_limit = {2, 10min};
    return spec;
}

/// A job that is ready, and its probe.
struct Watched : Sim {
    explicit Watched(const JobSpec& spec = watched()) : Sim(spec) {
        start();
        run_with_probe();
        fakes.calls.clear();
        fakes.transitions.clear();
    }
    void run_with_probe() {
        run();
        beside_runs();
    }
    void report(Verdict verdict, const std::string& words = {}) {
        supervisor.health_reported(fakes.last_beside, verdict, words, {}, fakes.now);
    }
    /// It ends as it was told to, and so does its probe.
    void end_all() {
        beside_exit(ExitStatus::killed(SIGKILL));
        exit(ExitStatus::killed(SIGTERM));
    }
    std::string told() const { return fakes.transitions.empty() ? "" : fakes.transitions.back(); }
};

TEST(Health, IsLookedAtFromReadinessOn) {
    auto spec = watched();
    spec.readiness.kind = Readiness::Kind::Notify;
    Sim sim(spec);
    sim.start();
    sim.run();
    EXPECT_EQ(sim.fakes.calls, Calls{"spawn web"});
    EXPECT_EQ(sim.web().health(), nullptr);
    sim.supervisor.became_ready(sim.web().incarnation(), sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "run look for pid 411");
    ASSERT_NE(sim.web().health(), nullptr);
    EXPECT_EQ(sim.web().health()->verdict, Verdict::Unknown);
}

TEST(Health, ThatIsGoodIsAnnouncedOnce) {
    Watched sim;
    sim.pass(2s);
    sim.report(Verdict::Healthy);
    EXPECT_TRUE(sim.web().healthy());
    EXPECT_EQ(sim.told(), "web: running -> running: start asked, healthy after 2s");
    sim.report(Verdict::Healthy, "cannot connect");
    EXPECT_EQ(sim.fakes.transitions.size(), 1u);
    EXPECT_EQ(sim.web().health()->words, "cannot connect");
}

TEST(Health, ThatIsBadRestartsTheJobInItsOwnWay) {
    Watched sim;
    sim.pass(1min);
    sim.report(Verdict::Unhealthy, "cannot connect");
    EXPECT_EQ(sim.told(), "web: running -> stopping: unhealthy: cannot connect");
    EXPECT_EQ(sim.fakes.calls, (Calls{"kill beside", "signal 15"}));
    EXPECT_TRUE(sim.web().starts_again());
    sim.end_all();
    EXPECT_EQ(sim.told(), "web: stopping -> starting: restarted because it was unhealthy: cannot connect");
    EXPECT_EQ(sim.web().restarts(), 0u);
    EXPECT_EQ(sim.web().limited_starts(sim.fakes.now), 0u) << "the budget of crashes is another one";
    EXPECT_EQ(sim.web().health_restarts(sim.fakes.now), 1u);
}

TEST(Health, HasABudgetBeyondWhichTheJobRunsOnUntilThereIsRoomAgain) {
    Watched sim;
    const auto begun = sim.fakes.now;
    for (int i = 0; i < 2; ++i) {
        sim.report(Verdict::Unhealthy, "no");
        sim.end_all();
        sim.run_with_probe();
        sim.pass(1min);
    }
    sim.fakes.calls.clear();
    sim.report(Verdict::Unhealthy, "no");
    EXPECT_EQ(sim.told(),
              "web: running -> running: restarted because it was unhealthy: no; unhealthy: no; restart_limit (2/10min) "
              "reached, it runs on");
    EXPECT_TRUE(sim.fakes.calls.empty());
    EXPECT_EQ(sim.web().health_restart_due(), begun + 10min);
    sim.fire(TimerKind::HealthRestart);
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.fakes.calls.back(), "signal 15");
}

TEST(Health, ThatComesBackTakesTheRestartBack) {
    auto spec = watched();
    spec.health.restart_limit = {1, 10min};
    Watched sim(spec);
    sim.report(Verdict::Unhealthy, "no");
    sim.end_all();
    sim.run_with_probe();
    sim.report(Verdict::Unhealthy, "no");
    ASSERT_NE(sim.fakes.timer(TimerKind::HealthRestart), nullptr);
    sim.pass(30s);
    sim.report(Verdict::Healthy);
    EXPECT_EQ(sim.fakes.timer(TimerKind::HealthRestart), nullptr);
    EXPECT_EQ(sim.told(), "web: running -> running: restarted because it was unhealthy: no; healthy again after 30s");
}

TEST(Health, IsOnlyToldWhereNothingIsToBeDone) {
    Watched sim(watched(Health::Action::None));
    sim.report(Verdict::Unhealthy, "no");
    EXPECT_EQ(sim.told(), "web: running -> running: start asked; unhealthy: no");
    EXPECT_TRUE(sim.fakes.calls.empty());
    EXPECT_EQ(sim.fakes.timer(TimerKind::HealthRestart), nullptr);
    EXPECT_TRUE(sim.web().ready());
}

TEST(Health, IsNotLookedAtWhileTheJobStandsStill) {
    Watched sim;
    sim.supervisor.pause(sim.id, "pause asked", sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, (Calls{"pause", "kill beside"}));
    sim.report(Verdict::Unhealthy, "no");
    EXPECT_EQ(sim.state(), State::Paused) << "what was found while it stopped says nothing";
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.timer(TimerKind::HealthProbe), nullptr);
    sim.supervisor.resume(sim.id, "resume asked", sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls.back(), "run look for pid 411");
}

TEST(Health, HasAnotherProbeWhenOneHasEnded) {
    Watched sim;
    sim.beside_exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.state(), State::Running) << "what looks has failed, not the job";
    EXPECT_TRUE(sim.fakes.calls.empty());
    sim.fire(TimerKind::HealthProbe);
    EXPECT_EQ(sim.fakes.calls, Calls{"run look for pid 411"});
}

TEST(Health, OfAnEarlierRunIsForgotten) {
    Watched sim;
    sim.report(Verdict::Healthy);
    const auto old = sim.fakes.last_beside;
    sim.supervisor.restart(sim.id, "restart asked", sim.fakes.now);
    sim.end_all();
    sim.run_with_probe();
    EXPECT_EQ(sim.web().health()->verdict, Verdict::Unknown);
    sim.supervisor.health_reported(old, Verdict::Unhealthy, "no", {}, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Running);
    EXPECT_EQ(sim.web().health()->verdict, Verdict::Unknown);
}

TEST(Health, IsLookedAtAsANewTextSaysWithoutARestart) {
    Watched sim;
    sim.report(Verdict::Healthy);
    auto spec = watched();
    spec.name = "web";
    spec.command = {"/usr/bin/web"};
    spec.restart.jitter = 0;
    spec.enabled = false;
    spec.health.look.target = "127.0.0.1:81";
    spec.health.look.probe = {{"other"}, "/usr/bin/probe"};
    sim.supervisor.configure({spec}, sim.fakes.now);
    EXPECT_EQ(sim.fakes.calls, Calls{"kill beside"});
    EXPECT_EQ(sim.web().health()->verdict, Verdict::Unknown);
    sim.beside_exit(ExitStatus::killed(SIGKILL));
    EXPECT_EQ(sim.fakes.calls.back(), "run other for pid 411");
    EXPECT_EQ(sim.state(), State::Running);
}

TEST(Health, IsHeardOfAgainAfterAChangeThatMetAStop) {
    Watched sim;
    auto spec = watched();
    spec.name = "web";
    spec.command = {"/usr/bin/web"};
    spec.restart.jitter = 0;
    spec.enabled = false;
    spec.health.successes = 2;
    sim.supervisor.configure({spec}, sim.fakes.now);
    sim.stop();
    sim.end_all();
    sim.start();
    sim.run_with_probe();
    sim.report(Verdict::Healthy);
    EXPECT_TRUE(sim.web().healthy());
}

TEST(Health, CanBeLookedAtOnceMore) {
    Watched sim;
    const auto probe = sim.fakes.last_beside;
    EXPECT_EQ(sim.supervisor.check_health(sim.id, sim.fakes.now), 1u);
    EXPECT_NE(sim.fakes.last_beside, probe);
    EXPECT_EQ(sim.supervisor.check_health(sim.id, sim.fakes.now), 1u) << "of who asks meanwhile it is the same";
    sim.beside_runs();
    sim.report(Verdict::Unhealthy, "refused");
    EXPECT_EQ(sim.state(), State::Running) << "one look decides nothing";
    sim.beside_exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.web().health_checks().over, 1u);
    EXPECT_FALSE(sim.web().health_checks().healthy);
    EXPECT_EQ(sim.web().health_checks().words, "refused");
    EXPECT_EQ(sim.supervisor.check_health(sim.id, sim.fakes.now), 2u);
    sim.beside_runs();
    sim.beside_exit(ExitStatus::exited(0));
    EXPECT_TRUE(sim.web().health_checks().healthy);
    EXPECT_EQ(sim.web().health_checks().words, "");
}

TEST(Health, OfWhatDoesNotRunCannotBeLookedAt) {
    Sim sim(watched());
    EXPECT_EQ(sim.supervisor.check_health(sim.id, sim.fakes.now), 0u);
    Sim other(with_restart(Restart::OnFailure));
    other.start();
    other.run();
    EXPECT_EQ(other.supervisor.check_health(other.id, other.fakes.now), 0u);
}

/// Three instances that are ready, each with its probe.
struct Ward : Crew {
    Ward() : Crew(watched()) {
        bring_up();
        fakes.transitions.clear();
    }
    void report(const std::string& name, Verdict verdict) {
        const auto probe = at(name).sides().front().incarnation;
        supervisor.health_reported(probe, verdict, "cannot connect", {}, fakes.now);
    }
    /// It ends as it was told to, and so does its probe.
    void end_all(const std::string& name) {
        const auto probe = at(name).sides().front().incarnation;
        supervisor.exited(probe, ExitStatus::killed(SIGKILL), true, fakes.now);
        end(name, ExitStatus::killed(SIGTERM));
    }
};

TEST(Health, OfSeveralInstancesRestartsOneAfterTheOther) {
    Ward ward;
    for (const char* name : {"web@0", "web@1", "web@2"}) ward.report(name, Verdict::Unhealthy);
    EXPECT_EQ(ward.state("web@0"), State::Stopping);
    EXPECT_EQ(ward.at("web@1").cause(), "start asked; unhealthy: cannot connect; its restart waits for that of web@0");
    EXPECT_EQ(ward.state("web@2"), State::Running);
    ward.end_all("web@0");
    EXPECT_EQ(ward.state("web@1"), State::Running) << "not before the first is ready again";
    ward.report("web@2", Verdict::Healthy);
    ward.run("web@0");
    EXPECT_EQ(ward.state("web@1"), State::Stopping);
    ward.end_all("web@1");
    ward.run("web@1");
    EXPECT_EQ(ward.state("web@2"), State::Running) << "it is well again";
    ward.report("web@2", Verdict::Unhealthy);
    EXPECT_EQ(ward.state("web@2"), State::Stopping);
}

TEST(Health, OfAnInstanceIsNotWaitedForWhenItHasFailedOrLeaves) {
    Ward ward;
    ward.report("web@0", Verdict::Unhealthy);
    ward.report("web@1", Verdict::Unhealthy);
    ward.end_all("web@0");
    ward.end("web@0", ExitStatus::exited(1));
    EXPECT_EQ(ward.state("web@1"), State::Running) << "it is started once more at once";
    ward.end("web@0", ExitStatus::exited(1));
    EXPECT_EQ(ward.state("web@1"), State::Stopping);
    Ward fewer;
    fewer.report("web@2", Verdict::Unhealthy);
    fewer.report("web@0", Verdict::Unhealthy);
    EXPECT_EQ(fewer.scale(1), "");
    fewer.end_all("web@2");
    EXPECT_EQ(fewer.state("web@0"), State::Stopping);
}

}  // namespace
}  // namespace procsup
