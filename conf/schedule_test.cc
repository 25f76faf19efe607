#include "conf/schedule.h"

#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

constexpr const char* kTask = "command = \"/usr/bin/backup\"\ntype = \"task\"\n[schedule]\n";

auto read(const std::string& text) { return read_configuration_text(text, "web.toml", FakeSurroundings()); }

std::vector<std::string> faults(const std::string& text) {
    const auto result = read(text);
    std::vector<std::string> all;
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        for (const auto& problem : *problems) all.push_back(to_text(problem));
    }
    return all;
}

JobSpec only_job(const std::string& text) {
    const auto result = read(text);
    const auto* configuration = std::get_if<Configuration>(&result);
    if (configuration != nullptr) return configuration->jobs.front();
    ADD_FAILURE() << text << faults(text).front();
    return {};
}

JobSpec task_with(const std::string& lines) { return only_job(kTask + lines); }

TEST(Schedule, ACronExpressionAndWhatItMeans) {
    const auto job = task_with("cron = \"30 2 * * mon\"\ntimezone = \"Europe/Berlin\"\njitter = \"1min\"\n");
    EXPECT_EQ(job.type, JobType::Task);
    EXPECT_EQ(job.schedule.moments.hours, 1u << 2);
    ASSERT_NE(job.schedule.zone, nullptr);
    EXPECT_EQ(job.schedule.zone->name(), "Europe/Berlin");
    EXPECT_EQ(job.schedule.jitter, std::chrono::minutes(1));
    EXPECT_EQ(to_text(job.schedule), "30 2 * * mon (Europe/Berlin)");
    EXPECT_FALSE(job.starts_at_once());
}

TEST(Schedule, AnIntervalNeedsNoClock) {
    const auto job = task_with("interval = \"15min\"\noverlap = \"queue\"\nmissed = \"skip\"\n");
    EXPECT_EQ(job.schedule.zone, nullptr);
    EXPECT_EQ(job.schedule.interval, std::chrono::minutes(15));
    EXPECT_EQ(job.schedule.overlap, Schedule::Overlap::Queue);
    EXPECT_EQ(job.schedule.missed, Schedule::Missed::Skip);
    EXPECT_EQ(to_text(job.schedule), "every 15min");
}

TEST(Schedule, ATaskIsNotRestartedUnlessItSaysSo) {
    EXPECT_EQ(task_with("cron = \"@daily\"\n").restart.when, Restart::No);
    EXPECT_EQ(only_job("restart = \"on-failure\"\n" + (kTask + std::string("cron = \"@daily\"\n"))).restart.when,
              Restart::OnFailure);
}

TEST(Schedule, WhatCannotBeIsRefusedAtItsPlace) {
    const auto one = [](const std::string& lines) {
        const auto found = faults(kTask + lines);
        return found.size() == 1 ? found.front() : "problems: " + std::to_string(found.size());
    };
    EXPECT_EQ(one("cron = \"61 * * * *\"\n").substr(0, 9), "web.toml:");
    EXPECT_NE(one("cron = \"61 * * * *\"\n").find("'schedule.cron': "), std::string::npos);
    EXPECT_NE(one("cron = \"@daily\"\ninterval = \"1h\"\n").find("excludes 'schedule.cron'"), std::string::npos);
    EXPECT_NE(one("interval = \"10ms\"\n").find("must be at least 1s"), std::string::npos);
    EXPECT_NE(one("interval = \"1min\"\njitter = \"1min\"\n").find("must be shorter"), std::string::npos);
    EXPECT_NE(one("interval = \"1min\"\ntimezone = \"UTC\"\n").find("never takes effect"), std::string::npos);
    EXPECT_NE(one("cron = \"@daily\"\ntimezone = \"Europe/nowhere\"\n").find("unknown time zone"), std::string::npos);
    EXPECT_NE(one("overlap = \"queue\"\n").find("neither 'cron' nor 'interval'"), std::string::npos);
    EXPECT_NE(one("cron = \"@daily\"\noverlap = \"wait\"\n").find("overlap"), std::string::npos);
}

TEST(Schedule, OnlyATaskHasOne) {
    const auto found = faults("command = \"/usr/bin/web\"\n[schedule]\ncron = \"@daily\"\n");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NE(found[0].find("a service has no schedule: write type = \"task\""), std::string::npos) << found[0];
}

TEST(Schedule, WhatIsForServicesIsRefusedOfATask) {
    for (const auto* line : {"watchdog = \"1s\"\n", "max_lifetime = \"1h\"\n", "restart = \"always\"\n"}) {
        const auto found = faults(line + (kTask + std::string("cron = \"@daily\"\n")));
        ASSERT_EQ(found.size(), 1u) << line;
        EXPECT_NE(found[0].find("a task"), std::string::npos) << found[0];
    }
}

TEST(Schedule, ItsTextReadsBackAsTheSame) {
    for (const auto* lines : {"cron = \"*/5 1-3 * * *\"\ntimezone = \"UTC\"\noverlap = \"replace\"\n",
                              "interval = \"90s\"\nmissed = \"skip\"\njitter = \"5s\"\n", "cron = \"@weekly\"\n"}) {
        const auto job = task_with(lines);
        EXPECT_EQ(only_job(to_toml(job)).schedule, job.schedule) << to_toml(job);
    }
}

TEST(Schedule, AMomentIsShownAsClocksShowIt) {
    const auto job = task_with("cron = \"@daily\"\ntimezone = \"Europe/Berlin\"\n");
    const std::chrono::sys_seconds moment(std::chrono::seconds(1795480200));
    EXPECT_EQ(moment_text(job.schedule, moment), "2026-11-24 02:30 +02:00");
    EXPECT_EQ(moment_text({}, moment + std::chrono::seconds(5)), "2026-11-24 00:30:05 +00:00");
}

TEST(ScheduleMemory, ReadsBackAsItWasWritten) {
    const ScheduleMemory memory{1795438800, 1795438800000001, 1795438802500000, true, "exit 3; after all"};
    const auto again = schedule_memory_of(to_state(memory));
    EXPECT_EQ(again.dealt, memory.dealt);
    EXPECT_EQ(again.started_usec, memory.started_usec);
    EXPECT_EQ(again.ended_usec, memory.ended_usec);
    EXPECT_TRUE(again.failed);
    EXPECT_EQ(again.cause, memory.cause);
    EXPECT_EQ(schedule_memory_of(to_state({1795438800})).dealt, 1795438800);
}

TEST(ScheduleMemory, IsNothingWhereTheTextIsNone) {
    for (const auto* text : {"", "x", "-5\n", "99999999999999999999\n", "221845392001\n", "\n\n"})
        EXPECT_EQ(schedule_memory_of(text).dealt, 0) << text;
    for (const auto* text : {"5\n", "5\n7", "5\n7 6 ok x\n", "5\n6 7 well x\n", "5\n6\n7", "5\n-6 -7 ok\n"}) {
        EXPECT_EQ(schedule_memory_of(text).dealt, 5) << text;
        EXPECT_EQ(schedule_memory_of(text).started_usec, 0) << text;
    }
    EXPECT_EQ(schedule_memory_of("5\n6 7 ok\n").ended_usec, 7);
}

}  // namespace
}  // namespace procsup
