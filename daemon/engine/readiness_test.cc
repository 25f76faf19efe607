#include <gtest/gtest.h>

#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

JobSpec notifying() {
    auto spec = with_restart(Restart::OnFailure);
    spec.readiness.kind = Readiness::Kind::Notify;
    spec.readiness.timeout = 20s;
    return spec;
}

JobSpec probed() {
    auto spec = notifying();
    spec.readiness.kind = Readiness::Kind::Tcp;
    spec.readiness.target = "127.0.0.1:80";
    spec.readiness.probe = {{"probe"}, "/usr/bin/probe"};
    return spec;
}

/// A job that has been executed.
struct Running : Sim {
    explicit Running(const JobSpec& spec) : Sim(spec) {
        start();
        run();
        fakes.calls.clear();
        fakes.transitions.clear();
    }
    void say(const Notice& notice) { supervisor.noticed(web().incarnation(), notice, fakes.now); }
    static Notice ready_notice() {
        Notice notice;
        notice.ready = true;
        return notice;
    }
};

TEST(Readiness, IsThereWithTheProgramWhereNothingIsSaid) {
    Running job(with_restart(Restart::OnFailure));
    EXPECT_TRUE(job.web().ready());
    EXPECT_EQ(job.fakes.timer(TimerKind::ReadyTimeout), nullptr);
}

TEST(Readiness, IsWhatTheJobSaysAndIsAnnounced) {
    Running job(notifying());
    EXPECT_EQ(job.state(), State::Running);
    EXPECT_FALSE(job.web().ready());
    job.pass(1s);
    job.say(Running::ready_notice());
    EXPECT_TRUE(job.web().ready());
    EXPECT_EQ(job.fakes.timer(TimerKind::ReadyTimeout), nullptr);
    EXPECT_EQ(job.fakes.transitions, std::vector<std::string>{"web: running -> running: start asked, ready after 1s"});
}

TEST(Readiness, ThatIsHinderedIsTold) {
    Running job(probed());
    EXPECT_EQ(job.web().awaited(), "tcp 127.0.0.1:80");
    ASSERT_EQ(job.web().sides().size(), 1U);
    job.supervisor.readiness_hindered(job.web().sides().front().incarnation, ": refused", job.fakes.now);
    job.supervisor.readiness_hindered(job.web().sides().front().incarnation, ": no answer", job.fakes.now);
    EXPECT_EQ(job.web().awaited(), "tcp 127.0.0.1:80: no answer");
    job.fire(TimerKind::ReadyTimeout);
    EXPECT_EQ(job.web().cause(), "not ready within 20s (tcp 127.0.0.1:80: no answer)");
}

TEST(Readiness, IsToldWithWhatTheCommandHasWrittenOnlyWhereThatIsAskedFor) {
    Running job(probed());
    const auto probe = job.web().sides().front().incarnation;
    job.supervisor.readiness_hindered(probe, ": failed", job.fakes.now, "password x");
    EXPECT_EQ(job.web().awaited(), "tcp 127.0.0.1:80: failed");
    EXPECT_EQ(job.web().awaited_with_output(), "tcp 127.0.0.1:80: failed: password x");
    job.supervisor.readiness_hindered(probe, ": failed", job.fakes.now);
    EXPECT_EQ(job.web().awaited_with_output(), "tcp 127.0.0.1:80: failed");
    job.supervisor.readiness_hindered(probe, ": failed", job.fakes.now, "password x");
    job.fire(TimerKind::ReadyTimeout);
    EXPECT_EQ(job.web().cause(), "not ready within 20s (tcp 127.0.0.1:80: failed)");
}

TEST(Readiness, ThatIsSaidBeforeTheProgramIsKnownToRunIsNotLost) {
    Sim job(notifying());
    job.start();
    job.supervisor.spawned(job.fakes.last_incarnation, 411, job.fakes.now);
    job.supervisor.became_ready(job.fakes.last_incarnation, job.fakes.now);
    EXPECT_FALSE(job.web().ready());
    job.supervisor.execed(job.fakes.last_incarnation, job.fakes.now);
    EXPECT_TRUE(job.web().ready());
    EXPECT_EQ(job.fakes.transitions.back(), "web: starting -> running: start asked, ready after 0s");
}

TEST(Readiness, ThatDoesNotComeInTimeIsAFailedStart) {
    Running job(notifying());
    job.fire(TimerKind::ReadyTimeout);
    EXPECT_EQ(job.state(), State::Stopping);
    EXPECT_EQ(job.fakes.calls, Calls{"signal 15"});
    job.exit(ExitStatus::exited(0));
    EXPECT_EQ(job.fakes.transitions.back(),
              "web: stopping -> starting: restarted after not ready within 20s (notify), exit 0");
    job.run();
    job.pass(19s);
    job.exit(ExitStatus::exited(1));
    // A long life, but never ready: quick deaths both.
    EXPECT_EQ(job.state(), State::Backoff);
}

TEST(Readiness, IsLookedForByAProbeWhichItsSuccessEnds) {
    Running job(probed());
    EXPECT_NE(job.fakes.last_beside, 0u);
    job.beside_runs();
    job.beside_exit(ExitStatus::exited(0));
    EXPECT_TRUE(job.web().ready());
    EXPECT_TRUE(job.web().sides().empty());
}

TEST(Readiness, CannotBeFoundOutWithoutAProbe) {
    Running job(probed());
    job.supervisor.not_started(job.fakes.last_beside, SpawnStage::Exec, 2, job.fakes.now);
    EXPECT_EQ(job.state(), State::Stopping);
    EXPECT_EQ(job.web().cause(),
              "cannot find out whether it is ready (tcp 127.0.0.1:80): cannot exec /usr/bin/probe: No such file or "
              "directory");
}

TEST(Readiness, ThatCannotBeFoundOutIsToldWithWhatWasToBeLookedAt) {
    auto spec = probed();
    spec.readiness.kind = Readiness::Kind::Exec;
    spec.readiness.target = "/opt/${job:name}/check";
    Running job(spec);
    job.beside_runs();
    job.beside_exit(ExitStatus::exited(127));
    EXPECT_EQ(job.web().cause(), "cannot find out whether it is ready (exec /opt/web/check): exit 127");
}

TEST(Readiness, AProbeIsToldWhenTheJobIsStoppedAndGoneBeforeItsNextRun) {
    Running job(probed());
    job.beside_runs();
    job.stop();
    EXPECT_EQ(job.fakes.calls, (Calls{"signal 15", "signal 15"}));  // for the probe, and for the job
    job.exit(ExitStatus::killed(15));
    EXPECT_EQ(job.state(), State::Stopping);
    // It may say what it has found last.
    EXPECT_EQ(job.fakes.calls.size(), 2u);
    job.fire(TimerKind::StopTimeout);
    EXPECT_EQ(job.fakes.calls.back(), "kill beside");
    job.beside_exit(ExitStatus::killed(9));
    EXPECT_EQ(job.state(), State::Stopped);
}

TEST(Readiness, AJobThatEndsWhileAProbeLooksIsStoppingUntilThatIsGone) {
    Running job(probed());
    job.beside_runs();
    job.exit(ExitStatus::exited(3));
    EXPECT_EQ(job.state(), State::Stopping);
    job.beside_exit(ExitStatus::killed(9));
    EXPECT_EQ(job.state(), State::Starting);
}

TEST(Notices, KeepTheStatusUntilTheRunIsOver) {
    auto spec = notifying();
    spec.restart.when = Restart::No;
    spec.hooks = {{Hook::PostStop, {{"/bin/clean"}, "/bin/clean"}}};
    Running job(spec);
    Notice notice;
    notice.status = "reading 3 of 7";
    job.say(notice);
    EXPECT_EQ(job.web().status_text(), "reading 3 of 7");
    job.exit(ExitStatus::exited(1), false);
    EXPECT_EQ(job.web().status_text(), "reading 3 of 7") << "others of it live";
    job.supervisor.tree_empty(job.fakes.last_incarnation, job.fakes.now);
    EXPECT_EQ(job.state(), State::Stopping) << "post_stop runs";
    EXPECT_EQ(job.web().status_text(), "");
}

TEST(Notices, OfAStatusAreTheLastWordsOfARunThatWasNeverReady) {
    auto spec = notifying();
    spec.restart.when = Restart::No;
    Running job(spec);
    Notice notice;
    notice.status = "cannot open /x";
    job.say(notice);
    job.exit(ExitStatus::exited(2));
    EXPECT_EQ(job.web().cause(), "exit 2; it said: cannot open /x");
    job.start();
    job.run();
    notice.status = std::string(199, 'a') + "é of a long story";
    job.say(notice);
    job.fire(TimerKind::ReadyTimeout);
    job.exit(ExitStatus::killed(SIGTERM));
    EXPECT_EQ(job.web().cause(),
              "not ready within 20s (notify), killed by SIGTERM; it said: " + std::string(199, 'a') + "…");
    job.start();
    job.run();
    job.say(notice);
    job.say(Running::ready_notice());
    job.exit(ExitStatus::exited(3));
    EXPECT_EQ(job.web().cause(), "exit 3") << "it had been ready";
}

TEST(Notices, ExtendTheTimeThatIsRunningAndNeverShortenIt) {
    Running job(notifying());
    Notice notice;
    notice.extend_timeout = 60s;
    job.say(notice);
    EXPECT_EQ(job.fakes.timer(TimerKind::ReadyTimeout)->when, job.fakes.now + 60s);
    notice.extend_timeout = 1s;
    job.say(notice);
    EXPECT_EQ(job.fakes.timer(TimerKind::ReadyTimeout)->when, job.fakes.now + 60s);
    job.stop();
    notice.extend_timeout = 30s;
    job.say(notice);
    EXPECT_EQ(job.fakes.timer(TimerKind::StopTimeout)->when, job.fakes.now + 30s);
}

TEST(Notices, OfAReloadKeepTheJobReady) {
    Running job(notifying());
    job.say(Running::ready_notice());
    Notice notice;
    notice.reloading = true;
    job.say(notice);
    EXPECT_EQ(job.state(), State::Reloading);
    EXPECT_TRUE(job.web().ready());
    job.say(Running::ready_notice());
    EXPECT_EQ(job.state(), State::Running);
}

TEST(Notices, OfAnEndGiveTheJobItsStopTimeoutAndLeaveTheRestToItsPolicy) {
    Running job(notifying());
    Notice notice;
    notice.stopping = true;
    job.say(notice);
    EXPECT_EQ(job.state(), State::Stopping);
    EXPECT_TRUE(job.fakes.calls.empty());
    EXPECT_NE(job.fakes.timer(TimerKind::StopTimeout), nullptr);
    job.exit(ExitStatus::exited(1));
    EXPECT_EQ(job.state(), State::Starting);
}

TEST(Notices, OfAnEndDoNotKeepAStopFromBeingCarriedOut) {
    Running job(notifying());
    Notice notice;
    notice.stopping = true;
    job.say(notice);
    job.stop();
    EXPECT_EQ(job.fakes.calls, Calls{"signal 15"});
    notice.extend_timeout = Duration(24 * 365h);
    job.say(notice);
    EXPECT_EQ(job.fakes.timer(TimerKind::StopTimeout)->when, job.fakes.now + 1h);
    job.exit(ExitStatus::exited(0));
    EXPECT_EQ(job.state(), State::Stopped);
}

TEST(Notices, OfReloadsAgainAndAgainAreNoNews) {
    Running job(notifying());
    job.say(Running::ready_notice());
    job.fakes.transitions.clear();
    Notice notice;
    notice.reloading = true;
    for (int i = 0; i < 1000; ++i) {
        job.say(notice);
        job.say(Running::ready_notice());
    }
    EXPECT_EQ(job.fakes.transitions.size(), 2u);
    notice.ready = true;
    job.pass(2s);
    job.say(notice);
    EXPECT_EQ(job.state(), State::Running);
    EXPECT_EQ(job.fakes.transitions.size(), 2u);
}

TEST(Notices, ThatExtendARunHoldOverAReload) {
    auto spec = notifying();
    spec.run_timeout = 3s;
    Running job(spec);
    job.say(Running::ready_notice());
    Notice notice;
    notice.extend_timeout = 60s;
    job.say(notice);
    const auto due = job.fakes.timer(TimerKind::RunTimeout)->when;
    job.pass(4s);
    Notice reload;
    reload.reloading = true;
    job.say(reload);
    EXPECT_EQ(job.fakes.timer(TimerKind::RunTimeout)->when, due);
}

TEST(Notices, OfAnEarlierRunChangeNothing) {
    Running job(notifying());
    const auto before = job.web().incarnation();
    job.exit(ExitStatus::exited(1));
    job.run();
    job.supervisor.noticed(before, Running::ready_notice(), job.fakes.now);
    EXPECT_FALSE(job.web().ready());
}

TEST(Readiness, IsWaitedForByWhatRequiresIt) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    auto db = notifying();
    db.name = "db";
    db.command = {"/bin/db"};
    JobSpec web;
    web.name = "web";
    web.command = {"/bin/web"};
    web.dependencies.requirements = {{"db"}};
    auto early = web;
    early.name = "early";
    early.dependencies.requirements = {{"db", Requirement::Condition::Started}};
    supervisor.configure({db, early, web}, fakes.now);
    const auto incarnation = fakes.last_incarnation;
    supervisor.spawned(incarnation, 5, fakes.now);
    supervisor.execed(incarnation, fakes.now);
    EXPECT_EQ(fakes.calls, (Calls{"spawn db", "spawn early"}));
    supervisor.became_ready(incarnation, fakes.now);
    EXPECT_EQ(fakes.calls, (Calls{"spawn db", "spawn early", "spawn web"}));
}

}  // namespace
}  // namespace procsup
