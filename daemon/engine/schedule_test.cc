#include <gmock/gmock.h>

#include "daemon/engine/several_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Overlap = Schedule::Overlap;

/// The task "backup", every hour, beside the service "web".
class Hourly : public Several {
public:
    explicit Hourly(Overlap overlap = Overlap::Skip, std::size_t instances = 1) {
        supervisor.clocks_set({24h * 20000 - fakes.now.time_since_epoch(), {}}, fakes.now);
        task.overlap = overlap;
        for (std::size_t i = 0; instances > 1 && i < instances; ++i) task_instances.push_back(std::to_string(i));
        configure({backup(), job("web")});
        run("web");
        calls();
    }
    JobSpec backup() const {
        auto spec = job("backup");
        spec.type = JobType::Task;
        spec.restart.when = Restart::No;
        spec.schedule = task;
        spec.instances = task_instances;
        return spec;
    }
    bool is_armed() const {
        return std::any_of(fakes.timers.begin(), fakes.timers.end(),
                           [](const auto& timer) { return timer.kind == TimerKind::Schedule; });
    }
    /// Time passes until the next run is due.
    void fire() {
        const auto found = std::find_if(fakes.timers.begin(), fakes.timers.end(),
                                        [](const auto& timer) { return timer.kind == TimerKind::Schedule; });
        ASSERT_NE(found, fakes.timers.end());
        const auto armed = *found;
        fakes.timers.erase(found);
        fakes.now = std::max(fakes.now, armed.when);
        supervisor.timer_fired(armed.id, armed.kind, armed.generation, fakes.now);
    }
    std::string told() const { return supervisor.jobs().at("backup").schedule_told; }

    Schedule task = [] {
        Schedule schedule;
        schedule.interval = 1h;
        return schedule;
    }();
    std::vector<std::string> task_instances;
};

TEST(ScheduledTask, IsStartedWhenItIsDueAndNotWithTheDaemon) {
    Hourly jobs;
    EXPECT_EQ(jobs.state("backup"), State::Stopped);
    EXPECT_FALSE(jobs.supervisor.all_but_daemons_settled());
    const auto begun = jobs.fakes.now;
    jobs.fire();
    EXPECT_EQ(jobs.fakes.now, begun + 1h);
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn backup"));
    EXPECT_EQ(jobs.at("backup").cause(), "its interval of 1h has passed");
    jobs.run("backup");
    jobs.exit("backup");
    EXPECT_EQ(jobs.state("backup"), State::Exited);
    jobs.fire();
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn backup"));
}

TEST(ScheduledTask, ThatHasFailedIsStartedWhenItIsDueAgain) {
    Hourly jobs;
    jobs.fire();
    jobs.run("backup");
    jobs.exit("backup", 1);
    EXPECT_EQ(jobs.state("backup"), State::Failed);
    jobs.fire();
    EXPECT_EQ(jobs.state("backup"), State::Starting);
}

TEST(ScheduledTask, IsLeftOutWhileTheOneBeforeIsNotOver) {
    Hourly jobs;
    jobs.fire();
    jobs.run("backup");
    jobs.calls();
    jobs.fire();
    EXPECT_THAT(jobs.calls(), IsEmpty());
    EXPECT_THAT(jobs.told(), HasSubstr("is left out: the one before is not over (running)"));
    jobs.exit("backup");
    EXPECT_THAT(jobs.calls(), IsEmpty());
}

TEST(ScheduledTask, WaitsOnceForTheOneBefore) {
    Hourly jobs(Overlap::Queue);
    jobs.fire();
    jobs.run("backup");
    jobs.fire();
    jobs.fire();
    jobs.calls();
    jobs.exit("backup");
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn backup"));
    jobs.run("backup");
    jobs.exit("backup");
    EXPECT_THAT(jobs.calls(), IsEmpty());
}

TEST(ScheduledTask, ThatWaitsIsForgottenWhenTheOneBeforeIsStopped) {
    Hourly jobs(Overlap::Queue);
    jobs.fire();
    jobs.run("backup");
    jobs.fire();
    jobs.stop({"backup"});
    jobs.calls();
    jobs.exit("backup");
    EXPECT_EQ(jobs.state("backup"), State::Stopped);
    EXPECT_THAT(jobs.calls(), IsEmpty());
}

TEST(ScheduledTask, TakesThePlaceOfTheOneBefore) {
    Hourly jobs(Overlap::Replace);
    jobs.fire();
    jobs.run("backup");
    jobs.fire();
    EXPECT_EQ(jobs.state("backup"), State::Stopping);
    jobs.exit("backup");
    EXPECT_EQ(jobs.state("backup"), State::Starting);
}

TEST(ScheduledTask, StoppedByOrderIsNotStartedUntilSomebodyStartsIt) {
    Hourly jobs;
    jobs.stop({"backup"});
    jobs.fire();
    EXPECT_EQ(jobs.state("backup"), State::Stopped);
    EXPECT_THAT(jobs.told(), IsEmpty());
    jobs.start("backup");
    jobs.run("backup");
    jobs.exit("backup");
    jobs.fire();
    EXPECT_EQ(jobs.state("backup"), State::Starting);
}

TEST(ScheduledTask, StoppedByOrderGoesOnWithoutARunWhenItIsReset) {
    Hourly jobs;
    jobs.stop({"backup"});
    jobs.supervisor.reset(jobs.at("backup").id(), "reset asked", jobs.fakes.now);
    EXPECT_EQ(jobs.state("backup"), State::Stopped);
    EXPECT_EQ(jobs.at("backup").cause(), "reset asked");
    jobs.fire();
    EXPECT_EQ(jobs.state("backup"), State::Starting);
}

TEST(ScheduledTask, DoesNotStartWhatSomebodyHasStopped) {
    Hourly jobs;
    auto spec = jobs.backup();
    spec.dependencies.wants = {"web"};
    jobs.configure({spec, Several::job("web")});
    jobs.stop({"web"});
    jobs.exit("web");
    jobs.calls();
    jobs.fire();
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn backup"));
    EXPECT_EQ(jobs.state("web"), State::Stopped);
}

TEST(ScheduledTask, ThatIsDisabledOrRemovedHasNoTimer) {
    Hourly jobs;
    EXPECT_TRUE(jobs.is_armed());
    jobs.configure({Several::resting(jobs.backup()), Several::job("web")});
    EXPECT_FALSE(jobs.is_armed());
    jobs.configure({jobs.backup(), Several::job("web")});
    EXPECT_TRUE(jobs.is_armed());
    jobs.configure({Several::job("web")});
    EXPECT_FALSE(jobs.is_armed());
}

TEST(ScheduledTask, GoesOnWithAnotherTextAndBeginsAnewWithAnotherSchedule) {
    Hourly jobs;
    const auto begun = jobs.fakes.now;
    jobs.fakes.now += 30min;
    auto spec = jobs.backup();
    spec.command = {"/bin/other"};
    jobs.configure({spec, Several::job("web")});
    EXPECT_EQ(jobs.supervisor.jobs().at("backup").timetable->due(), begun + 1h);
    spec.schedule.interval = 2h;
    jobs.configure({spec, Several::job("web")});
    EXPECT_EQ(jobs.supervisor.jobs().at("backup").timetable->due(), begun + 30min + 2h);
}

TEST(ScheduledTask, ThatRunsIsNotCutOffByAnotherText) {
    Hourly jobs;
    jobs.fire();
    jobs.run("backup");
    auto spec = jobs.backup();
    spec.command = {"/bin/other"};
    jobs.configure({spec, Several::job("web")});
    EXPECT_EQ(jobs.state("backup"), State::Running);
    jobs.exit("backup");
    EXPECT_EQ(jobs.state("backup"), State::Exited);
    jobs.fire();
    EXPECT_EQ(jobs.at("backup").spec().command, spec.command);
}

TEST(ScheduledTask, OfSeveralInstancesEachIsStartedUnlessItRuns) {
    Hourly jobs(Overlap::Skip, 3);
    jobs.fire();
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn backup@0", "spawn backup@1", "spawn backup@2"));
    for (const char* name : {"backup@0", "backup@1", "backup@2"}) jobs.run(name);
    jobs.exit("backup@1");
    jobs.fire();
    EXPECT_THAT(jobs.calls(), ElementsAre("spawn backup@1"));
}

TEST(ScheduledTask, ASleepBringsItsRun) {
    Hourly jobs;
    auto clocks = jobs.supervisor.clocks();
    clocks.wall += 5h;
    clocks.slept += 5h;
    jobs.supervisor.clocks_set(clocks, jobs.fakes.now);
    jobs.fire();
    EXPECT_THAT(jobs.at("backup").cause(), HasSubstr("makes up for its run of "));
}

TEST(ScheduledTask, IsNotStartedWhileEverythingEnds) {
    Hourly jobs;
    jobs.supervisor.shut_down("the end", jobs.fakes.now);
    jobs.fire();
    EXPECT_EQ(jobs.state("backup"), State::Stopped);
}

}  // namespace
}  // namespace procsup
