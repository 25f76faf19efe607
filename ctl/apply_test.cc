#include <gmock/gmock.h>

#include "ctl/exit_code.h"
#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

using testing::HasSubstr;

constexpr const char* kChanges =
    R"({"changes":[{"job":"api","action":"live","keys":["stop_timeout"]},)"
    R"({"job":"cron","action":"later","keys":["command"]},)"
    R"({"job":"db","action":"restart","keys":["command","env.PORT"],"started":["db@2"],"with":["web","api"]},)"
    R"({"job":"new","action":"start","keys":[]},{"job":"off","action":"add","keys":[]},)"
    R"({"job":"old","action":"stop","keys":[]}],"unchanged":7,"configSinceUSec":0})";

constexpr const char* kShown =
    "live     api   stop_timeout\n"
    "later    cron  command; from its next start on\n"
    "restart  db    command, env.PORT; starts db@2; with web, api\n"
    "start    new   new\n"
    "add      off   new, and not enabled\n"
    "stop     old   no longer configured\n"
    "unchanged: 7\n";

TEST(Apply, SaysOfEachJobWhatBecomesOfItAndWhy) {
    FakeDaemon daemon("io.procsupd.Manager.Apply", kChanges);
    const auto printed = run_procsupctl(daemon, {"apply"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, kShown);
    EXPECT_EQ(daemon.only_call(), "io.procsupd.Manager.Apply {}");
}

TEST(Apply, SaysTheSameInADryRun) {
    FakeDaemon daemon("io.procsupd.Manager.Plan", kChanges);
    const auto printed = run_procsupctl(daemon, {"apply", "--dry-run", "--no-restart"});
    EXPECT_EQ(printed.out, std::string(kShown) + "nothing was changed: it is a dry run\n");
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Manager.Plan {"restart":false})");
}

TEST(Apply, SaysThatNothingHasChanged) {
    FakeDaemon daemon("io.procsupd.Manager.Apply", R"({"changes":[],"unchanged":7})");
    EXPECT_EQ(run_procsupctl(daemon, {"apply"}).out, "nothing has changed\n");
    EXPECT_EQ(run_procsupctl(daemon, {"apply", "--quiet"}).out, "");
}

TEST(Apply, PrintsTheAnswerAsJson) {
    FakeDaemon daemon("io.procsupd.Manager.Apply", kChanges);
    EXPECT_THAT(run_procsupctl(daemon, {"apply", "--json"}).out, HasSubstr(R"("action":"restart")"));
}

TEST(Rollback, SaysWhatIsInForceAndThatTheFilesAreNot) {
    FakeDaemon daemon("io.procsupd.Manager.Rollback",
                      R"({"changes":[{"job":"web","action":"live","keys":["tags"]}],"unchanged":0,)"
                      R"("configSinceUSec":1772532662000000})");
    const auto printed = run_procsupctl(daemon, {"rollback"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_THAT(printed.out, HasSubstr("live  web  tags\n"));
    EXPECT_THAT(printed.out, HasSubstr("in force: the configuration of Tue 2026-03-03 "));
    EXPECT_THAT(printed.out, HasSubstr("the files are newer: `procsupctl apply` takes them"));
}

TEST(Rollback, PlansItInADryRun) {
    FakeDaemon daemon("io.procsupd.Manager.Plan", kChanges);
    run_procsupctl(daemon, {"rollback", "--dry-run"});
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Manager.Plan {"rollback":true})");
}

TEST(Rollback, FailsWithoutAnythingToGoBackTo) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{
            varlink::error_message("io.procsupd.Manager.NothingToGoBackTo", R"({"message":"there is none"})")};
    });
    const auto printed = run_procsupctl(daemon, {"rollback"});
    EXPECT_EQ(printed.code, kFailed);
    EXPECT_EQ(printed.err, "error: there is none\n");
}

}  // namespace
}  // namespace procsup::ctl
