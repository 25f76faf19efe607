#include "daemon/control/graph.h"

#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"
#include "daemon/control/instance_json.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Condition = Requirement::Condition;

/// A database, a one-shot that needs it, what needs both, and what comes behind that; started with procsupd.
std::vector<JobSpec> shop() {
    auto cache = job("cache"), db = job("db"), greet = job("greet"), migrate = job("migrate"), web = job("web");
    cache.dependencies.before = {"greet"};
    migrate.type = JobType::Oneshot;
    migrate.dependencies.requirements = {{"db"}};
    web.dependencies.requirements = {{"db", Condition::Ready, Requirement::OnRestart::Restart},
                                     {"migrate", Condition::ExitedOk}};
    web.dependencies.wants = {"cache"};
    greet.dependencies.after = {"web"};
    std::vector<JobSpec> jobs{cache, db, greet, migrate, web};
    for (auto& spec : jobs) {
        spec.enabled = true;
        spec.restart.when = Restart::No;
    }
    return jobs;
}

struct Graph : testing::Test {
    explicit Graph(std::vector<JobSpec> jobs = {}, const DaemonSpec& spec = {}) : box(std::move(jobs), spec) {}

    static std::string second(const std::string& usec) {
        return usec == "null" ? usec : std::to_string(Duration(std::stoll(usec)) / 1s);
    }
    /// What the answer says of an instance's first start: "wanted started ready failed waited-for", in whole seconds.
    static std::string first_start(const Answer& answer, const std::string& job) {
        for (std::size_t i = 0; i < answer.count("jobs"); ++i) {
            const auto at = "jobs." + std::to_string(i);
            if (answer[at + ".name"] != job) continue;
            const auto first = at + ".instances.0.firstStart";
            return second(answer[first + ".wantedUSec"]) + " " + second(answer[first + ".startedUSec"]) + " " +
                   second(answer[first + ".readyUSec"]) + " " + second(answer[first + ".failedUSec"]) + " " +
                   answer[first + ".waitedFor"];
        }
        return "no such job";
    }
    static std::string names(const Answer& answer) {
        std::string text;
        for (std::size_t i = 0; i < answer.count("jobs"); ++i) {
            const auto at = "jobs." + std::to_string(i);
            text += (i > 0 ? " " : "") + answer[at + ".name"] + "/" + answer[at + ".step"];
        }
        return text;
    }

    ControlBox box;
    ControlClient client{box};
};

struct GraphOfTheShop : Graph {
    GraphOfTheShop() : Graph(shop()) {}
};

DaemonSpec nobody_reads() {
    DaemonSpec spec;
    spec.read = {};
    return spec;
}

struct GraphForFew : Graph {
    GraphForFew() : Graph({}, nobody_reads()) {}
};

TEST_F(GraphOfTheShop, HasJobsInTheOrderInWhichTheyCanBeStarted) {
    EXPECT_EQ(names(client.call("Job.Graph", "{}")), "cache/1 db/1 migrate/2 web/3 greet/4");
}

TEST_F(GraphOfTheShop, SaysOfEachLinkWhatItIsAndWhetherThatIsSo) {
    box.executes("db");
    const auto answer = client.call("Job.Graph", "{}");
    EXPECT_EQ(answer["jobs.3.links"],
              R"([{"to":"db","kind":"requires","condition":"ready","onRestart":"restart","met":true},)"
              R"({"to":"migrate","kind":"requires","condition":"exited_ok","onRestart":"ignore","met":false},)"
              R"({"to":"cache","kind":"wants","met":false}])");
    EXPECT_EQ(answer["jobs.4.links"],
              R"([{"to":"cache","kind":"before","met":false},{"to":"web","kind":"after","met":false}])");
    EXPECT_EQ(answer["jobs.0.links"], "[]");
}

TEST_F(Graph, SaysTheSameOrderOnce) {
    auto a = job("a"), b = job("b");
    a.dependencies.before = {"b"};
    b.dependencies.after = {"a"};
    box.configure({a, b});
    EXPECT_EQ(client.call("Job.Graph", "{}")["jobs.1.links"], R"([{"to":"a","kind":"after","met":true}])");
}

TEST_F(GraphOfTheShop, OfSomeJobsHasWhatTheyDependOnToo) {
    const auto answer = client.call("Job.Graph", R"({"names":["migrate"]})");
    EXPECT_EQ(names(answer), "db/1 migrate/2");
    EXPECT_EQ(answer["jobs.0.asked"] + " " + answer["jobs.1.asked"], "false true");
    EXPECT_EQ(answer["jobs.0.oneshot"] + " " + answer["jobs.1.oneshot"], "false true");
}

TEST_F(Graph, HasDaemonsBehindWhatTheyAreBoundTo) {
    auto agent = job("agent"), web = job("web"), db = job("db");
    agent.daemon_of = "web";
    web.dependencies.after = {"db"};
    box.configure({agent, web, db});
    const auto answer = client.call("Job.Graph", R"({"names":["agent"]})");
    EXPECT_EQ(names(answer), "db/1 web/2 agent/3");
    EXPECT_EQ(answer["jobs.2.links"], R"([{"to":"web","kind":"daemon_of","met":false}])");
}

TEST_F(GraphOfTheShop, SaysHowEachCameUp) {
    box.pass(1s);
    box.executes("cache");
    box.executes("db");
    box.pass(1s);
    box.executes("migrate");
    box.pass(1s);
    box.ends("migrate", ExitStatus::exited(0));
    box.pass(1s);
    const auto answer = client.call("Job.Graph", "{}");
    EXPECT_EQ(first_start(answer, "db"), "0 0 1 null null");
    EXPECT_EQ(first_start(answer, "migrate"), "0 1 3 null db");
    EXPECT_EQ(first_start(answer, "web"), "0 3 null null migrate");
    EXPECT_EQ(first_start(answer, "greet"), "0 null null null null");
    EXPECT_EQ(answer["jobs.1.instances.0.firstStart.atBoot"], "true");
    EXPECT_EQ(answer["bootUSec"], std::to_string(wall_usec(box.host, box.supervisor.booted())));
}

TEST_F(Graph, SaysNothingOfStartsThatWereNotWanted) {
    box.configure({job("idle")});
    box.pass(1s);
    EXPECT_EQ(client.call("Job.Graph", "{}")["jobs.0.instances.0"],
              R"({"name":"idle","state":"stopped","ready":false})");
    box.supervisor.start(box.instance("idle").id(), "wanted", box.loop.now());
    const auto answer = client.call("Job.Graph", "{}");
    EXPECT_EQ(first_start(answer, "idle"), "1 1 null null null");
    EXPECT_EQ(answer["jobs.0.instances.0.firstStart.atBoot"], "false");
}

TEST_F(Graph, OfManyJobsComesInSeveralAnswers) {
    std::vector<JobSpec> jobs;
    std::vector<std::string> before;
    for (int i = 0; i < 6000; ++i) {
        auto spec = job("a-job-with-a-rather-long-name-" + std::to_string(10000 + i));
        spec.dependencies.after = before;
        if (before.size() < 2) before.push_back(spec.name);
        jobs.push_back(std::move(spec));
    }
    box.configure(std::move(jobs));
    std::size_t count = 0;
    int answers = 0;
    for (std::string from = "0"; from != "null"; ++answers) {
        const auto answer = client.call("Job.Graph", R"({"from":)" + from + "}");
        ASSERT_EQ(answer.error, "");
        count += answer.count("jobs");
        from = answer["next"];
    }
    EXPECT_EQ(count, 6000u);
    EXPECT_GT(answers, 1);
    EXPECT_EQ(client.call("Job.Graph", R"({"from":6001})").count("jobs"), 0u);
    EXPECT_EQ(client.call("Job.Graph", R"({"from":-1})").error, "org.varlink.service.InvalidParameter");
}

TEST_F(Graph, OfAnUnknownJobIsAnError) {
    EXPECT_EQ(client.call("Job.Graph", R"({"names":["nope"]})").error, "io.procsupd.Job.NoSuchJob");
}

TEST_F(GraphForFew, ShowsAnOwnerHisOwnJobsOnly) {
    if (!is_root()) GTEST_SKIP() << "needs root";
    auto mine = job("mine"), mine_too = job("mine-too"), other = job("other"), on_mine = job("on-mine");
    mine.owner = mine_too.owner = kStranger;
    mine.dependencies.requirements = {{"other"}, {"mine-too"}};
    on_mine.dependencies.after = {"mine-too"};
    box.configure({mine, mine_too, on_mine, other});
    auto stranger = ControlClient::as_stranger(box);
    EXPECT_EQ(stranger.call("Job.Graph", "{}").error, "io.procsupd.Job.PermissionDenied");
    const auto answer = stranger.call("Job.Graph", R"({"names":["mine"]})");
    EXPECT_EQ(names(answer), "mine-too/1 mine/2");
    EXPECT_EQ(answer["jobs.1.links.0.to"], "other") << "which stands in his own file";
    const auto status = stranger.call("Manager.Status", R"({"names":["mine-too"]})");
    EXPECT_EQ(status["dependencies.0.neededBy"] + status["dependencies.0.before"], R"(["mine"][])");
}

TEST_F(GraphOfTheShop, IsToldByTheStatusOfNamedJobs) {
    EXPECT_EQ(client.call("Manager.Status", "{}")["dependencies"], "null");
    const auto answer = client.call("Manager.Status", R"({"names":["db","web"]})");
    EXPECT_EQ(answer["dependencies.0"], R"({"job":"db","links":[],"neededBy":["migrate","web"],"before":[]})");
    EXPECT_EQ(answer["dependencies.1.job"] + answer["dependencies.1.neededBy"] + answer["dependencies.1.before"],
              R"(web[]["greet"])");
    EXPECT_EQ(answer["dependencies.1.links.2.kind"], "wants");
    box.configure({job("alone")});
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["alone"]})")["dependencies"], "[]");
}

TEST_F(Graph, NamesSomeOfThoseThatNeedAJob) {
    std::vector<JobSpec> jobs{job("db")};
    for (int i = 0; i < 120; ++i) {
        jobs.push_back(job("web" + std::to_string(100 + i)));
        jobs.back().dependencies.wants = {"db"};
    }
    auto agent = job("agent");
    agent.daemon_of = "db";
    jobs.push_back(agent);
    box.configure(std::move(jobs));
    const auto answer = client.call("Manager.Status", R"({"names":["db"]})");
    EXPECT_EQ(answer.count("dependencies.0.neededBy"), 100u);
    EXPECT_EQ(answer["dependencies.0.neededByOmitted"], "21");
}

}  // namespace
}  // namespace procsup
