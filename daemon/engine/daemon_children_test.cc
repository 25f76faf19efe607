#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/engine/engine_fakes.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// "shop" and its daemon "logger".
class Bound {
public:
    explicit Bound(OnParentRestart policy = OnParentRestart::Restart, Restart parent = Restart::Always)
        : supervisor(fakes, fakes, fakes, 1) {
        JobSpec shop, logger;
        shop.name = "shop";
        shop.command = {"/bin/shop"};
        shop.restart.when = parent;
        shop.restart.jitter = 0;
        logger.name = "logger";
        logger.command = {"/bin/logger"};
        logger.daemon_of = "shop";
        logger.on_parent_restart = policy;
        supervisor.configure({logger, shop}, fakes.now);
    }

    const Instance& of(const char* name) const { return *supervisor.find(supervisor.select(name).front()); }
    State state(const char* name) const { return of(name).state(); }
    void runs(const char* name) {
        const auto incarnation = of(name).incarnation();
        supervisor.spawned(incarnation, 400 + static_cast<pid_t>(incarnation), fakes.now);
        supervisor.execed(incarnation, fakes.now);
    }
    void ends(const char* name, ExitStatus status, bool tree_empty = true) {
        fakes.now += 5s;
        supervisor.exited(of(name).incarnation(), status, tree_empty, fakes.now);
    }
    void both_run() {
        runs("shop");
        runs("logger");
        fakes.calls.clear();
    }

    EngineFakes fakes;
    Supervisor supervisor;
};

TEST(DaemonChildren, AreStartedWhenTheirParentRuns) {
    Bound bound;
    EXPECT_EQ(bound.state("logger"), State::Waiting);
    EXPECT_EQ(bound.of("logger").cause(), "started with the daemon; waits for shop to run");
    EXPECT_EQ(bound.fakes.calls, std::vector<std::string>{"spawn shop"});
    bound.runs("shop");
    EXPECT_EQ(bound.state("logger"), State::Starting);
}

TEST(DaemonChildren, EndBeforeTheirParentStartsAgain) {
    Bound bound;
    bound.both_run();
    bound.ends("shop", ExitStatus::killed(SIGKILL));
    EXPECT_EQ(bound.state("logger"), State::Stopping);
    EXPECT_EQ(bound.state("shop"), State::Waiting);
    EXPECT_EQ(bound.of("shop").cause(), "restarted after killed by SIGKILL; waits for its daemon logger to end");
    EXPECT_EQ(bound.fakes.calls, std::vector<std::string>{"signal 15"}) << "in its own way";
    bound.ends("logger", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(bound.state("shop"), State::Starting);
    EXPECT_EQ(bound.state("logger"), State::Waiting);
    bound.runs("shop");
    EXPECT_EQ(bound.state("logger"), State::Starting);
}

TEST(DaemonChildren, StayStoppedWhereThatIsAskedFor) {
    Bound bound(OnParentRestart::Stop);
    bound.both_run();
    bound.ends("shop", ExitStatus::exited(1));
    bound.ends("logger", ExitStatus::killed(SIGTERM));
    bound.runs("shop");
    EXPECT_EQ(bound.state("logger"), State::Stopped);
    EXPECT_EQ(
        bound.of("logger").cause(),
        "shop, whose daemon it is, has ended: restarted after exit 1; waits for its daemon logger to end; killed by "
        "SIGTERM");
}

TEST(DaemonChildren, AreKeptOverARestartButNotOverAnEnd) {
    Bound bound(OnParentRestart::Keep);
    bound.both_run();
    bound.ends("shop", ExitStatus::exited(1));
    EXPECT_EQ(bound.state("shop"), State::Starting);
    EXPECT_EQ(bound.state("logger"), State::Running);
    bound.runs("shop");
    bound.supervisor.stop(bound.of("shop").id(), "stop asked", bound.fakes.now);
    EXPECT_EQ(bound.state("logger"), State::Running) << "its parent still has to end";
    bound.ends("shop", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(bound.state("logger"), State::Stopping);
}

TEST(DaemonChildren, EndWhenTheMainProcessHasEndedAndOthersAreBeingEnded) {
    Bound bound;
    bound.both_run();
    bound.ends("shop", ExitStatus::exited(0), false);
    EXPECT_EQ(bound.state("shop"), State::Stopping);
    EXPECT_EQ(bound.state("logger"), State::Stopping);
}

TEST(DaemonChildren, EndWhenTheirParentCannotBeStarted) {
    Bound bound(OnParentRestart::Keep, Restart::No);
    bound.both_run();
    bound.ends("shop", ExitStatus::exited(3));
    EXPECT_EQ(bound.state("shop"), State::Failed);
    EXPECT_EQ(bound.state("logger"), State::Stopping);
    bound.ends("logger", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(bound.state("logger"), State::Waiting);
}

TEST(DaemonChildren, StopByOrderWithoutTheirParent) {
    Bound bound;
    bound.both_run();
    bound.supervisor.stop(bound.of("logger").id(), "stop asked", bound.fakes.now);
    bound.ends("logger", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(bound.state("logger"), State::Stopped);
    EXPECT_EQ(bound.state("shop"), State::Running);
    bound.ends("shop", ExitStatus::exited(1));
    EXPECT_EQ(bound.state("shop"), State::Starting) << "nothing to wait for";
    bound.runs("shop");
    EXPECT_EQ(bound.state("logger"), State::Stopped) << "by order";
}

TEST(DaemonChildren, EndAfterTheirParentInAShutdown) {
    Bound bound;
    bound.both_run();
    bound.supervisor.shut_down("shutdown", bound.fakes.now);
    EXPECT_EQ(bound.state("logger"), State::Running);
    bound.ends("shop", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(bound.state("logger"), State::Stopping);
    bound.ends("logger", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(bound.state("logger"), State::Stopped);
    EXPECT_TRUE(bound.supervisor.idle());
}

TEST(DaemonChildren, OfATransientKindEndForEver) {
    Bound bound;
    bound.both_run();
    JobSpec spec;
    spec.name = "run-1";
    spec.command = {"/bin/work"};
    spec.daemon_of = "shop";
    spec.on_parent_restart = OnParentRestart::Stop;
    const auto id = bound.supervisor.run_transient(spec, "run", bound.fakes.now, bound.of("shop").id());
    ASSERT_TRUE(id.has_value());
    bound.runs("run-1");
    bound.ends("shop", ExitStatus::exited(0));
    EXPECT_EQ(bound.state("run-1"), State::Stopping);
    bound.ends("run-1", ExitStatus::killed(SIGTERM));
    bound.supervisor.forget_ended();
    EXPECT_TRUE(bound.supervisor.select("run-1").empty());
}

TEST(DaemonChildren, AreNotWhatABatchWaitsFor) {
    Bound bound(OnParentRestart::Restart, Restart::No);
    EXPECT_FALSE(bound.supervisor.all_but_daemons_settled());
    bound.both_run();
    bound.ends("shop", ExitStatus::exited(0));
    EXPECT_TRUE(bound.supervisor.all_but_daemons_settled());
}

}  // namespace
}  // namespace procsup
