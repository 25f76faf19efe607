#include "daemon/control/past_runs.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

struct PastRunsOfJobs : testing::Test {
    PastRunsOfJobs() {
        auto owned = job("mine");
        owned.owner = kStranger;
        box.configure({job("web", {"a", "b"}), job("db"), owned});
    }

    void start(const std::string& name) { box.supervisor.start(box.instance(name).id(), "wanted", box.loop.now()); }
    /// The newest record, by member.
    Answer record() {
        EXPECT_FALSE(box.records.empty());
        auto parsed = json::parse(box.records.empty() ? "{}" : box.records.back());
        EXPECT_TRUE(parsed) << box.records.back();
        return {"", false, parsed ? std::move(*parsed) : json::Value(), Fd()};
    }

    static Duration lasted(const Answer& run) {
        return Duration(std::stoll(run["endedUSec"]) - std::stoll(run["startedUSec"]));
    }

    ControlBox box;
    ControlClient client{box};
};

TEST_F(PastRunsOfJobs, ARecordHasAllThatIsKnownOfARun) {
    start("db");
    box.pass(1s);
    box.executes("db", 411);
    box.pass(5s);
    box.ends("db", ExitStatus::killed(SIGSEGV, true), {20ms, {2, 5ms}, {}, {1, 3ms}});
    const auto run = record();
    EXPECT_EQ(run["name"] + " " + run["job"] + " " + run["pid"], "db db 411");
    EXPECT_EQ(run["exitSignal"] + " " + run["coreDumped"] + " " + run["exitCode"], "SIGSEGV true null");
    EXPECT_EQ(lasted(run) / 1s, 5);
    EXPECT_EQ(run["cpuUSec"] + " " + run["orphans"] + " " + run["orphansCpuUSec"], "20000 2 5000");
    EXPECT_EQ(run["formerMains"] + " " + run["formerMainsCpuUSec"], "1 3000");
    EXPECT_EQ(run["startCause"], "wanted");
    EXPECT_EQ(run["endCause"], "killed by SIGSEGV (core dumped)");
    EXPECT_EQ(run["daemon"], "77");
    EXPECT_NE(run["sequence"], "null");
}

TEST_F(PastRunsOfJobs, ARecordOfATeardownIsAboutItsCommand) {
    auto spec = job("db");
    spec.type = JobType::Oneshot;
    spec.stop_command = {{"undo"}, "/bin/undo"};
    box.configure({spec});
    start("db");
    box.executes("db", 411);
    box.ends("db", ExitStatus::exited(3));
    EXPECT_EQ(record()["teardown"], "null");
    start("db");
    box.executes("db", 412);
    box.ends("db", ExitStatus::exited(0));
    box.supervisor.stop(box.instance("db").id(), "enough", box.loop.now());
    EXPECT_EQ(client.call("Job.History", R"({"names":["db"]})")["runs.0.state"], "null") << "its run is over";
    const auto command = box.instance("db").sides().front().incarnation;
    box.supervisor.spawned(command, 499, box.loop.now());
    box.pass(5s);
    box.supervisor.exited(command, ExitStatus::killed(SIGKILL), true, box.loop.now());
    const auto run = record();
    EXPECT_EQ(run["teardown"] + " " + run["pid"] + " " + run["exitSignal"], "true 499 SIGKILL");
    EXPECT_EQ(lasted(run) / 1s, 5);
    EXPECT_EQ(run["startCause"] + ", " + run["endCause"], "enough, stop_command failed: killed by SIGKILL");
}

TEST_F(PastRunsOfJobs, ARecordOfAFailedStartHasNoEnd) {
    start("db");
    box.pass(1s);
    box.cannot_start("db", SpawnStage::Exec, ENOENT);
    const auto run = record();
    EXPECT_EQ(run["pid"] + " " + run["exitCode"] + " " + run["exitSignal"] + " " + run["cpuUSec"],
              "null null null null");
    EXPECT_EQ(run["endCause"], "cannot exec /bin/db: No such file or directory");
    EXPECT_EQ(lasted(run) / 1s, 1) << "since the start was begun";
}

TEST_F(PastRunsOfJobs, ARecordIsBounded) {
    box.supervisor.start(box.instance("db").id(), std::string(1498, 'x') + "\xc3\xa9", box.loop.now());
    box.executes("db");
    box.ends("db", ExitStatus::exited(0));
    EXPECT_EQ(record()["startCause"], std::string(500, 'x') + "...");
}

TEST_F(PastRunsOfJobs, AreAnsweredWithTheRecordsThatMayNotBeInFilesAndTheRunsThatGoOn) {
    box.host.past.records = {R"({"name":"db","job":"db","startedUSec":1})"};
    box.host.past.directory = "/var/lib/procsupd/history";
    start("db");
    box.executes("db", 411);
    const auto answer = client.call("Job.History", R"({"names":["db"]})");
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(answer["runs.0.startedUSec"], "1");
    EXPECT_EQ(answer["runs.1.state"] + " " + answer["runs.1.pid"] + " " + answer["runs.1.startCause"],
              "running 411 wanted");
    EXPECT_EQ(answer["runs.1.endedUSec"], "null");
    EXPECT_EQ(answer.count("runs"), 2u);
    EXPECT_EQ(answer["directory"], "/var/lib/procsupd/history");
    eventfd_t value = 0;
    EXPECT_EQ(::eventfd_read(answer.fd.get(), &value), 0);
    EXPECT_EQ(value, 5u);
}

TEST_F(PastRunsOfJobs, OfAJobAreThoseOfAllInstancesItEverHad) {
    const auto whole = client.call("Job.History", R"({"names":["web"]})");
    EXPECT_EQ(whole["jobs.0.job"] + " " + whole["jobs.0.instances"], "web null");
    const auto one = client.call("Job.History", R"({"names":["web@b"]})");
    EXPECT_EQ(one["jobs.0.job"] + " " + one["jobs.0.instances"], R"(web ["web@b"])");
    EXPECT_EQ(box.host.past_runs_of, (Names{"web", "web"}));
}

TEST_F(PastRunsOfJobs, WithoutNamesAreThoseOfAllJobs) {
    const auto answer = client.call("Job.History", R"({})");
    EXPECT_EQ(answer.count("jobs"), 3u);
    EXPECT_EQ(box.host.past_runs_of, Names{"db mine web"});
}

TEST_F(PastRunsOfJobs, OfManyJobsComeInSeveralAnswers) {
    std::vector<JobSpec> jobs;
    for (int i = 0; i < 501; ++i) jobs.push_back(job("job" + std::to_string(i)));
    box.configure(jobs);
    const auto first = client.call("Job.History", R"({})");
    EXPECT_EQ(first.count("jobs"), 500u);
    EXPECT_EQ(first["next"], "500");
    const auto second = client.call("Job.History", R"({"from":500})");
    EXPECT_EQ(second.count("jobs"), 1u);
    EXPECT_EQ(second["next"], "null");
    EXPECT_EQ(client.call("Job.History", R"({"from":9223372036854775807})").error, "");
    EXPECT_EQ(client.call("Job.History", R"({"from":-1})").error, "org.varlink.service.InvalidParameter");
}

TEST_F(PastRunsOfJobs, OfATransientJobFilesAreNotOffered) {
    auto spec = job("web2");
    ASSERT_TRUE(box.supervisor.run_transient(spec, "run asked", box.loop.now()));
    const auto answer = client.call("Job.History", R"({"names":["web2"]})");
    EXPECT_EQ(answer["runs.0.name"], "web2");
    EXPECT_EQ(box.host.past_runs_of, Names{""}) << "they would be of an older job of that name";
}

TEST_F(PastRunsOfJobs, SayWhyNothingIsKept) {
    box.host.past.problem = "cannot open the directory /x: Permission denied";
    EXPECT_EQ(client.call("Job.History", R"({"names":["db"]})")["problem"], box.host.past.problem);
}

TEST_F(PastRunsOfJobs, AreForOwnersAndOperators) {
    if (!is_root()) GTEST_SKIP() << "only root can connect as another user";
    auto stranger = ControlClient::as_stranger(box);
    EXPECT_EQ(stranger.call("Job.History", R"({"names":["mine"]})").error, "");
    EXPECT_EQ(stranger.call("Job.History", R"({"names":["mine","db"]})").error, "io.procsupd.Job.PermissionDenied");
    EXPECT_EQ(stranger.call("Job.History", R"({})").error, "io.procsupd.Job.PermissionDenied");
    EXPECT_EQ(box.host.past_runs_of, Names{"mine"});
}

}  // namespace
}  // namespace procsup
