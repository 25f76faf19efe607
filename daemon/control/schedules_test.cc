#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// "backup", every hour, beside the service "web"; it is 2026-11-23 12:00 UTC.
class Schedules : public ::testing::Test {
protected:
    Schedules() {
        const Duration noon = 1795435200s;
        box.supervisor.clocks_set({noon - box.loop.now().time_since_epoch(), {}}, box.loop.now());
        configure(true);
    }
    void configure(bool enabled) {
        auto backup = job("backup");
        backup.type = JobType::Task;
        backup.enabled = enabled;
        backup.schedule.interval = 1h;
        box.configure({backup, job("web")});
    }

    ControlBox box;
    ControlClient client{box};
};

TEST_F(Schedules, AreToldWithTheirNextRun) {
    const auto told = client.call("Job.Schedules", "{}");
    EXPECT_EQ(told.count("schedules"), 1u);
    EXPECT_EQ(told["schedules.0.job"], "backup");
    EXPECT_EQ(told["schedules.0.schedule"], "every 1h");
    EXPECT_EQ(told["schedules.0.nextUSec"].substr(0, 10), "1795438800");
    EXPECT_EQ(client.call("Job.Schedules", R"({"names":["web"]})").count("schedules"), 0u);
}

TEST_F(Schedules, AreToldWithWhatHasBecomeOfTheLastRun) {
    box.supervisor.start(box.instance("backup").id(), "wanted", box.loop.now());
    box.executes("backup");
    EXPECT_EQ(client.call("Job.Schedules", "{}")["schedules.0.last.name"], "backup");
    box.ends("backup", ExitStatus::exited(3));
    const auto told = client.call("Job.Schedules", "{}");
    EXPECT_EQ(told["schedules.0.last.cause"], "exit 3");
    EXPECT_EQ(told["schedules.0.last.failed"], "true");
}

TEST_F(Schedules, AreExplained) {
    const auto why = client.call("Job.Why", R"({"name":"backup"})")["schedule"];
    EXPECT_EQ(why.find("every 1h; next run 2026-11-23 13:00 +00:00, in "), 0u) << why;
    box.supervisor.stop(std::vector{box.instance("backup").id()}, "stopped", box.loop.now());
    EXPECT_NE(client.call("Job.Why", R"({"name":"backup"})")["schedule"].find("not in force: it was stopped by order"),
              std::string::npos);
    EXPECT_EQ(client.call("Job.Schedules", "{}")["schedules.0.stopped"], "true");
}

TEST_F(Schedules, OfWhatIsNotEnabledAreNotInForce) {
    configure(false);
    EXPECT_EQ(client.call("Job.Schedules", "{}")["schedules.0.enabled"], "false");
    EXPECT_EQ(client.call("Job.Why", R"({"name":"backup"})")["schedule"], "every 1h; not in force: enabled = false");
}

}  // namespace
}  // namespace procsup
