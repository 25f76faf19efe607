#include <gtest/gtest.h>

#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kStarted =
    R"({"outcomes":[{"name":"web@0","state":"running","ok":true,"pid":4711,"cause":"executed"},
                    {"name":"web@1","state":"failed","ok":false,"exitCode":78,"cause":"exit 78"}]})";

TEST(Start, TellsWhatCameOfEachInstance) {
    FakeDaemon daemon("io.procsupd.Job.Start", kStarted);
    const auto printed = run_procsupctl(daemon, {"start", "web"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_EQ(printed.out, "web@0: running (pid 4711)\n");
    EXPECT_EQ(printed.err, "web@1: failed: exit 78\nhint: procsupctl why web@1\n");
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Start {"names":["web"]})");
}

TEST(Start, PassesWaitAndTimeoutOn) {
    FakeDaemon daemon("io.procsupd.Job.Start", R"({"outcomes":[]})");
    run_procsupctl(daemon, {"start", "--no-wait", "--timeout=2s", "web", "db"});
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Start {"names":["web","db"],"wait":false,"timeoutUSec":2000000})");
}

TEST(Start, SaysOnlyFailuresWhenQuiet) {
    FakeDaemon daemon("io.procsupd.Job.Start", kStarted);
    const auto printed = run_procsupctl(daemon, {"-q", "start", "web"});
    EXPECT_EQ(printed.out, "");
    EXPECT_NE(printed.err.find("web@1: failed"), std::string::npos);
}

TEST(Start, OfAnUnknownJobExits5) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{
            varlink::error_message("io.procsupd.Job.NoSuchJob", R"({"name":"x","message":"no job 'x'"})")};
    });
    EXPECT_EQ(run_procsupctl(daemon, {"start", "x"}).code, 5);
}

TEST(Stop, ThatTimesOutExits124AndTellsHowFarItCame) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{varlink::error_message(
            "io.procsupd.Job.TimedOut",
            R"({"outcomes":[{"name":"web","state":"stopping","ok":false,"cause":"stop asked"}],"message":"timed out"})")};
    });
    const auto printed = run_procsupctl(daemon, {"stop", "web", "--timeout=1s"});
    EXPECT_EQ(printed.code, 124);
    EXPECT_EQ(printed.err, "web: stopping: stop asked\nerror: timed out\n");
}

TEST(Scale, NamesTheJobAndTheNumber) {
    FakeDaemon daemon("io.procsupd.Job.Scale",
                      R"({"outcomes":[{"name":"web@2","state":"running","ok":true,"pid":4711,"cause":"executed"}]})");
    const auto printed = run_procsupctl(daemon, {"scale", "web", "3", "--timeout=2s"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "web@2: running (pid 4711)\nweb: 3 instances\n");
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Scale {"name":"web","instances":3,"timeoutUSec":2000000})");
}

TEST(Scale, NeedsANumber) {
    FakeDaemon daemon("io.procsupd.Job.Scale", "{}");
    for (const auto& [words, text] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"scale"}, "'scale' needs a JOB and a number"},
             {{"scale", "web"}, "'scale' needs a number of instances (as in: procsupctl scale web 3)"},
             {{"scale", "web", "three"}, "'three' is no number of instances (as in: procsupctl scale web 3)"},
             {{"scale", "web", "-1"}, "'-1' is no number of instances (as in: procsupctl scale web 3)"},
             {{"scale", "web", "3", "db"}, "'scale' does not take 'db'"}}) {
        const auto printed = run_procsupctl(daemon, words);
        EXPECT_EQ(printed.code, 2);
        EXPECT_NE(printed.err.find(text), std::string::npos) << printed.err;
    }
}

TEST(RestartRolling, TellsEachInstanceAsItIsUp) {
    FakeDaemon daemon([](const varlink::Call& call, const std::vector<Fd>&) {
        EXPECT_TRUE(call.more);
        return std::vector<std::string>{
            varlink::reply_message(R"({"outcomes":[{"name":"web@0","state":"running","ok":true,"pid":1}]})", true),
            varlink::reply_message(R"({"outcomes":[{"name":"web@1","state":"running","ok":true,"pid":2}]})", true),
            varlink::reply_message(R"({"outcomes":[{"name":"web@0"},{"name":"web@1"}],"done":true})")};
    });
    const auto printed = run_procsupctl(daemon, {"restart", "--rolling", "web"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "web@0: running (pid 1)\nweb@1: running (pid 2)\n");
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.RestartRolling {"name":"web"})");
}

TEST(RestartRolling, ThatHasFailedExits1) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{varlink::error_message(
            "io.procsupd.Job.RollFailed",
            R"({"name":"web","outcomes":[],"untouched":["web@1"],"message":"the rolling restart has ended: web@0: exit 3","hint":"procsupctl why web"})")};
    });
    const auto printed = run_procsupctl(daemon, {"restart", "--rolling", "web"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_EQ(printed.err, "error: the rolling restart has ended: web@0: exit 3\nhint: procsupctl why web\n");
}

TEST(Restart, PrintsTheReplyAsJson) {
    FakeDaemon daemon("io.procsupd.Job.Restart", kStarted);
    const auto printed = run_procsupctl(daemon, {"restart", "web", "--json"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_NE(printed.out.find(R"("exit_code":78)"), std::string::npos);
    EXPECT_EQ(printed.err, "");
}

TEST(Reload, WithoutAJobIsApply) {
    FakeDaemon daemon("io.procsupd.Manager.Apply",
                      R"({"changes":[{"job":"c","action":"stop","keys":[]}],"unchanged":2})");
    const auto printed = run_procsupctl(daemon, {"reload"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "stop  c  no longer configured\nunchanged: 2\n");
    EXPECT_EQ(daemon.only_call(), "io.procsupd.Manager.Apply {}");
}

TEST(Reload, OfABadConfigurationExits6WithEveryProblem) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{
            varlink::error_message("io.procsupd.Manager.BadConfiguration",
                                   R"({"problems":["a:1:1: error: x","b:2:1: error: y"],"message":"2 errors"})")};
    });
    const auto printed = run_procsupctl(daemon, {"reload"});
    EXPECT_EQ(printed.code, 6);
    EXPECT_EQ(printed.err, "a:1:1: error: x\nb:2:1: error: y\nerror: 2 errors\n");
}

TEST(Reload, OfAJobReloadsTheJob) {
    FakeDaemon daemon("io.procsupd.Job.Reload", R"({"outcomes":[]})");
    EXPECT_EQ(run_procsupctl(daemon, {"reload", "web"}).code, 0);
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Reload {"names":["web"]})");
}

TEST(Signal, SendsTheSignalToTheJobsBehindIt) {
    FakeDaemon daemon("io.procsupd.Job.Signal", R"({"outcomes":[]})");
    EXPECT_EQ(run_procsupctl(daemon, {"signal", "HUP", "web", "db"}).code, 0);
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Signal {"names":["web","db"],"signal":"HUP"})");
}

TEST(Signal, SaysWhatWasSentToWhom) {
    FakeDaemon daemon("io.procsupd.Job.Signal",
                      R"({"outcomes":[{"name":"web","state":"running","ok":true,"pid":11,"cause":""}]})");
    EXPECT_EQ(run_procsupctl(daemon, {"signal", "kill", "web"}).out, "web: SIGKILL sent to pid 11\n");
}

TEST(Start, OfWhatDiesAtOnceSaysHowItDied) {
    FakeDaemon daemon("io.procsupd.Job.Start", R"({"outcomes":[
        {"name":"web","state":"starting","ok":false,"pid":12,"cause":"restarted after exit 3"}]})");
    const auto printed = run_procsupctl(daemon, {"start", "web"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_NE(printed.err.find("web: start failed: exit 3; it is started again\n"), std::string::npos) << printed.err;
}

TEST(Signal, RefusesAWordThatIsNone) {
    FakeDaemon daemon("io.procsupd.Job.Signal", "{}");
    EXPECT_EQ(run_procsupctl(daemon, {"signal", "web", "db"}).code, 2);
    EXPECT_TRUE(daemon.calls().empty());
}

TEST(Wait, ForTheExitPassesTheJobsCodeOn) {
    FakeDaemon daemon("io.procsupd.Job.Wait",
                      R"({"outcomes":[{"name":"importer","state":"failed","ok":true,"exitCode":3,"cause":"exit 3",
                          "lastRun":{"pid":7,"startedUSec":1000000,"endedUSec":13400000,"exitCode":3,"cpuUSec":0}}]})");
    const auto printed = run_procsupctl(daemon, {"wait", "importer", "--for=exit", "--timeout", "30s"});
    EXPECT_EQ(printed.code, 3);
    EXPECT_EQ(printed.out, "importer exited 3 after 12.4s\n");
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Wait {"names":["importer"],"for":"exit","timeoutUSec":30000000})");
}

TEST(Wait, ThatIsTooLongSaysWhatIsStillWaitedFor) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{varlink::error_message(
            "io.procsupd.Job.TimedOut",
            R"({"outcomes":[{"name":"web","state":"running","ok":false,"pid":7,"cause":"start asked by uid 0",
                "missing":"not ready: waits for tcp 127.0.0.1:80"},{"name":"db","state":"running","ok":true,"pid":8,"cause":"c"},
                {"name":"top","state":"waiting","ok":false,"cause":"c; waits for web","missing":"waits for web\u001b"}],
                "message":"late"})")};
    });
    const auto printed = run_procsupctl(daemon, {"wait", "web", "db", "top"});
    EXPECT_EQ(printed.code, 124);
    EXPECT_EQ(printed.err,
              "web: running (pid 7): not ready: waits for tcp 127.0.0.1:80\ndb: running (pid 8)\n"
              "top: waiting: waits for web\\x1b\nerror: late\n");
}

TEST(Outcomes, PointToTheOutputOfACommandThatHasFailed) {
    const auto hint = [](const std::string& cause) {
        FakeDaemon daemon(
            "io.procsupd.Job.Reload",
            R"({"outcomes":[{"name":"web","state":"running","ok":false,"pid":7,"cause":")" + cause + "\"}]}");
        return run_procsupctl(daemon, {"reload", "web"}).err;
    };
    EXPECT_EQ(hint("reload_command failed: exit 4"),
              "web: running (pid 7): reload_command failed: exit 4\nhint: procsupctl logs web\n");
    EXPECT_EQ(hint("its stop_command failed: exit 4"),
              "web: running (pid 7): its stop_command failed: exit 4\nhint: procsupctl logs web\n");
    EXPECT_EQ(hint("it is not running"), "web: running (pid 7): it is not running\nhint: procsupctl why web\n");
}

TEST(Outcomes, OfAReloadCommandThatHasFailedComeWithWhatItHasWritten) {
    FakeDaemon daemon([](const varlink::Call& call, const std::vector<Fd>&) {
        return std::vector<std::string>{varlink::reply_message(
            call.method == "io.procsupd.Job.Why"
                ? R"({"name":"web","newestLines":[{"stream":"stderr","lines":["no such table\u001b"]}]})"
                : R"({"outcomes":[{"name":"web","state":"running","ok":false,"cause":"reload_command failed: exit 4"}]})")};
    });
    EXPECT_EQ(run_procsupctl(daemon, {"reload", "web"}).err,
              "web: running: reload_command failed: exit 4\n"
              "  the last lines that its present run has written:\n    stderr | no such table\\x1b\n"
              "hint: procsupctl logs web\n");
}

TEST(Outcomes, PointToNothingThatKnowsOfWhatWasRefused) {
    FakeDaemon daemon("io.procsupd.Job.Start", R"({"outcomes":[
        {"name":"web","state":"paused","ok":false,"refused":true,"cause":"it is paused"},
        {"name":"db","state":"failed","ok":false,"cause":"exit 1"}]})");
    EXPECT_EQ(run_procsupctl(daemon, {"start", "web", "db"}).err,
              "web: paused: it is paused\ndb: failed: exit 1\nhint: procsupctl why db\n");
    FakeDaemon other("io.procsupd.Job.Pause", R"({"outcomes":[
        {"name":"web","state":"stopped","ok":false,"refused":true,"cause":"only what is running can be paused"}]})");
    EXPECT_EQ(run_procsupctl(other, {"pause", "web"}).err, "web: stopped: only what is running can be paused\n");
}

TEST(Wait, ForTheExitByASignalExits128PlusIt) {
    FakeDaemon daemon("io.procsupd.Job.Wait",
                      R"({"outcomes":[{"name":"x","state":"failed","ok":true,"exitSignal":"SIGKILL","cause":""}]})");
    const auto printed = run_procsupctl(daemon, {"wait", "x", "--for=exit"});
    EXPECT_EQ(printed.code, 137);
    EXPECT_EQ(printed.out, "x killed by SIGKILL\n");
}

TEST(Wait, ForTheExitOfWhatHasNotRunFails) {
    FakeDaemon daemon("io.procsupd.Job.Wait",
                      R"({"outcomes":[{"name":"x","state":"failed","ok":true,"cause":"cannot exec /nope"}]})");
    const auto printed = run_procsupctl(daemon, {"wait", "x", "--for=exit"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_EQ(printed.out, "x is failed: cannot exec /nope\n");
}

TEST(Wait, AsksForReadinessByDefault) {
    FakeDaemon daemon("io.procsupd.Job.Wait", R"({"outcomes":[{"name":"x","state":"running","ok":true,"pid":5}]})");
    const auto printed = run_procsupctl(daemon, {"wait", "x"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "x: running (pid 5)\n");
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Wait {"names":["x"],"for":"ready"})");
}

}  // namespace
}  // namespace procsup::ctl
