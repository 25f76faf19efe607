#include "daemon/engine/first_start.h"

#include <gtest/gtest.h>

#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// Jobs that are started with the supervisor, by name.
struct Boot {
    static JobSpec job(const std::string& name, std::vector<Requirement> requirements = {}) {
        JobSpec spec;
        spec.name = name;
        spec.command = {"/bin/" + name};
        spec.restart.when = Restart::No;
        spec.dependencies.requirements = std::move(requirements);
        return spec;
    }
    explicit Boot(std::vector<JobSpec> jobs) { supervisor.configure(std::move(jobs), fakes.now); }

    const Instance& at(const std::string& name) const { return *supervisor.find(supervisor.select(name).front()); }
    const FirstStart& first(const std::string& name) const { return at(name).first_start(); }
    void run(const std::string& name) { supervisor.execed(at(name).incarnation(), fakes.now); }
    void exit(const std::string& name, int code) {
        supervisor.exited(at(name).incarnation(), ExitStatus::exited(code), true, fakes.now);
    }

    EngineFakes fakes;
    Supervisor supervisor{fakes, fakes, fakes, 1};
};

TEST(FirstStart, IsKeptOfWhatWasStartedWithTheSupervisorAndIsNoLongerConfigured) {
    Boot boot({Boot::job("db"), Boot::job("never")});
    boot.run("db");
    const auto id = boot.at("db").id();
    boot.fakes.now += 1s;
    boot.supervisor.configure({Boot::job("later")}, boot.fakes.now);
    boot.run("later");
    boot.exit("db", 0);
    boot.supervisor.configure({}, boot.fakes.now);
    boot.exit("later", 0);
    boot.supervisor.forget_ended();
    const auto& former = boot.supervisor.former_starts();
    ASSERT_EQ(former.size(), 1u);
    EXPECT_EQ(former.at(id).instance, "db");
    EXPECT_EQ(former.at(id).start.ready, boot.fakes.now - 1s);
}

TEST(FirstStart, IsNothingBeforeItIsWanted) {
    Sim sim;
    sim.stop();
    EXPECT_EQ(sim.web().first_start().wanted, TimePoint());
    EXPECT_FALSE(sim.web().first_start().over) << "nothing was to be started when it was stopped";
}

TEST(FirstStart, HasTheTimesOfTheFirstTimeOnly) {
    Sim sim;
    sim.pass(1s);
    const auto wanted = sim.fakes.now;
    sim.start();
    sim.pass(2s);
    sim.run();
    const auto first = sim.web().first_start();
    EXPECT_EQ(first.wanted, wanted);
    EXPECT_EQ(first.began, wanted);
    EXPECT_EQ(first.ready, wanted + 2s);
    EXPECT_EQ(first.failed, TimePoint());
    EXPECT_TRUE(first.over);
    sim.pass(1s);
    sim.stop();
    sim.exit(ExitStatus::exited(0));
    sim.start();
    sim.run();
    EXPECT_EQ(sim.web().first_start().began, wanted);
    EXPECT_EQ(sim.web().first_start().ready, wanted + 2s);
}

TEST(FirstStart, EndsWhenItIsKnownToBeReady) {
    JobSpec spec;
    spec.readiness.kind = Readiness::Kind::Notify;
    Sim sim(spec);
    sim.start();
    sim.run();
    EXPECT_EQ(sim.web().first_start().ready, TimePoint());
    sim.pass(3s);
    sim.supervisor.became_ready(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.web().first_start().ready, sim.fakes.now);
}

TEST(FirstStart, OfAOneshotEndsWhenThatHasEndedWell) {
    JobSpec spec;
    spec.type = JobType::Oneshot;
    Sim sim(spec);
    sim.start();
    sim.run();
    EXPECT_EQ(sim.web().first_start().ready, TimePoint());
    sim.pass(1s);
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.web().first_start().ready, sim.fakes.now);
}

TEST(FirstStart, ThatFailsGoesOnUntilItIsReady) {
    auto spec = with_restart(Restart::OnFailure);
    spec.type = JobType::Oneshot;
    spec.restart.min_uptime = 10s;
    Sim sim(spec);
    sim.start();
    const auto begun = sim.fakes.now;
    bool at_once = false, later = false;
    for (int i = 0; i < 3; ++i) {
        sim.run();
        sim.pass(1s);
        sim.exit(ExitStatus::exited(1));
        EXPECT_EQ(sim.web().first_start().failed, begun + 1s) << i;
        (sim.state() == State::Backoff ? later : at_once) = true;
        if (sim.state() == State::Backoff) sim.fire(TimerKind::Backoff);
    }
    EXPECT_TRUE(at_once && later) << "both ways to be started again";
    sim.run();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.web().first_start().began, begun);
    EXPECT_EQ(sim.web().first_start().ready, sim.fakes.now);
    EXPECT_EQ(sim.web().first_start().failed, begun + 1s);
}

TEST(FirstStart, ThatSomebodyStopsIsOver) {
    JobSpec spec;
    spec.readiness.kind = Readiness::Kind::Notify;
    Sim sim(spec);
    sim.start();
    sim.run();
    sim.stop();
    sim.exit(ExitStatus::exited(0));
    sim.start();
    sim.run();
    sim.supervisor.became_ready(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_TRUE(sim.web().ready());
    EXPECT_EQ(sim.web().first_start().ready, TimePoint()) << "an hour later it would be the slowest of all";
}

TEST(FirstStart, KnowsWhatItWaitedForLast) {
    Boot boot({Boot::job("cache"), Boot::job("db"), Boot::job("web", {{"cache"}, {"db"}})});
    const auto begun = boot.fakes.now;
    boot.fakes.now += 1s;
    boot.run("db");
    boot.fakes.now += 1s;
    boot.run("cache");
    EXPECT_EQ(boot.first("web").wanted, begun);
    EXPECT_EQ(boot.first("web").began, begun + 2s);
    EXPECT_EQ(boot.first("web").waited_for, boot.at("cache").id());
    EXPECT_EQ(boot.first("db").waited_for, 0u);
    EXPECT_EQ(boot.supervisor.booted(), begun);
}

TEST(FirstStart, KnowsThatItDidNotWait) {
    auto web = Boot::job("web", {{"db"}});
    web.enabled = false;
    Boot boot({Boot::job("db"), web});
    boot.run("db");
    boot.supervisor.start(boot.at("web").id(), "start asked", boot.fakes.now);
    EXPECT_EQ(boot.first("web").waited_for, 0u);
    EXPECT_EQ(boot.first("web").began, boot.fakes.now);
}

TEST(FirstStart, WaitsForWhatFailsAndComesBack) {
    Boot boot({Boot::job("db"), Boot::job("web", {{"db"}})});
    boot.exit("db", 1);
    EXPECT_EQ(boot.at("web").state(), State::Failed);
    EXPECT_EQ(boot.first("web").failed, boot.fakes.now);
    boot.fakes.now += 5s;
    boot.supervisor.start(boot.at("db").id(), "start asked", boot.fakes.now);
    boot.run("db");
    EXPECT_EQ(boot.first("web").began, boot.fakes.now);
    EXPECT_EQ(boot.first("web").waited_for, boot.at("db").id());
}

TEST(FirstStart, OfADaemonWaitsForWhatItIsBoundTo) {
    auto agent = Boot::job("agent");
    agent.daemon_of = "web";
    Boot boot({agent, Boot::job("web")});
    boot.fakes.now += 1s;
    boot.run("web");
    EXPECT_EQ(boot.first("agent").waited_for, boot.at("web").id());
}

TEST(FirstStart, OfWhatIsAddedLaterIsNotOfTheBoot) {
    Boot boot({Boot::job("db")});
    boot.fakes.now += 1s;
    const auto booted = boot.supervisor.booted();
    boot.supervisor.configure({Boot::job("db"), Boot::job("web")}, boot.fakes.now);
    EXPECT_EQ(boot.supervisor.booted(), booted);
    EXPECT_EQ(boot.first("web").wanted, booted + 1s);
}

}  // namespace
}  // namespace procsup
