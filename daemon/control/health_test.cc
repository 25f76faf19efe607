#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Verdict = HealthVerdict;

JobSpec watched(const std::string& name) {
    auto spec = job(name);
    spec.health.look.kind = Readiness::Kind::Exec;
    spec.health.look.target = "look";
    spec.health.look.probe = {{"look"}, "/bin/look"};
    spec.health.restart_limit = {1, 10min};
    return spec;
}

struct HealthOfJobs : testing::Test {
    HealthOfJobs() {
        auto owned = watched("mine");
        owned.owner = kStranger;
        box.configure({watched("web"), job("plain"), owned});
    }
    void bring_up(const std::string& name) {
        box.supervisor.start(box.instance(name).id(), "start", box.loop.now());
        box.executes(name);
        box.pass(1min);
    }
    void report(const std::string& words, Verdict verdict, const std::string& said = {}) {
        box.supervisor.health_reported(box.engine.last_beside, verdict, words, said, box.loop.now());
        box.turn();
    }
    void look_ends(ExitStatus status) {
        box.supervisor.exited(box.engine.last_beside, status, true, box.loop.now());
        box.turn();
    }
    Answer status(const std::string& name) { return client.call("Manager.Status", R"({"names":[")" + name + R"("]})"); }

    ControlBox box;
    ControlClient client{box};
};

TEST_F(HealthOfJobs, IsInTheirStatus) {
    EXPECT_EQ(status("web")["instances.0.health"], "null") << "it does not run";
    bring_up("web");
    EXPECT_EQ(status("web")["instances.0.health"], "unknown");
    report("", Verdict::Healthy);
    EXPECT_EQ(status("web")["instances.0.health"], "healthy");
    EXPECT_NE(status("web")["instances.0.healthSinceUSec"], "null");
    EXPECT_EQ(client.call("Manager.Metrics", R"({"names":["web"]})")["families.12.name"], "procsupd_job_healthy");
    report("'look' ended with exit code 1", Verdict::Healthy, "disk full");
    EXPECT_EQ(status("web")["instances.0.healthProblem"], "'look' ended with exit code 1: disk full");
    bring_up("plain");
    EXPECT_EQ(status("plain")["instances.0.health"], "null");
}

TEST_F(HealthOfJobs, IsToldWithoutOutputToWhoMaySeeStates) {
    if (!is_root()) GTEST_SKIP() << "needs root, to be another user";
    bring_up("web");
    report("'look' ended with exit code 1", Verdict::Unknown, "secret");
    auto stranger = ControlClient::as_stranger(box);
    EXPECT_EQ(stranger.call("Manager.Status", R"({"names":["web"]})")["instances.0.healthProblem"],
              "'look' ended with exit code 1");
    EXPECT_EQ(stranger.call("Job.CheckHealth", R"({"names":["web"]})").error, "io.procsupd.Job.PermissionDenied");
}

TEST_F(HealthOfJobs, IsLookedAtOnceMoreWhenSomebodyAsks) {
    bring_up("web");
    client.send("Job.CheckHealth", R"({"names":["web"]})");
    EXPECT_TRUE(client.take().empty());
    report("'look' ended with exit code 1", Verdict::Unhealthy, "disk full");
    look_ends(ExitStatus::exited(1));
    const auto bad = client.take_one();
    EXPECT_EQ(bad["outcomes.0.ok"], "false");
    EXPECT_EQ(bad["outcomes.0.cause"], "unhealthy: 'look' ended with exit code 1: disk full");
    EXPECT_EQ(bad["outcomes.0.state"], "running");
    client.send("Job.CheckHealth", R"({"names":["web"]})");
    look_ends(ExitStatus::exited(0));
    const auto good = client.take_one();
    EXPECT_EQ(good["outcomes.0.ok"] + " " + good["outcomes.0.cause"], "true healthy: exec look");
}

TEST_F(HealthOfJobs, CannotBeLookedAtWhereThereIsNothingToLookAt) {
    const auto stopped = client.call("Job.CheckHealth", R"({"names":["web"]})");
    EXPECT_EQ(stopped["outcomes.0.refused"], "true");
    EXPECT_EQ(stopped["outcomes.0.cause"], "only the health of what is ready can be looked at");
    bring_up("plain");
    EXPECT_EQ(client.call("Job.CheckHealth", R"({"names":["plain"]})")["outcomes.0.cause"],
              "it has no [health] that says where to look");
}

TEST_F(HealthOfJobs, OfARunThatEndsMeanwhileIsAnsweredToo) {
    bring_up("web");
    client.send("Job.CheckHealth", R"({"names":["web"]})");
    const auto look = box.engine.last_beside;
    box.supervisor.stop(box.instance("web").id(), "stop", box.loop.now());
    box.supervisor.exited(look, ExitStatus::killed(9), true, box.loop.now());
    box.turn();
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "false");
}

TEST_F(HealthOfJobs, ThatIsBadComesWithAdvice) {
    auto spec = watched("told");
    spec.health.action = Health::Action::None;
    box.configure({spec});
    bring_up("told");
    report("no", Verdict::Unhealthy);
    const auto why = client.call("Job.Why", R"({"name":"told"})");
    EXPECT_EQ(why["cause"], "start; unhealthy: no");
    EXPECT_EQ(why["advice.0"], "procsupctl check-health told");
}

TEST_F(HealthOfJobs, CanBeWaitedFor) {
    bring_up("web");
    client.send("Job.Wait", R"({"names":["web"],"for":"healthy"})");
    EXPECT_TRUE(client.take().empty());
    report("no", Verdict::Unknown);
    EXPECT_TRUE(client.take().empty());
    report("", Verdict::Healthy);
    EXPECT_EQ(client.take_one()["outcomes.0.ok"], "true");
    const auto refused = client.call("Job.Wait", R"({"names":["plain"],"for":"healthy"})");
    EXPECT_EQ(refused["outcomes.0.refused"], "true");
}

}  // namespace
}  // namespace procsup
