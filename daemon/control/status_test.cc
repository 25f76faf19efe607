#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using Kind = JobChange::Kind;

using namespace std::chrono_literals;

std::string text_of(const std::string& interface) {
    std::ifstream file(PROCSUP_VARLINK_FILES "/" + interface + ".varlink");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string wall_usec(const ControlBox& box, TimePoint when) {
    return std::to_string(box.host.wall_time(when).time_since_epoch().count());
}

struct Manager : testing::Test {
    ControlBox box{{job("db"), job("web", {"a", "b"})}};
    ControlClient client{box};
};

TEST_F(Manager, AnswersPing) { EXPECT_EQ(client.call("Manager.Ping", "").error, ""); }

TEST_F(Manager, StatusTellsOfTheDaemon) {
    box.host.known.config_problems = {"x.toml:1:1: error: bad"};
    box.host.known.orphans = {5, std::chrono::milliseconds(30)};
    box.host.known.orphans_unattributed = 2;
    box.host.known.log_lines_dropped = 6;
    box.host.known.longest_callback = 7us;
    box.loop.put_forward(1h);
    const auto status = client.call("Manager.Status", "");
    EXPECT_EQ(status.error, "");
    EXPECT_EQ(status["daemon.version"], "1.2.3");
    EXPECT_EQ(status["daemon.pid"], "4242");
    EXPECT_EQ(status["daemon.runtimeDir"], "/run/test");
    EXPECT_EQ(status["daemon.config"], "/etc/test.toml");
    EXPECT_EQ(status["daemon.state"], "running");
    EXPECT_EQ(status["daemon.sinceUSec"], wall_usec(box, box.host.known.started));
    EXPECT_GE(std::stoll(status["daemon.uptimeUSec"]), 3600'000'000);
    EXPECT_EQ(status["daemon.configProblems.0"], "x.toml:1:1: error: bad");
    EXPECT_EQ(status["daemon.clients"], "1");
    EXPECT_EQ(status["daemon.clientsRefused"], "0");
    EXPECT_EQ(status["daemon.orphansReaped"], "5");
    EXPECT_EQ(status["daemon.orphansUnattributed"], "2");
    EXPECT_EQ(status["daemon.orphansCpuUSec"], "30000");
    EXPECT_EQ(status["daemon.logLinesDropped"], "6");
    EXPECT_EQ(status["daemon.loopLagMaxUSec"], "7");
}

TEST_F(Manager, StatusCountsJobsAndStates) {
    for (const auto* name : {"web@a", "web@b", "db"}) box.supervisor.start(box.instance(name).id(), "", box.loop.now());
    box.executes("web@a");
    box.executes("web@b");
    for (int i = 0; i < 11; ++i) {
        if (box.instance("db").state() == State::Backoff) box.timer_fires("db", TimerKind::Backoff);
        box.executes("db");
        box.ends("db", ExitStatus::exited(1));
    }
    const auto status = client.call("Manager.Status", "");
    EXPECT_EQ(status["daemon.jobs"], "2");
    EXPECT_EQ(status["daemon.instances"], "3");
    EXPECT_EQ(status["daemon.running"], "2");
    EXPECT_EQ(status["daemon.failed"], "1");
}

TEST_F(Manager, StatusTellsOfEachInstance) {
    auto spec = job("full");
    spec.description = "all there is";
    spec.owner = 1234;
    spec.tags = {"t1", "t2"};
    box.configure({spec});
    box.supervisor.start(box.instance("full").id(), "by hand", box.loop.now());
    box.executes("full", 555);
    const auto status = client.call("Manager.Status", R"({"names":["full"]})");
    ASSERT_EQ(status.count("instances"), 1u);
    EXPECT_EQ(status["instances.0.name"], "full");
    EXPECT_EQ(status["instances.0.job"], "full");
    EXPECT_EQ(status["instances.0.state"], "running");
    EXPECT_EQ(status["instances.0.ready"], "true");
    EXPECT_EQ(status["instances.0.pid"], "555");
    EXPECT_EQ(status["instances.0.restarts"], "0");
    EXPECT_EQ(status["instances.0.sinceUSec"], wall_usec(box, box.instance("full").since()));
    EXPECT_EQ(status["instances.0.exitCode"], "null");
    EXPECT_EQ(status["instances.0.exitSignal"], "null");
    EXPECT_EQ(status["instances.0.cause"], "by hand");
    EXPECT_EQ(status["instances.0.nextStartUSec"], "null");
    EXPECT_EQ(status["instances.0.description"], "all there is");
    EXPECT_EQ(status["instances.0.owner"], "1234");
    EXPECT_EQ(status["instances.0.tags"], R"(["t1","t2"])");
}

TEST_F(Manager, StatusKeepsTheStartOfARunThatIsPaused) {
    const auto id = box.instance("db").id();
    box.supervisor.start(id, "by hand", box.loop.now());
    box.executes("db");
    const auto status = [&] { return client.call("Manager.Status", R"({"names":["db"]})"); };
    EXPECT_EQ(status()["instances.0.stateSinceUSec"] + status()["instances.0.startCause"], "nullnull");
    box.pass(std::chrono::seconds(5));
    const auto paused = box.loop.now();
    box.supervisor.pause(id, "pause asked", paused);
    EXPECT_EQ(status()["instances.0.sinceUSec"], wall_usec(box, box.instance("db").began()));
    EXPECT_EQ(status()["instances.0.stateSinceUSec"], wall_usec(box, paused));
    EXPECT_EQ(status()["instances.0.cause"] + ", " + status()["instances.0.startCause"], "pause asked, by hand");
    box.pass(std::chrono::seconds(5));
    const auto why = client.call("Job.Why", R"({"name":"db"})");
    EXPECT_EQ(why["cause"], "pause asked (its start: by hand); paused for 5s");
}

TEST_F(Manager, StatusTellsOfTheRunThatHasEnded) {
    box.supervisor.start(box.instance("db").id(), "", box.loop.now());
    box.executes("db", 555);
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["db"]})")["instances.0.lastRun"], "null");
    box.ends("db", ExitStatus::exited(3), {20ms, {2, 5ms}});
    const auto status = client.call("Manager.Status", R"({"names":["db"]})");
    EXPECT_EQ(status["instances.0.lastRun.pid"], "555");
    EXPECT_EQ(status["instances.0.lastRun.endedUSec"], wall_usec(box, box.instance("db").since()));
    EXPECT_EQ(status["instances.0.lastRun.exitCode"], "3");
    EXPECT_EQ(status["instances.0.lastRun.cpuUSec"], "20000");
    EXPECT_EQ(status["instances.0.lastRun.orphans"], "2");
    EXPECT_EQ(status["instances.0.lastRun.orphansCpuUSec"], "5000");
}

TEST_F(Manager, StatusTellsWhetherARunWasKilledForWantOfMemory) {
    box.supervisor.start(box.instance("db").id(), "", box.loop.now());
    box.executes("db");
    Account account;
    account.oom = {1, true};
    box.ends("db", ExitStatus::killed(SIGKILL), account);
    const auto status = client.call("Manager.Status", R"({"names":["db"]})");
    EXPECT_EQ(status["instances.0.lastRun.oomKilled"], "true");
}

TEST_F(Manager, StatusTellsWhatIsUsedWhenItIsAsked) {
    box.supervisor.start(box.instance("db").id(), "", box.loop.now());
    box.executes("db");
    box.host.used = {20ms, 4096, std::nullopt, 3};
    for (const auto* parameters : {R"({"usage":true})", R"({"names":["db"],"usage":true})"}) {
        const auto status = client.call("Manager.Status", parameters);
        EXPECT_EQ(status["instances.0.cpuUSec"], "20000");
        EXPECT_EQ(status["instances.0.memory"], "4096");
        EXPECT_EQ(status["instances.0.memoryPeak"], "null");
        EXPECT_EQ(status["instances.0.tasks"], "3");
        EXPECT_EQ(status["instances.1.cpuUSec"], "null") << "it has no processes";
    }
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["db"]})")["instances.0.cpuUSec"], "null");
    EXPECT_EQ(box.host.patience, std::vector<Duration>({1s, 1s}));
}

TEST_F(Manager, StatusTellsAllElseWhenItIsNotKnownWhatIsUsed) {
    box.host.unmeasured = Error{"no helper"};
    EXPECT_EQ(client.call("Manager.Status", R"({"usage":true})").count("instances"), 3u);
}

TEST_F(Manager, StatusOfMoreThanPeopleLookAtDoesNotMeasure) {
    std::vector<std::string> names;
    for (int i = 0; i < 101; ++i) names.push_back(std::to_string(i));
    box.configure({job("web", names), job("db")});
    EXPECT_EQ(client.call("Manager.Status", R"({"usage":true})").count("instances"), 102u);
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["db"],"usage":true})").count("instances"), 1u);
    EXPECT_EQ(box.host.patience.size(), 1u);
}

TEST_F(Manager, StatusOfAReaderTellsWhatIsKnownAtOnce) {
    if (!is_root()) GTEST_SKIP() << "only root is also somebody else";
    auto stranger = ControlClient::as_stranger(box);
    EXPECT_EQ(stranger.call("Manager.Status", R"({"usage":true})").error, "");
    EXPECT_EQ(box.host.patience, std::vector<Duration>({0s}));
}

TEST_F(Manager, StatusTellsWhenTheNextStartIsDue) {
    box.supervisor.start(box.instance("db").id(), "", box.loop.now());
    for (int i = 0; i < 2; ++i) {
        box.executes("db");
        box.ends("db", ExitStatus::killed(SIGSEGV));
    }
    const auto status = client.call("Manager.Status", R"({"names":["db"]})");
    EXPECT_EQ(status["instances.0.state"], "backoff");
    EXPECT_EQ(status["instances.0.ready"], "false");
    EXPECT_EQ(status["instances.0.pid"], "null");
    EXPECT_EQ(status["instances.0.restarts"], "1");
    EXPECT_EQ(status["instances.0.exitCode"], "null");
    EXPECT_EQ(status["instances.0.exitSignal"], "SIGSEGV");
    EXPECT_EQ(status["instances.0.nextStartUSec"], wall_usec(box, box.instance("db").next_start()));
}

TEST_F(Manager, StatusNamesAllInstancesUnlessSomeAreAskedFor) {
    EXPECT_EQ(client.call("Manager.Status", "").count("instances"), 3u);
    EXPECT_EQ(client.call("Manager.Status", R"({"names":[]})").count("instances"), 3u);
    EXPECT_EQ(client.call("Manager.Status", R"({"names":null})").count("instances"), 3u);
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["web"]})").count("instances"), 2u);
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["web@b"]})")["instances.0.name"], "web@b");
    const auto pattern = client.call("Manager.Status", R"({"names":["*@b","d?"]})");
    EXPECT_EQ(pattern["instances.0.name"] + " " + pattern["instances.1.name"], "web@b db");
}

TEST_F(Manager, StatusCountsClientsAndThoseRefused) {
    DaemonSpec spec;
    spec.max_clients = 1;
    ControlBox small({}, spec);
    std::vector<std::unique_ptr<ControlClient>> clients;
    // Root has some places beyond the limit.
    for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<ControlClient>(small));
    const auto status = clients.front()->call("Manager.Status", "");
    EXPECT_EQ(std::stoi(status["daemon.clients"]) + std::stoi(status["daemon.clientsRefused"]), 20);
    EXPECT_GT(std::stoi(status["daemon.clientsRefused"]), 0);
}

TEST_F(Manager, ReloadAnswersWithTheChange) {
    client.send("Manager.Reload", "");
    ASSERT_EQ(box.host.changes.size(), 1u);
    EXPECT_TRUE(client.take().empty());
    EXPECT_EQ(box.host.orders[0].to, ChangeOrder::To::Files);
    EXPECT_FALSE(box.host.orders[0].only_plan);
    box.host.changes[0](ConfigurationChange{{{"gone", Kind::Stop}, {"new", Kind::Start}, {"other", Kind::Live}}});
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(answer["added"] + answer["changed"] + answer["removed"], R"(["new"]["other"]["gone"])");
}

TEST_F(Manager, ApplyAnswersWithWhatBecomesOfEachJob) {
    client.send("Manager.Apply", R"({"restart":false})");
    ASSERT_EQ(box.host.orders.size(), 1u);
    EXPECT_EQ(box.host.orders[0].restarts, Restarts::Later);
    JobChange web{"web", Kind::Restart, {"command", "env.PORT"}};
    web.started = {"web@2"};
    web.with = {"api"};
    web.pulled = {"db"};
    web.withdrawn = {"umask"};
    box.host.changes[0](ConfigurationChange{{std::move(web), {"db", Kind::Later, {"umask"}}}, 17});
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "");
    EXPECT_EQ(answer["changes.0"],
              R"({"job":"web","action":"restart","keys":["command","env.PORT"],"started":["web@2"],)"
              R"("with":["api"],"pulled":["db"],"withdrawn":["umask"]})");
    EXPECT_EQ(answer["changes.1"], R"({"job":"db","action":"later","keys":["umask"]})");
    EXPECT_EQ(answer["unchanged"], "17");
}

TEST_F(Manager, PlanIsOfApplyOrOfRollbackAndChangesNothing) {
    client.send("Manager.Plan", "");
    client.send("Manager.Plan", R"({"rollback":true})");
    ASSERT_EQ(box.host.orders.size(), 1u) << "a connection's calls are answered one after the other";
    box.host.changes[0](ConfigurationChange{});
    EXPECT_EQ(client.take_one()["changes"], "[]");
    ASSERT_EQ(box.host.orders.size(), 2u);
    EXPECT_TRUE(box.host.orders[0].only_plan && box.host.orders[1].only_plan);
    EXPECT_EQ(box.host.orders[0].to, ChangeOrder::To::Files);
    EXPECT_EQ(box.host.orders[1].to, ChangeOrder::To::Before);
}

TEST_F(Manager, RollbackAnswersWithTheTimeOfWhatIsInForce) {
    client.send("Manager.Rollback", "");
    ASSERT_EQ(box.host.orders.size(), 1u);
    EXPECT_EQ(box.host.orders[0].to, ChangeOrder::To::Before);
    box.host.known.config_since = TimePoint(std::chrono::seconds(5));
    box.host.known.rolled_back = true;
    box.host.changes[0](ConfigurationChange{});
    EXPECT_EQ(client.take_one()["configSinceUSec"], "1000005000000");
    const auto status = client.call("Manager.Status", "");
    EXPECT_EQ(status["daemon.rolledBack"] + status["daemon.configSinceUSec"], "true1000005000000");
}

TEST_F(Manager, RollbackToNothingIsAnError) {
    client.send("Manager.Rollback", "");
    ASSERT_EQ(box.host.changes.size(), 1u);
    box.host.changes[0](NothingBefore{});
    EXPECT_EQ(client.take_one().error, "io.procsupd.Manager.NothingToGoBackTo");
}

TEST_F(Manager, ReloadAnswersWithAllProblems) {
    client.send("Manager.Reload", "");
    ASSERT_EQ(box.host.changes.size(), 1u);
    box.host.changes[0](std::vector<std::string>{"first", "second"});
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "io.procsupd.Manager.BadConfiguration");
    EXPECT_EQ(answer["problems"], R"(["first","second"])");
    EXPECT_NE(answer["message"], "null");
}

TEST_F(Manager, ReloadThatEndsAfterItsCallerOrTheBoxIsNobodys) {
    client.send("Manager.Reload", "");
    ControlClient other(box);
    other.send("Manager.Reload", "");
    ASSERT_EQ(box.host.changes.size(), 2u);
    client.leave();
    box.host.changes[0](ConfigurationChange{});
    box.control.reset();
    box.host.changes[1](ConfigurationChange{});
    EXPECT_TRUE(other.take().empty());
}

TEST_F(Manager, ShutdownAnswersWhenItHasBegun) {
    EXPECT_EQ(client.call("Manager.Shutdown", "").error, "");
    ASSERT_EQ(box.host.shutdowns.size(), 1u);
    EXPECT_EQ(box.host.shutdowns[0],
              "shutdown asked by uid " + std::to_string(geteuid()) + " (pid " + std::to_string(getpid()) + ")");
    box.supervisor.shut_down("shutdown", box.loop.now());
    EXPECT_EQ(client.call("Manager.Status", "")["daemon.state"], "stopping");
}

TEST_F(Manager, WhoIsTellsTheInstanceOfAProcess) {
    box.host.owners[700] = {box.instance("web@a").id(), true};
    box.host.owners[701] = {box.instance("web@a").id(), false};
    const auto main = client.call("Manager.WhoIs", R"({"pid":700})");
    EXPECT_EQ(main["instance"] + " " + main["job"] + " " + main["main"], "web@a web true");
    const auto child = client.call("Manager.WhoIs", R"({"pid":701})");
    EXPECT_EQ(child["instance"] + " " + child["main"], "web@a false");
    const auto nobody = client.call("Manager.WhoIs", R"({"pid":702})");
    EXPECT_EQ(nobody["instance"] + " " + nobody["job"] + " " + nobody["main"], "null null false");
}

TEST_F(Manager, StatusTellsWhatIsNotEnforced) {
    auto spec = job("db");
    spec.nice = -5;
    box.configure({spec, job("web", {"a", "b"})});
    box.host.able.least_nice = 0;
    box.host.able.capabilities = 0;
    const auto status = client.call("Manager.Status", R"({"names":["db","web"]})");
    EXPECT_EQ(status["instances.0.notEnforced.0.key"], "limits.nice");
    EXPECT_EQ(status["instances.0.notEnforced.0.value"], "-5");
    EXPECT_EQ(status["instances.0.notEnforced.0.reason"], "less than 0 is not permitted: procsupd lacks CAP_SYS_NICE");
    EXPECT_EQ(status.count("instances.0.notEnforced"), 1u);
    EXPECT_EQ(status["instances.1.notEnforced"], "null");
}

TEST_F(Manager, GetAbilitiesTellsWhatCanBeEnforced) {
    box.host.able.least_nice = -3;
    box.host.able.cpus = {0, 1, 2, 5};
    const auto answer = client.call("Manager.GetAbilities", "");
    EXPECT_EQ(*read_abilities(*answer.parameters.find("abilities")), box.host.able);
    EXPECT_EQ(answer["abilities.cpus"], "0-2,5");
}

TEST_F(Manager, DescribesItselfWithTheFilesInTheTree) {
    for (const auto* interface : {"io.procsupd.Manager", "io.procsupd.Job", "io.procsupd.Log"}) {
        const auto text = text_of(interface);
        ASSERT_FALSE(text.empty()) << interface;
        const auto parameters = json::Writer().begin_object().member("interface", interface).end_object().take();
        const auto bytes = varlink::call_message("org.varlink.service.GetInterfaceDescription", parameters);
        EXPECT_EQ(client.call_raw(bytes)["description"], text) << interface;
    }
}

}  // namespace
}  // namespace procsup
