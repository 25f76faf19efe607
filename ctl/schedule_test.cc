#include <gtest/gtest.h>

#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kMethod = "io.procsupd.Job.Schedules";

TEST(ScheduleVerb, HasALineForEachTask) {
    FakeDaemon daemon(kMethod, R"json({"schedules":[
        {"job":"backup","schedule":"0 2 * * * (UTC)","enabled":true,"told":"the run of \u001b is left out"},
        {"job":"clean","schedule":"every 1h","enabled":false,
         "last":{"name":"clean","startedUSec":1795438800000000,"endedUSec":1795438802500000,"cause":"exit 3","failed":true}},
        {"job":"mail","schedule":"every 5min","enabled":true,"stopped":true,"nextUSec":1,"dueUSec":1,
         "last":{"name":"mail","startedUSec":1795438800000000}}]})json");
    const auto printed = run_procsupctl(daemon, {"schedule"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out,
              "TASK    SCHEDULE         NEXT RUN     IN  LAST RUN             RESULT\n"
              "backup  0 2 * * * (UTC)  never        -   -                    -\n"
              "clean   every 1h         not enabled  -   2026-11-23 13:00:00  exit 3 after 2.5s\n"
              "mail    every 5min       stopped      -   2026-11-23 13:00:00  running\n"
              "\n"
              "backup: the run of \\x1b is left out\n"
              "mail: it was stopped by order; procsupctl start mail runs it and lets its schedule go on, "
              "procsupctl reset only does that\n");
}

TEST(ScheduleVerb, SaysThatThereIsNone) {
    FakeDaemon daemon(kMethod, R"({"schedules":[]})");
    EXPECT_EQ(run_procsupctl(daemon, {"schedule"}).out, "there are no schedules\n");
    EXPECT_EQ(run_procsupctl(daemon, {"schedule", "web"}).out, "no schedule there\n");
}

}  // namespace
}  // namespace procsup::ctl
