#include <gmock/gmock.h>

#include "daemon/engine/several_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kMebi = 1 << 20;

/// "web", unhealthy above 100 MiB or 1.5 processors, by 2 of 3 looks, one a second.
class Limited : public Several {
public:
    explicit Limited(void (*change)(JobSpec&) = nullptr) {
        auto spec = job("web");
        spec.health.memory_above = 100 * kMebi;
        spec.health.cpu_above = 1.5;
        spec.health.look.interval = 1s;
        spec.health.failures = 2;
        if (change != nullptr) change(spec);
        configure({spec});
        run("web");
        calls();
    }
    /// What is asked for when the next look is due.
    void measured(std::uint64_t mebibytes, Duration cpu = {}) {
        TreeUsage usage;
        usage.memory = mebibytes * kMebi;
        usage.cpu = cpu;
        supervisor.usage_measured(at("web").incarnation(), usage, fakes.now);
    }
    void look_due() {
        const auto armed = *fakes.timer(TimerKind::HealthMeasure);
        fakes.now = armed.when;
        supervisor.timer_fired(armed.id, armed.kind, armed.generation, fakes.now);
    }
    HealthVerdict verdict() const { return at("web").health()->verdict; }
};

TEST(Thresholds, AreLookedAtWithoutAProcess) {
    Limited jobs([](JobSpec&) {});
    jobs.measured(10);
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Healthy);
    jobs.look_due();
    EXPECT_THAT(jobs.calls(), ElementsAre("measure"));
}

TEST(Thresholds, OfMemoryRestartWhatIsAboveThemSeveralTimes) {
    Limited jobs;
    jobs.measured(10);
    jobs.look_due();
    jobs.measured(101);
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Healthy);
    EXPECT_EQ(jobs.at("web").health()->words, "uses 101MiB of memory, more than memory_above (100MiB)");
    jobs.look_due();
    jobs.measured(2048 * 16);
    EXPECT_EQ(jobs.state("web"), State::Stopping);
    EXPECT_THAT(jobs.at("web").cause(), HasSubstr("unhealthy: uses 32GiB of memory, more than memory_above (100MiB)"));
    jobs.exit("web");
    EXPECT_EQ(jobs.state("web"), State::Starting);
    jobs.calls();
    jobs.run("web");
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Unknown);
    EXPECT_THAT(jobs.calls(), ElementsAre("measure"));
}

TEST(Thresholds, OfProcessorsAreWhatIsUsedBetweenTwoLooks) {
    Limited jobs([](JobSpec& spec) { spec.health.memory_above = 0; });
    jobs.measured(0, 100s);
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Unknown);
    jobs.look_due();
    jobs.measured(0, 101s);
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Healthy);
    for (const auto cpu : {103s, 105s}) {
        jobs.look_due();
        jobs.measured(0, cpu);
    }
    EXPECT_THAT(jobs.at("web").cause(), HasSubstr("unhealthy: uses 2 processors, more than cpu_above (1.5)"));
}

TEST(Thresholds, AreNotPassedByWhatIsNotKnown) {
    Limited jobs;
    jobs.measured(10);
    jobs.calls();
    for (int i = 0; i < 5; ++i) {
        jobs.look_due();
        jobs.supervisor.usage_measured(jobs.at("web").incarnation(), {}, jobs.fakes.now);
    }
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Healthy);
    EXPECT_EQ(jobs.calls().size(), 5u);
}

TEST(Thresholds, DoNotCountWithinGrace) {
    Limited jobs([](JobSpec& spec) { spec.health.grace = 10s; });
    jobs.measured(500);
    for (int i = 0; i < 9; ++i) {
        jobs.look_due();
        jobs.measured(500);
    }
    EXPECT_EQ(jobs.state("web"), State::Running);
    jobs.look_due();
    jobs.measured(500);
    jobs.look_due();
    jobs.measured(500);
    EXPECT_EQ(jobs.state("web"), State::Stopping);
}

void with_probe(JobSpec& spec) {
    spec.health.look.kind = Readiness::Kind::Exec;
    spec.health.look.probe = {{"/bin/look"}, "/bin/look"};
    spec.health.look.target = "/bin/look";
}

TEST(Thresholds, BesideAProbeAreHealthyWhenBothAre) {
    Limited jobs(with_probe);
    jobs.measured(10);
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Unknown);
    const auto probe = jobs.fakes.last_beside;
    jobs.supervisor.health_reported(probe, HealthVerdict::Healthy, {}, {}, jobs.fakes.now);
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Healthy);
    jobs.supervisor.health_reported(probe, HealthVerdict::Unhealthy, "no answer", {}, jobs.fakes.now);
    EXPECT_THAT(jobs.at("web").cause(), HasSubstr("unhealthy: no answer"));
}

TEST(Thresholds, BesideAProbeAreAskedTogetherWithIt) {
    Limited jobs(with_probe);
    jobs.measured(10);
    jobs.calls();
    const auto number = jobs.supervisor.check_health(jobs.at("web").id(), jobs.fakes.now);
    EXPECT_THAT(jobs.calls(), ElementsAre("measure", HasSubstr("/bin/look")));
    jobs.measured(500);
    EXPECT_NE(jobs.at("web").health_checks().over, number);
    jobs.supervisor.exited(jobs.fakes.last_beside, ExitStatus::exited(0), true, jobs.fakes.now);
    EXPECT_EQ(jobs.at("web").health_checks().over, number);
    EXPECT_FALSE(jobs.at("web").health_checks().healthy);
    EXPECT_THAT(jobs.at("web").health_checks().words, HasSubstr("more than memory_above"));
}

TEST(Thresholds, ThatAreAskedForAreAnsweredWhenTheRunEnds) {
    Limited jobs;
    jobs.measured(10);
    const auto number = jobs.supervisor.check_health(jobs.at("web").id(), jobs.fakes.now);
    jobs.exit("web", 1);
    EXPECT_EQ(jobs.at("web").health_checks().over, number);
    EXPECT_FALSE(jobs.at("web").health_checks().healthy);
}

TEST(Thresholds, AreLookedAtAgainAfterAPause) {
    Limited jobs;
    const auto number = jobs.supervisor.check_health(jobs.at("web").id(), jobs.fakes.now);
    jobs.supervisor.pause(jobs.at("web").id(), "pause", jobs.fakes.now);
    EXPECT_EQ(jobs.at("web").health_checks().over, number);
    EXPECT_EQ(jobs.at("web").health_checks().words, "it was paused meanwhile");
    jobs.measured(500);
    jobs.calls();
    jobs.supervisor.resume(jobs.at("web").id(), "resume", jobs.fakes.now);
    EXPECT_THAT(jobs.calls(), ElementsAre("go on", "measure"));
    jobs.measured(10);
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Healthy);
}

TEST(Thresholds, ChangeLive) {
    Limited jobs;
    jobs.measured(10);
    jobs.calls();
    auto spec = jobs.at("web").spec();
    spec.health.memory_above = 5 * kMebi;
    spec.health.failures = 1;
    jobs.configure({spec});
    EXPECT_EQ(jobs.verdict(), HealthVerdict::Unknown);
    EXPECT_THAT(jobs.calls(), ElementsAre("measure"));
    jobs.measured(10);
    EXPECT_EQ(jobs.state("web"), State::Stopping);
}

TEST(Thresholds, AreNotLookedAtWhereThereAreNone) {
    Limited jobs([](JobSpec& spec) { spec.health = {}; });
    EXPECT_EQ(jobs.at("web").health(), nullptr);
    EXPECT_EQ(jobs.fakes.timer(TimerKind::HealthMeasure), nullptr);
    EXPECT_THAT(jobs.calls(), IsEmpty());
}

}  // namespace
}  // namespace procsup
