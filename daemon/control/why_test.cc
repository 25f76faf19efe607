#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

struct Why : testing::Test {
    ControlBox box{{job("web"), job("pair", {"a", "b"})}};
    ControlClient client{box};

    void run_once(const std::string& name, ExitStatus end) {
        if (box.instance(name).state() == State::Backoff) box.timer_fires(name, TimerKind::Backoff);
        box.executes(name, 50);
        box.ends(name, end);
    }
    void start(const std::string& name) { box.supervisor.start(box.instance(name).id(), "wanted", box.loop.now()); }
};

TEST_F(Why, TellsOfWhatWasNeverStarted) {
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_EQ(why["name"], "web");
    EXPECT_EQ(why["state"], "stopped");
    EXPECT_EQ(why["cause"], "never started");
    EXPECT_EQ(why["advice.0"], "procsupctl start web");
    EXPECT_EQ(why.count("history"), 0u);
}

TEST_F(Why, AdvisesToRestartAOneshotThatIsUp) {
    auto spec = job("web");
    spec.type = JobType::Oneshot;
    box.configure({spec});
    start("web");
    box.executes("web");
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_EQ(why["awaits"], "its end");
    EXPECT_EQ(why["advice.0"], "procsupctl logs -f web");
    box.ends("web", ExitStatus::exited(0));
    EXPECT_EQ(client.call("Job.Why", R"({"name":"web"})")["advice.0"], "procsupctl restart web");
}

TEST_F(Why, AdvisesToReadWhatAStopCommandSaysAndToEndIt) {
    auto spec = job("setup");
    spec.type = JobType::Oneshot;
    spec.stop_command = {{"undo"}, "/bin/undo"};
    box.configure({spec});
    client.send("Job.Start", R"({"names":["setup"],"wait":false})");
    client.take();
    box.executes("setup");
    box.ends("setup", ExitStatus::exited(0));
    client.send("Job.Stop", R"({"names":["setup"],"wait":false})");
    client.take();
    const auto why = client.call("Job.Why", R"({"name":"setup"})");
    EXPECT_EQ(why["state"], "stopping");
    EXPECT_EQ(why["advice"], R"(["procsupctl logs setup","procsupctl signal KILL setup"])");
}

TEST_F(Why, TellsTheChainOfCausesNewestFirst) {
    start("web");
    run_once("web", ExitStatus::exited(3));
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_EQ(why["history.0.from"] + " " + why["history.0.to"], "running starting");
    EXPECT_EQ(why["history.0.cause"], "restarted after exit 3");
    EXPECT_EQ(why["history.1.from"] + " " + why["history.1.to"], "starting running");
    EXPECT_EQ(why["history.1.pid"], "50");
    EXPECT_EQ(why["history.2.from"] + " " + why["history.2.to"], "stopped starting");
    EXPECT_EQ(why["history.2.cause"], "wanted");
    EXPECT_GE(std::stoll(why["history.0.timeUSec"]), std::stoll(why["history.2.timeUSec"]));
}

TEST_F(Why, TellsWhatEachRunTookWhereItEnded) {
    start("web");
    run_once("web", ExitStatus::killed(SIGKILL));
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_EQ(why["history.0.run.pid"], "50");
    EXPECT_EQ(why["history.0.run.exitSignal"], "SIGKILL");
    EXPECT_EQ(why["history.0.run.cpuUSec"], "0");
    EXPECT_EQ(why["history.1.run"], "null");
}

TEST_F(Why, TellsTheLastLinesOfTheRunThatFailed) {
    box.host.output = {"cannot write to /log/web.out.log: No space left on device", {{"stderr", {"no host", "bye"}}}};
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_EQ(why["lastLines.0.stream"], "stderr");
    EXPECT_EQ(why["lastLines.0.lines.1"], "bye");
    EXPECT_EQ(why["outputProblem"], "cannot write to /log/web.out.log: No space left on device");
    const auto status = client.call("Manager.Status", R"({"names":["web"]})");
    EXPECT_EQ(status["instances.0.outputProblem"], "cannot write to /log/web.out.log: No space left on device");
}

TEST_F(Why, TellsWhatARunHasWrittenThatIsNotReadyYet) {
    auto slow = job("slow");
    slow.readiness.kind = Readiness::Kind::Notify;
    auto after = job("after");
    after.dependencies.requirements = {{"slow"}};
    box.configure({slow, after, job("web")});
    box.host.newest = std::vector<LastLines>{LastLines{"stdout", {"migrating"}}};
    const auto lines = [&](const std::string& name, const std::string& member) {
        return client.call("Job.Why", R"({"name":")" + name + "\"}")[member + "newestLines.0.lines.0"];
    };
    EXPECT_EQ(lines("slow", ""), "null") << "it is stopped";
    start("after");
    start("slow");
    EXPECT_EQ(lines("slow", ""), "migrating");
    EXPECT_EQ(lines("after", "behind.0."), "migrating");
    EXPECT_EQ(lines("after", ""), "null");
    box.executes("slow");
    EXPECT_EQ(lines("slow", ""), "migrating");
    box.supervisor.became_ready(box.instance("slow").incarnation(), box.loop.now());
    EXPECT_EQ(lines("slow", ""), "null") << "it is ready";
    EXPECT_EQ(box.host.newest_of.size(), 4u);
}

TEST_F(Why, SaysSinceWhenAJobHasBeenReadingItsConfigurationAgain) {
    start("web");
    box.executes("web");
    box.supervisor.became_ready(box.instance("web").incarnation(), box.loop.now());
    Notice notice;
    notice.reloading = true;
    box.supervisor.noticed(box.instance("web").incarnation(), notice, box.loop.now());
    box.pass(std::chrono::seconds(125));
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_TRUE(why["cause"].starts_with("it reads its configuration again, as it says") &&
                why["cause"].ends_with("; has said RELOADING=1 2min 5s ago and not READY=1 since"))
        << why["cause"];
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["web"]})")["instances.0.awaits"],
              "READY=1, which is to follow RELOADING=1");
    notice.ready = true;
    box.supervisor.noticed(box.instance("web").incarnation(), notice, box.loop.now());
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["web"]})")["instances.0.awaits"], "null");
}

TEST_F(Why, DoesNotWaitForALoggerThatHangs) {
    start("web");
    box.host.newest.reset();
    client.send("Job.Why", R"({"name":"web"})");
    EXPECT_TRUE(client.take().empty());
    box.pass(std::chrono::milliseconds(1100));
    const auto why = client.take_one();
    EXPECT_EQ(why["state"], "starting");
    EXPECT_EQ(why["newestLines"], "null");
}

TEST_F(Why, IsForgottenWhenItsCallerLeaves) {
    start("web");
    box.host.newest.reset();
    client.send("Job.Why", R"({"name":"web"})");
    client.leave();
    box.pass(std::chrono::milliseconds(1100));
    ControlClient other(box);
    box.host.newest.emplace();
    EXPECT_EQ(other.call("Job.Why", R"({"name":"web"})")["state"], "starting");
}

TEST_F(Why, TellsHowMuchTimeAStartHasLeft) {
    auto spec = job("slow");
    spec.hooks = {{Hook::PreStart, {{"/bin/prepare"}, "/bin/prepare"}}};
    spec.start_timeout = std::chrono::seconds(60);
    box.configure({spec});
    start("slow");
    const auto cause = client.call("Job.Why", R"({"name":"slow"})")["cause"];
    EXPECT_EQ(cause.find("wanted; running pre_start, "), 0u) << cause;
    EXPECT_NE(cause.find("s left of start_timeout"), std::string::npos) << cause;
    const auto status = client.call("Manager.Status", R"({"names":["slow"]})");
    EXPECT_NE(status["instances.0.readyDueUSec"], "null");
}

TEST_F(Why, TellsHowAStopGoesOnAndWhatFollows) {
    auto spec = job("slow");
    spec.stop_timeout = std::chrono::milliseconds(60'500);
    box.configure({spec});
    start("slow");
    box.executes("slow");
    const auto cause = [&] { return client.call("Job.Why", R"({"name":"slow"})")["cause"]; };
    box.supervisor.stop(box.instance("slow").id(), "enough", box.loop.now());
    box.pass(std::chrono::seconds(20));
    EXPECT_EQ(cause(), "enough; told to end with SIGTERM 20s ago, is killed in 40s");
    start("slow");
    EXPECT_EQ(cause(),
              "enough; told to end with SIGTERM 20s ago, is killed in 40s; is started again when it has ended");
    const auto why = client.call("Job.Why", R"({"name":"slow"})");
    const auto status = client.call("Manager.Status", R"({"names":["slow"]})");
    EXPECT_EQ(why["startsAgain"] + status["instances.0.startsAgain"], "truetrue");
    EXPECT_NE(why["killDueUSec"], "null");
    EXPECT_EQ(why["killDueUSec"], status["instances.0.killDueUSec"]);
    box.pass(std::chrono::seconds(40));
    box.timer_fires("slow", TimerKind::StopTimeout);
    box.pass(std::chrono::seconds(2));
    EXPECT_EQ(cause(), "enough; killed 2s ago, and not gone yet; is started again when it has ended");
    EXPECT_EQ(client.call("Job.Why", R"({"name":"slow"})")["killDueUSec"], "null");
}

TEST_F(Why, TellsForHowLongAStopCommandHasRun) {
    auto spec = job("slow");
    spec.stop_command = {{"ask"}, "/bin/ask"};
    spec.stop_timeout = kForever;
    box.configure({spec});
    start("slow");
    box.executes("slow");
    box.supervisor.stop(box.instance("slow").id(), "enough", box.loop.now());
    box.pass(std::chrono::seconds(20));
    EXPECT_EQ(client.call("Job.Why", R"({"name":"slow"})")["cause"],
              "enough; running stop_command; its stop_command has been running for 20s, is never killed "
              "(stop_timeout = \"none\")");
}

TEST_F(Why, GoesOnWithWhatAStopWaitsFor) {
    auto user = job("user");
    user.dependencies.requirements = {{"slow"}};
    box.configure({job("slow"), user});
    start("slow");
    box.executes("slow");
    start("user");
    box.executes("user");
    box.supervisor.stop({box.instance("slow").id(), box.instance("user").id()}, "enough", box.loop.now());
    const auto why = client.call("Job.Why", R"({"name":"slow"})");
    EXPECT_EQ(why["cause"], "enough; waits for user to end");
    EXPECT_EQ(why["behind.0.name"], "user");
    EXPECT_NE(why["behind.0.cause"].find("told to end with SIGTERM"), std::string::npos) << why["behind.0.cause"];
    EXPECT_EQ(why["advice.0"], "procsupctl signal KILL user");
}

TEST_F(Why, KeepsABoundedHistory) {
    for (int i = 0; i < 20; ++i) {
        start("web");
        box.supervisor.stop(box.instance("web").id(), "enough", box.loop.now());
        box.cannot_start("web", SpawnStage::Cancelled, 0);
    }
    EXPECT_EQ(client.call("Job.Why", R"({"name":"web"})").count("history"), Instance::kHistory);
}

TEST_F(Why, TellsWhenABackoffEndsAndHowManyRestartsThereWere) {
    auto spec = job("web");
    spec.restart.backoff = 1;
    box.configure({spec});
    start("web");
    run_once("web", ExitStatus::exited(1));
    run_once("web", ExitStatus::exited(1));
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_EQ(why["state"], "backoff");
    EXPECT_EQ(why["cause"].find("exit 1; next start in "), 0u) << why["cause"];
    EXPECT_NE(why["cause"].find("restart number 2"), std::string::npos) << why["cause"];
    EXPECT_NE(why["cause"].find(" more before start_limit, "), std::string::npos) << why["cause"];
}

TEST_F(Why, SaysThatAStartLimitIsOutOfReach) {
    auto spec = job("slow");
    spec.restart.start_limit = {5, std::chrono::seconds(10)};
    spec.restart.delay = std::chrono::seconds(5);
    spec.restart.jitter = 0;
    box.configure({spec});
    start("slow");
    run_once("slow", ExitStatus::exited(1));
    run_once("slow", ExitStatus::exited(1));
    const auto cause = client.call("Job.Why", R"({"name":"slow"})")["cause"];
    EXPECT_NE(cause.find(" (start_limit, 5/10s, cannot be reached with delays this long)"), std::string::npos) << cause;
}

TEST_F(Why, TellsOfAStartLimit) {
    start("web");
    for (int i = 0; i < 11; ++i) run_once("web", ExitStatus::killed(SIGSEGV));
    const auto why = client.call("Job.Why", R"({"name":"web"})");
    EXPECT_EQ(why["state"], "failed");
    EXPECT_EQ(why["cause"], "start_limit (10/1min) reached; last: killed by SIGSEGV");
    EXPECT_EQ(why["advice"], R"(["procsupctl logs web","procsupctl show web","procsupctl start web"])");
}

TEST_F(Why, NamesLimitsAtWhichTheRunMayHaveEnded) {
    auto spec = job("tight");
    spec.limits = {{RLIMIT_STACK, 4096, 4096}, {RLIMIT_CPU, 1, 1}};
    spec.restart.when = Restart::No;
    box.configure({spec});
    const auto limits = [&] { return client.call("Job.Why", R"({"name":"tight"})")["limits"]; };
    start("tight");
    box.executes("tight", 50);
    EXPECT_EQ(limits(), "null") << "it runs";
    box.ends("tight", ExitStatus::killed(SIGSEGV));
    EXPECT_EQ(limits(), R"(["limits.stack = \"4KiB\""])");
    auto other = spec;
    other.limits = {{RLIMIT_AS, 4096, 4096}};
    box.configure({other});
    EXPECT_EQ(limits(), R"(["limits.stack = \"4KiB\""])") << "that of the run";
    box.configure({spec});
    start("tight");
    box.cannot_start("tight", SpawnStage::WorkingDir, E2BIG);
    EXPECT_EQ(limits(), "null");
    start("tight");
    box.cannot_start("tight", SpawnStage::Exec, E2BIG);
    EXPECT_EQ(limits(), R"(["limits.stack = \"4KiB\""])");
    start("tight");
    box.executes("tight", 50);
    box.supervisor.stop(box.instance("tight").id(), "enough", box.loop.now());
    box.ends("tight", ExitStatus::killed(SIGKILL));
    EXPECT_EQ(limits(), "null") << "it was stopped";
}

TEST_F(Why, TellsThatThePolicyWantsNoRestart) {
    auto spec = job("never");
    spec.restart.when = Restart::No;
    box.configure({spec});
    start("never");
    run_once("never", ExitStatus::exited(1));
    EXPECT_EQ(client.call("Job.Why", R"({"name":"never"})")["cause"], "exit 1; restart = \"no\"");
}

TEST_F(Why, TellsThatAnEndCountsAsSuccess) {
    start("web");
    run_once("web", ExitStatus::exited(0));
    EXPECT_EQ(client.call("Job.Why", R"({"name":"web"})")["cause"],
              "exit 0, which counts as success; restart = \"on-failure\"");
}

TEST_F(Why, ChoosesTheInstanceThatMostNeedsExplaining) {
    start("pair@a");
    start("pair@b");
    box.executes("pair@a");
    for (int i = 0; i < 11; ++i) run_once("pair@b", ExitStatus::exited(1));
    EXPECT_EQ(client.call("Job.Why", R"({"name":"pair"})")["name"], "pair@b");
    EXPECT_EQ(client.call("Job.Why", R"({"name":"pair@a"})")["name"], "pair@a");
}

TEST_F(Why, ShowGivesSettingsAndInstances) {
    const auto show = client.call("Job.Show", R"({"name":"pair"})");
    EXPECT_EQ(show.error, "");
    EXPECT_EQ(show["settings.name"], "pair");
    EXPECT_EQ(show.count("instances"), 2u);
    EXPECT_EQ(show["instances.1.name"], "pair@b");
}

TEST_F(Why, CatGivesTheTextAndItsOrigin) {
    const auto cat = client.call("Job.Cat", R"({"name":"web"})");
    EXPECT_EQ(cat["origin"], "/etc/test.toml:7");
    EXPECT_NE(cat["text"].find("/bin/web"), std::string::npos) << cat["text"];
}

TEST_F(Why, CatHasThePlaceOfEachKey) {
    auto spec = box.instance("web").spec();
    spec.key_places.text = "1:8 15:3@0\n/etc/defaults.toml";
    spec.restart.when = Restart::Always;
    box.configure({spec});
    const auto text = client.call("Job.Cat", R"({"name":"web"})")["text"];
    EXPECT_NE(text.find("command = [\"/bin/web\"]  # /etc/test.toml:8\n"), std::string::npos) << text;
    EXPECT_NE(text.find("restart = \"always\"  # /etc/defaults.toml:3\n"), std::string::npos) << text;
}

TEST(WhyOfADaemon, ThatWaitsPointsToWhatItIsBoundTo) {
    auto logger = job("logger");
    logger.daemon_of = "shop";
    ControlBox box({job("shop"), logger});
    ControlClient client(box);
    client.send("Job.Start", R"({"names":["logger"],"wait":false})");
    client.take();
    const auto why = client.call("Job.Why", R"({"name":"logger"})");
    EXPECT_EQ(why["state"], "waiting");
    EXPECT_EQ(why["behind.0.name"] + " " + why["behind.0.state"], "shop stopped");
    EXPECT_EQ(why["advice"], R"(["procsupctl start shop"])");
}

TEST(WhyOfAChain, TellsAllOfItAndAdvisesOnItsEnd) {
    const auto requiring = [](const char* name, const char* other) {
        auto spec = job(name);
        spec.dependencies.requirements = {{other}};
        return spec;
    };
    auto base = job("base");
    base.readiness.kind = Readiness::Kind::Notify;
    ControlBox box({base, requiring("mid", "base"), requiring("top", "mid")});
    ControlClient client(box);
    client.send("Job.Start", R"({"names":["top"],"wait":false})");
    client.take();
    for (int i = 0; i < 2; ++i) {
        if (box.instance("base").state() == State::Backoff) box.timer_fires("base", TimerKind::Backoff);
        box.executes("base", 50);
        box.ends("base", ExitStatus::exited(78));
    }
    box.host.output = {"", {{"stderr", {"no disk"}}}};
    const auto why = client.call("Job.Why", R"({"name":"top"})");
    EXPECT_EQ(why["state"], "waiting");
    EXPECT_EQ(why["behind.0.name"] + " " + why["behind.0.state"], "mid waiting");
    EXPECT_EQ(why["behind.1.name"] + " " + why["behind.1.state"], "base backoff");
    EXPECT_EQ(why["behind.1.cause"].find("exit 78 (EX_CONFIG); next start in "), 0u) << why["behind.1.cause"];
    EXPECT_NE(why["behind.1.cause"].find(" (start_limit, "), std::string::npos);
    EXPECT_EQ(why["behind.1.lastLines.0.lines.0"], "no disk");
    EXPECT_EQ(why.count("behind.2.name"), 0u);
    EXPECT_EQ(why["advice"], R"(["procsupctl start base","procsupctl stop base"])");
}

TEST(WhyOfAChain, HasNothingThatACommandHasWrittenForWhoMayNotOperateIt) {
    auto his = job("his");
    his.owner = kStranger;
    his.dependencies.requirements = {{"secret"}};
    auto secret = job("secret");
    secret.readiness.kind = Readiness::Kind::Exec;
    secret.readiness.target = "check";
    ControlBox box({secret, his});
    auto stranger = ControlClient::as_stranger(box);
    box.supervisor.start(box.instance("his").id(), "start", box.loop.now());
    box.executes("secret", 50);
    box.supervisor.readiness_hindered(box.instance("secret").incarnation(), ": failed", box.loop.now(), "its key");
    const auto awaits = [](ControlClient& client) {
        return client.call("Job.Why", R"({"name":"his"})")["behind.0.awaits"] + ", " +
               client.call("Manager.Status", "")["instances.1.awaits"];
    };
    EXPECT_EQ(awaits(stranger), "exec check: failed, exec check: failed");
    EXPECT_EQ(stranger.call("Job.Why", R"({"name":"his"})")["behind.0.cause"].find("its key"), std::string::npos);
    ControlClient client(box);
    EXPECT_EQ(awaits(client), "exec check: failed: its key, exec check: failed: its key");
    EXPECT_NE(client.call("Job.Why", R"({"name":"secret"})")["cause"].find(": its key"), std::string::npos);
    EXPECT_EQ(client.call("Job.Show", R"({"name":"secret"})")["instances.0.awaits"], "exec check: failed: its key");
}

TEST(WhyOfAChain, HasNoLinesOfJobsThatTheCallerMayNotOperate) {
    auto his = job("his");
    his.owner = kStranger;
    his.dependencies.requirements = {{"secret"}};
    auto secret = job("secret");
    secret.readiness.kind = Readiness::Kind::Notify;
    ControlBox box({secret, his});
    auto stranger = ControlClient::as_stranger(box);
    box.supervisor.start(box.instance("his").id(), "start", box.loop.now());
    box.executes("secret", 50);
    box.host.output = {"", {{"stderr", {"its key"}}}};
    box.host.newest = std::vector<LastLines>{{"stdout", {"its password"}}};
    const auto why = stranger.call("Job.Why", R"({"name":"his"})");
    EXPECT_EQ(why["behind.0.name"] + " " + why["behind.0.state"], "secret running");
    EXPECT_EQ(why.count("behind.0.lastLines.0.lines.0"), 0u);
    EXPECT_EQ(why.count("behind.0.newestLines.0.lines.0"), 0u);
    EXPECT_TRUE(box.host.newest_of.empty());
}

TEST(WhyOfAChain, EndsWhereTheCallerMayNotRead) {
    auto his = job("his");
    his.owner = kStranger;
    his.dependencies.requirements = {{"secret"}};
    DaemonSpec spec;
    spec.read = {};
    ControlBox box({job("secret"), his}, spec);
    auto stranger = ControlClient::as_stranger(box);
    stranger.send("Job.Start", R"({"names":["his"],"wait":false})");
    stranger.take();
    const auto why = stranger.call("Job.Why", R"({"name":"his"})");
    EXPECT_EQ(why.count("behind"), 0u) << why["behind.0.name"];
    EXPECT_EQ(why["advice.0"], "procsupctl why secret");
}

}  // namespace
}  // namespace procsup
