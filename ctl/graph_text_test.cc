#include "ctl/graph_text.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace procsup::ctl {
namespace {

/// Tue 2026-03-03 10:11:02 UTC
constexpr const char* kShop = R"({"bootUSec":1772532662000000,"jobs":[
    {"name":"alone","step":1,"links":[],"instances":[{"name":"alone","state":"running","ready":true,
        "firstStart":{"wantedUSec":0,"startedUSec":0,"readyUSec":900,"atBoot":true}}]},
    {"name":"db","step":1,"links":[],"instances":[{"name":"db","state":"running","ready":true,
        "firstStart":{"wantedUSec":0,"startedUSec":0,"readyUSec":1200000,"atBoot":true}}]},
    {"name":"migrate","step":2,"oneshot":true,
     "links":[{"to":"db","kind":"requires","condition":"ready","onRestart":"ignore","met":true}],
     "instances":[{"name":"migrate","state":"exited","ready":true,
        "firstStart":{"wantedUSec":0,"startedUSec":1200000,"readyUSec":1800400,"waitedFor":"db","atBoot":true}}]},
    {"name":"web","step":3,"asked":true,
     "links":[{"to":"cache","kind":"wants","met":true},
              {"to":"db","kind":"requires","condition":"ready","onRestart":"restart","met":true},
              {"to":"migrate","kind":"requires","condition":"exited_ok","onRestart":"ignore","met":false},
              {"to":"dns","kind":"before","met":true},{"to":"pool","kind":"daemon_of","met":true}],
     "instances":[
        {"name":"web@0","state":"running","ready":true,"firstStart":{"wantedUSec":0,"startedUSec":1800400,
         "readyUSec":2314000,"failedUSec":1900000,"waitedFor":"migrate","atBoot":true}},
        {"name":"web@1","state":"running","ready":false,"awaits":"tcp 80","firstStart":{"wantedUSec":0,
         "startedUSec":1800400,"waitedFor":"migrate","atBoot":true}}]},
    {"name":"late","step":1,"links":[],"instances":[{"name":"late","state":"running","ready":true,
        "firstStart":{"wantedUSec":9000000,"startedUSec":9000000,"readyUSec":9500000,"atBoot":false}}]}]})";

struct GraphText : testing::Test {
    GraphText() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
    static JobGraph graph_of(const std::string& text) {
        JobGraph graph;
        auto value = json::parse(text);
        EXPECT_TRUE(value) << text;
        if (value) graph.add(*value);
        return graph;
    }
    std::string critical(const JobGraph& graph, bool of_asked) const {
        const auto path = critical_path(graph, of_asked);
        return path.empty() ? "none" : critical_text(graph, path, of_asked, out);
    }

    Output out{ColorChoice::Never, false};
    JobGraph shop = graph_of(kShop);
};

TEST_F(GraphText, HasALineForEachJobThatDependsOnOthersOrOthersOnIt) {
    EXPECT_EQ(
        graph_table(shop, false, out),
        "  STEP  JOB      STATE    READY  NEEDS\n"
        "* 1     db       running  1/1    -\n"
        "* 2     migrate  exited   1/1    requires db (ready)\n"
        "~ 3     web      running  1/2    requires db (ready, on_restart = restart), migrate (exited_ok, not yet); "
        "wants cache; after dns (as that says); daemon of pool\n"
        "2 jobs depend on nothing, and nothing on them\n");
}

TEST_F(GraphText, OfJobsThatWereNamedHasAllLines) {
    const auto text = graph_table(shop, true, out);
    EXPECT_NE(text.find("* 1     alone    running  1/1    -\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("on nothing"), std::string::npos) << text;
}

TEST_F(GraphText, SaysThatThereIsNothingToShow) {
    EXPECT_EQ(graph_table(JobGraph(), false, out), "there are no jobs\n");
    const auto one = graph_of(R"({"jobs":[{"name":"a","instances":[{"name":"a","state":"running"}]}]})");
    EXPECT_EQ(graph_table(one, false, out), "1 job depends on nothing\n");
}

TEST_F(GraphText, MarksWhatIsNotSoInColour) {
    const Output colored(ColorChoice::Always, false);
    EXPECT_EQ(needs_text({{"db", "wants", "", "", false}}, colored),
              "wants db (" + colored.colored(Color::Yellow, "not yet") + ")");
}

TEST_F(GraphText, EscapesWhatCouldSteerATerminal) {
    const auto hostile = graph_of(R"({"jobs":[{"name":"a\u001b[2J","links":[{"to":"b\u0007","kind":"requires",
        "condition":"c\u0007","onRestart":"d\u0007"}],"instances":[{"name":"a\u001b","state":"s\u001b","ready":true,
        "firstStart":{"readyUSec":1,"waitedFor":"w\u001b","atBoot":true}}]}]})");
    for (const auto& text : {graph_table(hostile, true, out), graph_dot(hostile, true, {}), critical(hostile, false)}) {
        EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
        EXPECT_EQ(text.find('\x07'), std::string::npos) << text;
        EXPECT_NE(text.find("x1b"), std::string::npos) << text;
    }
}

TEST_F(GraphText, OfOneJobIsALineOfItsStatus) {
    const auto text = [&](const char* dependencies) {
        return dependencies_text(json::parse(dependencies).value(), out);
    };
    EXPECT_EQ(text(R"({"links":[{"to":"db","kind":"after","met":true}],"neededBy":["smoke-test"],"before":[]})"),
              "after db; needed by: smoke-test");
    EXPECT_EQ(text(R"({"links":[],"neededBy":["a","b"],"neededByOmitted":98,"before":["c"]})"),
              "needed by: a, b and 98 more; before: c");
    EXPECT_EQ(text(R"({"links":[]})"), "");
    EXPECT_EQ(text(R"({"links":7,"neededBy":{}})"), "");
}

TEST_F(GraphText, OfOneJobWithManyNamesTen) {
    std::string links, names;
    for (int i = 0; i < 12; ++i) {
        links += std::string(i > 0 ? "," : "") + R"({"to":"a","kind":"wants"})";
        names += i > 0 ? R"(,"b")" : R"("b")";
    }
    const auto line =
        dependencies_text(json::parse(R"({"links":[)" + links + R"(],"neededBy":[)" + names + "]}").value(), out);
    EXPECT_EQ(line,
              "wants a, a, a, a, a, a, a, a, a, a and 2 more; needed by: b, b, b, b, b, b, b, b, b, b and 2 more");
}

TEST_F(GraphText, ForGraphvizHasAnArrowToWhatAJobDependsOn) {
    const auto text = graph_dot(shop, false, critical_path(shop, false));
    EXPECT_TRUE(text.starts_with("digraph procsupd {\n")) << text;
    EXPECT_TRUE(text.ends_with("}\n")) << text;
    EXPECT_EQ(text.find("alone"), std::string::npos) << text;
    for (const char* line : {
             R"(    "web" [label="web\nrunning, 1/2 ready", color=orange, penwidth=3];)",
             R"(    "migrate" [label="migrate\nexited, ready", color=forestgreen, penwidth=3];)",
             R"(    "web" -> "db" [label="requires ready", style=solid];)",
             R"(    "web" -> "migrate" [label="requires exited_ok", style=solid, color=red, penwidth=2];)",
             R"(    "web" -> "cache" [label="wants", style=dashed];)",
             R"(    "web" -> "dns" [label="after", style=dotted];)",
             R"(    "web" -> "pool" [label="daemon of", style=bold];)",
         }) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
    }
    EXPECT_NE(graph_dot(shop, true, {}).find("alone"), std::string::npos);
}

TEST_F(GraphText, ForGraphvizIsQuoted) {
    const auto text =
        graph_dot(graph_of(R"({"jobs":[{"name":"a\"b\\","instances":[{"name":"a","state":"x"}]}]})"), true, {});
    EXPECT_NE(text.find(R"(    "a\"b\\" [label="a\"b\\\nx, not ready", color=orange];)"), std::string::npos) << text;
}

TEST_F(GraphText, OfTheCriticalPathSaysWhenEachStepWasReadyAndWhatItWaitedFor) {
    EXPECT_EQ(critical(shop, false),
              "web@0 was ready last, 2.314s after Tue 2026-03-03 10:11:02 UTC\n"
              "INSTANCE  STARTED  READY                   TOOK    WAITED FOR\n"
              "web@0     1.800s   2.314s (failed before)  0.513s  requires migrate (exited_ok)\n"
              "migrate   1.200s   1.800s (ended)          0.600s  requires db (ready)\n"
              "db        0.000s   1.200s                  1.200s  -\n"
              "not ready yet: web@1\n");
}

TEST_F(GraphText, OfTheCriticalPathOfAJobBeginsWithThat) {
    auto graph = shop;
    for (auto& job : graph.jobs) job.asked = job.name == "late" || job.name == "migrate";
    EXPECT_EQ(critical(graph, true),
              "late was ready 0.500s after Tue 2026-03-03 10:11:11 UTC\n"
              "INSTANCE  STARTED  READY   TOOK    WAITED FOR\n"
              "late      0.000s   0.500s  0.500s  -\n");
    for (auto& job : graph.jobs) job.asked = job.name == "nothing";
    EXPECT_EQ(critical(graph, true), "none");
}

TEST_F(GraphText, OfTheCriticalPathNamesTheInstanceOfSeveral) {
    const auto text = critical(graph_of(R"({"jobs":[
        {"name":"a","links":[{"to":"b","kind":"daemon_of","met":false}],
         "instances":[{"name":"a","state":"running","firstStart":{"readyUSec":7,"waitedFor":"b@1","atBoot":true}}]},
        {"name":"b","instances":[{"name":"b@1","state":"running","ready":true,"firstStart":{"readyUSec":1,"atBoot":true}}]}]})"),
                               false);
    EXPECT_NE(text.find("  b@1: daemon of b\n"), std::string::npos) << text;
}

TEST_F(GraphText, OfTheCriticalPathTakesAsLongAsWhatWasRequiredOfAJob) {
    const auto graph = [&](const std::string& condition) {
        return graph_of(R"({"jobs":[{"name":"a","links":[{"to":"b","kind":"requires","condition":")" + condition +
                        R"("}],
         "instances":[{"name":"a","firstStart":{"startedUSec":3000000,"readyUSec":3001000,"waitedFor":"b","atBoot":true},"state":"running"}]},
        {"name":"b","instances":[{"name":"b","state":"exited","firstStart":{"startedUSec":0,"readyUSec":2000,"atBoot":true}}]}]})");
    };
    EXPECT_NE(critical(graph("exited_ok"), false).find("b         0.000s   3.000s (exited_ok)  3.000s  -\n"),
              std::string::npos)
        << critical(graph("exited_ok"), false);
    EXPECT_NE(critical(graph("healthy"), false).find("3.000s (healthy)"), std::string::npos);
    EXPECT_NE(critical(graph("ready"), false).find("b         0.000s   0.002s  0.002s  -\n"), std::string::npos);
}

TEST_F(GraphText, OfTheCriticalPathNamesWhatIsGone) {
    EXPECT_NE(critical(graph_of(R"({"jobs":[{"name":"a","instances":[{"name":"a","state":"running","ready":true,
                   "firstStart":{"wantedUSec":0,"startedUSec":5,"readyUSec":5,"waitedFor":"gone","atBoot":true}}]}]})"),
                       false)
                  .find("0.000s   0.000s  0.000s  gone\n"),
              std::string::npos);
}

TEST_F(GraphText, OfTheCriticalPathEndsThoughTheAnswerGoesInCircles) {
    const auto circle = graph_of(R"({"jobs":[
        {"name":"a","instances":[{"name":"a","firstStart":{"readyUSec":1,"waitedFor":"b","atBoot":true}}]},
        {"name":"b","instances":[{"name":"b","firstStart":{"readyUSec":1,"waitedFor":"a","atBoot":true}}]}]})");
    EXPECT_EQ(critical_path(circle, false).size(), 2u);
}

TEST_F(GraphText, OfTheCriticalPathNamesWhatHasFailed) {
    const auto text = critical(graph_of(R"({"jobs":[
        {"name":"a","instances":[{"name":"a","state":"running","firstStart":{"readyUSec":7,"waitedFor":"b","atBoot":true}}]},
        {"name":"b","instances":[{"name":"b","state":"failed",
         "firstStart":{"wantedUSec":0,"startedUSec":1000,"failedUSec":3000,"atBoot":true}}]}]})"),
                               false);
    EXPECT_NE(text.find("b         0.001s   0.003s (failed)  0.002s  -\nfailed: b\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace procsup::ctl
