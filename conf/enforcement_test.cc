#include "conf/enforcement.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include "conf/configuration_reader.h"
#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using testing::job_with;

/// One without any privilege, in a small container.
Abilities poor() {
    Abilities abilities;
    abilities.capabilities = 0;
    for (std::size_t i = 0; i < kResourceLimits.size(); ++i) {
        const auto resource = kResourceLimits[i].resource;
        if (resource == RLIMIT_NOFILE) abilities.hard_limits[i] = 20000;
        if (resource == RLIMIT_MEMLOCK) abilities.hard_limits[i] = 8u << 20;
        if (resource == RLIMIT_NICE || resource == RLIMIT_RTPRIO) abilities.hard_limits[i] = 0;
    }
    abilities.raises_limits = false;
    abilities.is_root = true;
    abilities.most_open_files = 1048576;
    abilities.least_nice = 0;
    abilities.most_realtime = 0;
    abilities.realtime_io = false;
    abilities.least_oom_score = 200;
    abilities.cpus = {0, 1};
    abilities.controller_faults.fill("no cgroups are used: nobody may");
    abilities.controller_faults[static_cast<std::size_t>(Controller::Cpu)].clear();
    return abilities;
}

std::vector<std::string> found(const std::string& limits, const Abilities& abilities) {
    std::vector<std::string> texts;
    for (const auto& shortfall : shortfalls(job_with("[limits]\n" + limits), abilities))
        texts.push_back(to_text(shortfall));
    return texts;
}

TEST(Enforcement, OfEverythingIsPossibleForWhoMayDoEverything) {
    EXPECT_TRUE(found("open_files = 'unlimited'\nmemlock = 'unlimited'\nnice_limit = -20\nscheduling = 'fifo:99'\n"
                      "io_priority = 'realtime:0'\ncpu_affinity = '0-8191'\noom_score_adjust = -1000\n",
                      Abilities{})
                    .empty());
}

struct Case {
    const char* limits;
    const char* shortfall;  ///< nullptr: there is none
};

TEST(Enforcement, NamesEachKeyThatAPoorDaemonCannotEnforceAndWhy) {
    const std::vector<Case> cases{
        {"open_files = 20000", nullptr},
        {"open_files = 20001",
         "limits.open_files = 20001: above the hard limit 20000, and procsupd lacks CAP_SYS_RESOURCE"},
        {"open_files = '10:30000'",
         "limits.open_files = \"10:30000\": above the hard limit 20000, and procsupd lacks CAP_SYS_RESOURCE"},
        {"open_files = 'unlimited'", "limits.open_files = \"unlimited\": above fs.nr_open, which is 1048576"},
        {"memlock = '8MiB'", nullptr},
        {"memlock = '9MiB'",
         "limits.memlock = \"9MiB\": above the hard limit 8MiB, and procsupd lacks CAP_SYS_RESOURCE"},
        {"stack = 'unlimited'", nullptr},
        {"nice_limit = 19", nullptr},
        {"nice_limit = 18", "limits.nice_limit = 18: above the hard limit 19, and procsupd lacks CAP_SYS_RESOURCE"},
        {"realtime_priority = 0", nullptr},
        {"realtime_priority = 1",
         "limits.realtime_priority = 1: above the hard limit 0, and procsupd lacks CAP_SYS_RESOURCE"},
        {"nice = 0", nullptr},
        {"nice = -1", "limits.nice = -1: less than 0 is not permitted: procsupd lacks CAP_SYS_NICE"},
        {"scheduling = 'batch'", nullptr},
        {"scheduling = 'rr:1'",
         "limits.scheduling = \"rr:1\": real-time scheduling is not permitted: procsupd lacks CAP_SYS_NICE"},
        {"io_priority = 'best-effort:0'", nullptr},
        {"io_priority = 'idle'", nullptr},
        {"io_priority = 'realtime:7'",
         "limits.io_priority = \"realtime:7\": real-time priority is not permitted: procsupd lacks CAP_SYS_NICE"},
        {"cpu_affinity = '0-1'", nullptr},
        {"cpu_affinity = '1-3,8'", "limits.cpu_affinity = \"1-3,8\": 2-3,8 cannot be used, only 0-1"},
        {"memory_max = 'unlimited'", nullptr},
        {"memory_max = '64MiB'", "limits.memory_max = \"64MiB\": no cgroups are used: nobody may"},
        {"memory_high = '64MiB'", "limits.memory_high = \"64MiB\": no cgroups are used: nobody may"},
        {"cpu = 0.5", nullptr},
        {"cpu_weight = 50", nullptr},
        {"tasks_max = 5",
         "limits.tasks_max = 5: no cgroups are used: nobody may; limits.processes counts all processes of the job's "
         "user"},
        {"io_weight = 50", "limits.io_weight = 50: no cgroups are used: nobody may"},
        {"oom_score_adjust = 200", nullptr},
        {"oom_score_adjust = 199",
         "limits.oom_score_adjust = 199: less than 200 is not permitted: procsupd lacks CAP_SYS_RESOURCE"},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.limits);
        const auto texts = found(one.limits, poor());
        EXPECT_EQ(texts,
                  one.shortfall == nullptr ? std::vector<std::string>() : std::vector<std::string>{one.shortfall});
    }
}

TEST(Enforcement, OfALimitOfProcessesIsNotPossibleForRoot) {
    Abilities abilities;
    EXPECT_TRUE(found("processes = 5", abilities).empty());
    abilities.is_root = true;
    EXPECT_EQ(found("processes = 5", abilities),
              std::vector<std::string>{
                  "limits.processes = 5: the kernel does not hold root to it; tasks_max does, by a controller"});
    EXPECT_TRUE(found("processes = 'unlimited'", abilities).empty());
    JobSpec spec = job_with("[limits]\nprocesses = 5");
    spec.identity.emplace().uid = 33;
    EXPECT_TRUE(shortfalls(spec, abilities).empty());
}

TEST(Enforcement, SaysThatACapabilityOfAUserNamespaceDoesNotCount) {
    auto abilities = poor();
    abilities.capabilities = std::uint64_t{1} << CAP_SYS_RESOURCE | std::uint64_t{1} << CAP_SYS_NICE;
    EXPECT_EQ(
        found("nice = -1", abilities),
        std::vector<std::string>{
            "limits.nice = -1: less than 0 is not permitted: CAP_SYS_NICE of this user namespace does not count"});
}

TEST(Enforcement, LetsALimitThatCanBeRaisedPermitWhatItIsFor) {
    auto abilities = poor();
    abilities.raises_limits = true;
    EXPECT_EQ(found("nice_limit = -5\nnice = -5\n", abilities).size(), 0u);
    EXPECT_EQ(found("nice_limit = -5\nnice = -6\n", abilities).size(), 1u);
    EXPECT_EQ(found("realtime_priority = 3\nscheduling = 'rr:3'\n", abilities).size(), 0u);
    EXPECT_EQ(found("realtime_priority = 3\nscheduling = 'rr:4'\n", abilities).size(), 1u);
}

TEST(Enforcement, KeepsTheOrderOfTheKeys) {
    const auto texts = found("oom_score_adjust = -1\nnice = -1\nopen_files = 30000\nmemlock = '1GiB'\n", poor());
    ASSERT_EQ(texts.size(), 4u);
    EXPECT_TRUE(texts[0].starts_with("limits.open_files"));
    EXPECT_TRUE(texts[1].starts_with("limits.memlock"));
    EXPECT_TRUE(texts[2].starts_with("limits.nice"));
    EXPECT_TRUE(texts[3].starts_with("limits.oom_score_adjust"));
}

TEST(AbilitiesJson, ComesBackAsItWas) {
    for (const auto& abilities : {poor(), Abilities{}}) {
        json::Writer writer;
        write_json(writer, abilities);
        const auto back = read_abilities(*json::parse(writer.text()));
        ASSERT_TRUE(back) << writer.text();
        EXPECT_EQ(*back, abilities) << writer.text();
    }
}

TEST(AbilitiesJson, TakesWhatItDoesNotNameForPossible) {
    EXPECT_EQ(*read_abilities(*json::parse("{\"cpus\":\"0\",\"controllers\":[\"memory\"]}")), [] {
        Abilities abilities;
        abilities.cpus = {0};
        return abilities;
    }());
}

TEST(AbilitiesJson, OfAnotherFormIsRefused) {
    for (const char* text : {"[]", "5", "{\"cpus\":\"x\"}", "{\"hardLimits\":5}", "{\"controllerFaults\":5}"}) {
        const auto read = read_abilities(*json::parse(text));
        ASSERT_FALSE(read) << text;
        EXPECT_NE(read.error().message.find("procsupd --abilities"), std::string::npos);
    }
}

TEST(CheckReport, SaysWhatCannotBeEnforced) {
    CheckResult result{Configuration{}, {}};
    result.unenforceable.push_back({"web.toml", 3, 1, "job 'web': cannot enforce x", true});
    EXPECT_TRUE(result.good());
    EXPECT_EQ(check_report("web.toml", result),
              "web.toml:3:1: warning: job 'web': cannot enforce x\nweb.toml: 0 jobs, no errors, 1 warning\n");
    EXPECT_EQ(check_json("web.toml", result),
              R"({"path":"web.toml","jobs":0,"problems":[],"warnings":[{"file":"web.toml","line":3,"column":1,)"
              R"("message":"job 'web': cannot enforce x"}]})"
              "\n");
    result.unenforceable.push_back({"web.toml", 4, 1, "job 'db': cannot enforce y", false});
    EXPECT_FALSE(result.good());
    EXPECT_EQ(check_report("web.toml", result),
              "web.toml:3:1: warning: job 'web': cannot enforce x\nweb.toml:4:1: error: job 'db': cannot enforce y\n");
    EXPECT_NE(check_json("web.toml", result).find(R"("jobs":null,"problems":[{"file":"web.toml","line":4)"),
              std::string::npos);
}

}  // namespace
}  // namespace procsup
