#include <gtest/gtest.h>
#include <stdlib.h>

#include "common/json.h"
#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kGraph = "io.procsupd.Job.Graph";
constexpr const char* kTwo = R"({"bootUSec":1772532662000000,"jobs":[
    {"name":"db","step":1,"asked":false,"links":[],"instances":[{"name":"db","state":"running","ready":true,
        "firstStart":{"wantedUSec":0,"startedUSec":0,"readyUSec":1000000,"atBoot":true}}]},
    {"name":"web","step":2,"asked":true,"links":[{"to":"db","kind":"requires","condition":"ready","onRestart":"ignore","met":true}],
     "instances":[{"name":"web","state":"starting","ready":false,
        "firstStart":{"wantedUSec":0,"startedUSec":1000000,"waitedFor":"db","atBoot":true}}]}]})";

TEST(Graph, ShowsWhatJobsNeed) {
    FakeDaemon daemon(kGraph, kTwo);
    const auto printed = run_procsupctl(daemon, {"graph", "web"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(printed.out.find("requires db (ready)\n"), std::string::npos) << printed.out;
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Job.Graph {"names":["web"]})");
}

TEST(Graph, IsGatheredFromSeveralAnswers) {
    FakeDaemon daemon([](const varlink::Call& call, const std::vector<Fd>&) {
        const bool first = call.parameters.find("from") == nullptr;
        return std::vector<std::string>{varlink::reply_message(
            first ? R"({"bootUSec":1,"jobs":[{"name":"a","links":[{"to":"b","kind":"after"}],
                        "instances":[{"name":"a","state":"running"}]}],"next":1})"
                  : R"({"bootUSec":1,"jobs":[{"name":"b","instances":[{"name":"b","state":"running"}]}]})")};
    });
    const auto printed = run_procsupctl(daemon, {"graph", "--json"});
    const auto value = json::parse(printed.out);
    ASSERT_TRUE(value) << printed.out;
    EXPECT_EQ(value->find("jobs")->as_array()->size(), 2u);
    EXPECT_EQ(daemon.calls().at(1), R"(io.procsupd.Job.Graph {"names":[],"from":1})");
}

TEST(Graph, EndsThoughTheSupervisorNeverDoes) {
    FakeDaemon daemon(kGraph, R"({"jobs":[],"next":3})");
    EXPECT_EQ(run_procsupctl(daemon, {"graph"}).out, "there are no jobs\n");
    EXPECT_EQ(daemon.calls().size(), 2u);
}

TEST(Graph, PrintsAllOfItAsJsonInSnakeCase) {
    FakeDaemon daemon(kGraph, kTwo);
    const auto printed = run_procsupctl(daemon, {"graph", "--json"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(
        printed.out.find(R"("first_start":{"wanted_usec":0,"started_usec":1000000,"waited_for":"db","at_boot":true})"),
        std::string::npos)
        << printed.out;
    EXPECT_TRUE(printed.out.ends_with("],\"critical_path\":[\"db\"]}\n")) << printed.out;
}

TEST(Graph, ForGraphvizMarksTheCriticalPathOnDemand) {
    FakeDaemon daemon(kGraph, kTwo);
    EXPECT_EQ(run_procsupctl(daemon, {"graph", "--dot"}).out.find("penwidth"), std::string::npos);
    EXPECT_NE(run_procsupctl(daemon, {"graph", "--dot", "--critical"}).out.find("penwidth"), std::string::npos);
}

TEST(Graph, ShowsTheCriticalPath) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    FakeDaemon daemon(kGraph, kTwo);
    const auto printed = run_procsupctl(daemon, {"graph", "--critical"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out,
              "db was ready last, 1.000s after Tue 2026-03-03 10:11:02 UTC\n"
              "INSTANCE  STARTED  READY   TOOK    WAITED FOR\n"
              "db        0.000s   1.000s  1.000s  -\n"
              "not ready yet: web\n");
}

TEST(Graph, ShowsTheCriticalPathOfABootWhoseJobsHaveBeenReplaced) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    FakeDaemon daemon(kGraph, R"({"bootUSec":1772532662000000,"jobs":[
        {"name":"web","step":1,"links":[],"instances":[{"name":"web","state":"running","ready":true,
            "firstStart":{"wantedUSec":9000000,"startedUSec":9000000,"readyUSec":9500000,"atBoot":false}}]}],
        "former":[
        {"name":"db","job":"db","oneshot":false,
            "firstStart":{"wantedUSec":0,"startedUSec":0,"readyUSec":1000000,"atBoot":true}},
        {"name":"web","job":"web","oneshot":false,
            "firstStart":{"wantedUSec":0,"startedUSec":1000000,"readyUSec":1500000,"waitedFor":"db","atBoot":true}}]})");
    const auto printed = run_procsupctl(daemon, {"graph", "--critical"});
    EXPECT_EQ(printed.out,
              "web was ready last, 1.500s after Tue 2026-03-03 10:11:02 UTC\n"
              "INSTANCE  STARTED  READY                   TOOK    WAITED FOR\n"
              "web       1.000s   1.500s (removed since)  0.500s  db\n"
              "db        0.000s   1.000s (removed since)  1.000s  -\n")
        << printed.err;
    EXPECT_EQ(run_procsupctl(daemon, {"graph"}).out.find("db"), std::string::npos);
}

TEST(Graph, FailsWhereThereIsNoCriticalPath) {
    FakeDaemon daemon(kGraph, kTwo);
    const auto printed = run_procsupctl(daemon, {"graph", "--critical", "web"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_EQ(printed.out, "");
    EXPECT_EQ(printed.err, "error: cannot show the critical path: none of these was ready since procsupd has them\n");
}

TEST(Graph, ReportsAnErrorOfTheSupervisor) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{
            varlink::error_message("io.procsupd.Job.NoSuchJob", R"({"name":"x","message":"no job 'x'"})")};
    });
    EXPECT_EQ(run_procsupctl(daemon, {"graph", "x"}).code, 4);
}

TEST(Status, OfANamedJobSaysWhatItDependsOn) {
    FakeDaemon daemon("io.procsupd.Manager.Status",
                      R"({"daemon":{"pid":1},"instances":[{"name":"web@0","job":"web","state":"running","ready":true},
                          {"name":"x","job":"x","state":"running","ready":true}],
                          "dependencies":[{"job":"web","links":[{"to":"db","kind":"after","met":true}],
                          "neededBy":["smoke-test"],"before":[]}]})");
    const auto printed = run_procsupctl(daemon, {"status", "web", "x"});
    EXPECT_NE(printed.out.find("\n     deps: after db; needed by: smoke-test\n"), std::string::npos) << printed.out;
    EXPECT_EQ(printed.out.find("deps:"), printed.out.rfind("deps:")) << printed.out;
    const auto as_json = run_procsupctl(daemon, {"status", "--json", "web", "x"}).out;
    EXPECT_NE(as_json.find(R"("dependencies":[{"job":"web","links":[{"to":"db","kind":"after","met":true}],)"
                           R"("needed_by":["smoke-test"],"before":[]}])"),
              std::string::npos)
        << as_json;
}

}  // namespace
}  // namespace procsup::ctl
