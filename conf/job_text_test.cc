#include "conf/job_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "conf/keys.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using testing::configuration_of;
using testing::job_of;
using testing::job_with;

std::string file_text(const std::string& path) {
    std::ifstream file(std::string(PROCSUP_SOURCE_DIR) + "/" + path);
    EXPECT_TRUE(file) << path;
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(JobToml, ReadsBackAsTheSameJob) {
    for (const char* lines : {
             "",
             "description = \"a \\\"b\\\" \\\\ ä\"\nenabled = false\nessential = true\ntags = ['a', 'b']\nowner = "
             "'nobody'",
             "instances = 3\nport_base = 8000\nenv = { P = '${job:port}', Q = '$${job:port}', R = \"a\\nb\\u0001\" }",
             "instances = ['eu', '1']\nuser = 'www-data'\ngroup = 'nogroup'\numask = '0007'\nworking_dir = "
             "'/${job:name}'",
             "type = 'oneshot'\nrestart = 'no'\nstart_timeout = 'none'\nrun_timeout = '1d2h3min4s5ms6us'",
             "restart = 'always'\nmin_uptime = '0s'\nrestart_delay = '1s'\nrestart_backoff = 1.1\nrestart_delay_max = "
             "'2s'\n"
             "restart_jitter = 0.25\nrestart_reset = '1min'\nstart_limit = 'none'\nprevent_restart_codes = [1, "
             "'SIGHUP']",
             "start_limit = '3/90s'\non_exhausted = 'exit'\nforce_restart_codes = [0]\nsuccess_exit_codes = []",
             "restart_jitter = 1e-300",
             "stop_signal = ['SIGINT', '1s', 'SIGTERM', '1.5s', 'SIGRTMIN+3']",
             "max_lifetime = '1d'\nmax_lifetime_variance = 0.5",
             "stop_signal = 'SIGRTMIN+3'\nreload_signal = 'SIGUSR2'\nstop_timeout = '0s'",
             "stop_command = ['/bin/webctl', 'a b', '${job:name}']",
             "reload_command = ['/bin/webctl', 'a b']\npre_start = ['/bin/a']\npost_start = ['/bin/b', '${job:name}']\n"
             "pre_stop = ['/bin/c']\npost_stop = ['/bin/d']\non_failed = ['/bin/e']",
             "may_fork = false",
             "zombie_limit = 5\nzombie_check = '2s'",
             "watchdog = '30s'\nwatchdog_signal = 'SIGQUIT'",
             "stop_scope = 'main'\nstop_signal_to = 'all'\norphans = 'adopt'",
             "[log]\nstdout = 'journal'\nstderr = '/var/log/${job:instance}'\nstdin = '/dev/zero'",
             "[log]\nstdout = 'capture'",
             "instances = 2\n[log]\nstderr = 'capture'\nformat = 'raw'\nmax_size = '1.5MiB'\nkeep = 0\n"
             "dir = '/srv/${job:instance}'",
             "[log]\nstdout = 'capture'\nstderr = 'capture'\nmax_size = 'none'\nformat = 'json'\nkeep = 3",
             "[log]\nstdout = 'capture'\nmax_age = '1.5d'\ntotal_size = '1GiB'\ncompress = 'none'\n"
             "on_full = 'drop_newest'\nrate_limit = '1000/1min30s'\nmirror = true\nsync = '0s'",
             "[log]\nstdout = 'capture'\nkeep = 0\non_full = 'drop_oldest'\nsync = '1500us'",
             "[log]\nstderr = 'journal'\non_full = 'drop_oldest'\nrate_limit = '5/1s'\nmirror = true",
             "[log]\nstdout = 'inherit'\nstderr = 'capture'",
             "[log]\nstdout = 'forward'\nstderr = 'capture'\nmirror = true",
             "[log]\nstderr = 'forward'\nstdout = 'null'\non_full = 'drop_oldest'\nrate_limit = '5/1s'",
             "[limits]\nopen_files = 10\nprocesses = 'unlimited'\ncore = '1.5KiB'\nnice = -3\noom_score_adjust = "
             "7\nstrict = true",
             "[limits]\nopen_files = '10:20'\nprocesses = '5:unlimited'\ncore = '1B:1KiB'\ncpu_time = '1min:1h'\n"
             "data = '8MiB'\npending_signals = 3\nmessage_queues = '0B'\nnice_limit = '5:-5'\nrealtime_priority = 1\n"
             "realtime_time = '10us:2s'\nscheduling = 'rr:2'\nio_priority = 'realtime:3'\ncpu_affinity = [0, 2, 3]",
             "[limits]\nnice_limit = -3\nscheduling = 'idle'\nio_priority = 'idle'\ncpu_affinity = '8191'",
         }) {
        const auto job = job_with(lines);
        const auto again = job_of(to_toml(job));
        EXPECT_EQ(again, job) << to_toml(job);
    }
}

TEST(JobToml, LeavesOutWhatHasNoEffectOnTheJob) {
    const auto job =
        configuration_of(
            "[defaults.log]\nstdout = 'null'\nstderr = 'null'\nformat = 'json'\nkeep = 1\n[jobs.a]\nshell = 'x'\n")
            .jobs.at(0);
    EXPECT_NE(to_toml(job).find("\n[log]\nstdout = \"null\"\nstderr = \"null\"\n\n"), std::string::npos);
    const auto none_kept = configuration_of(
                               "[defaults.log]\ntotal_size = '1GiB'\ncompress = 'none'\n"
                               "[jobs.a]\nshell = 'x'\nlog = { stdout = 'capture', keep = 0 }\n")
                               .jobs.at(0);
    EXPECT_NE(to_toml(none_kept).find("\n[log]\nkeep = 0\n\n"), std::string::npos);
}

TEST(JobToml, OfASingleInstanceHasThePortAsWritten) {
    const auto text = to_toml(job_with("port_base = 8000\nenv.P = '${job:port}'"));
    EXPECT_NE(text.find("port_base = 8000\n"), std::string::npos);
    EXPECT_NE(text.find("P = \"${job:port}\"\n"), std::string::npos);
}

TEST(JobToml, LeavesDefaultsOut) {
    FakeSurroundings surroundings;
    surroundings.users.clear();
    EXPECT_EQ(to_toml(job_with("", surroundings)),
              "command = [\"/bin/web\"]\nworking_dir = \"/\"\n\n[env]\nLANG = \"C.UTF-8\"\n"
              "PATH = \"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n");
}

TEST(JobJson, HasEverySetting) {
    json::Writer writer;
    write_json(writer,
               job_with("user = 'www-data'\nrun_timeout = '2s'\nlimits.core = 'unlimited'\nlog.stdout = 'null'"));
    const auto value = json::parse(writer.text());
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(value->string_or("name", ""), "web");
    EXPECT_EQ(value->string_or("description", ""), "web");
    EXPECT_EQ(value->int_or("runTimeoutUSec", 0), 2000000);
    EXPECT_EQ(value->string_or("stdout", ""), "null");
    EXPECT_EQ(value->string_or("umask", ""), "0022");
    EXPECT_EQ(value->find("identity")->int_or("uid", 0), 33);
    EXPECT_EQ(value->find("limits")->string_or("core", ""), "unlimited");
    EXPECT_EQ(value->find("startLimit")->int_or("count", 0), 10);
    EXPECT_EQ(value->find("portBase"), nullptr);
    EXPECT_EQ(value->as_object()->size(), 58u);
}

TEST(JobJson, HasHowCapturedOutputIsKept) {
    json::Writer writer;
    write_json(writer, job_with("[log]\nstdout = 'capture'\nmax_size = '1MiB'\nmax_age = '1min'\nkeep = 2\n"
                                "total_size = '2MiB'\ncompress = 'none'\non_full = 'drop_newest'\nrate_limit = '5/1s'\n"
                                "mirror = true\nsync = '0s'\ndir = '/srv/log'"));
    write_json(writer, job_with("[log]\nstdout = 'capture'\nmax_size = 'none'"));
    EXPECT_NE(writer.text().find(R"("log":{"format":"stamped","maxSize":1048576,"maxAgeUSec":60000000,"keep":2,)"
                                 R"("totalSize":2097152,"compress":"none","onFull":"drop_newest",)"
                                 R"("rateLimit":{"count":5,"windowUSec":1000000},"mirror":true,"syncUSec":0,)"
                                 R"("dir":"/srv/log"})"),
              std::string::npos);
    EXPECT_NE(writer.text().find(R"("log":{"format":"stamped","maxSize":null,"maxAgeUSec":null,"keep":5,)"
                                 R"("totalSize":null,"compress":"zstd","onFull":"block","rateLimit":null,)"
                                 R"("mirror":null,"syncUSec":null,"dir":null})"),
              std::string::npos);
}

TEST(JobJson, HasTheStopCommandWhereThereIsOne) {
    json::Writer writer;
    write_json(writer, job_with("stop_command = 'webctl quit'"));
    const auto value = json::parse(writer.text());
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(value->find("stopCommand")->as_array()->size(), 2u);
    EXPECT_EQ(value->string_or("stopProgram", ""), "/usr/bin/webctl");
}

TEST(JobJson, HasTheHooks) {
    json::Writer writer;
    write_json(writer, job_with("post_stop = 'webctl gone'"));
    EXPECT_NE(
        writer.text().find(R"("hooks":[{"hook":"post_stop","command":["webctl","gone"],"program":"/usr/bin/webctl"}])"),
        std::string::npos);
}

TEST(CheckReport, SaysWhatIsWrongOrHowManyJobs) {
    EXPECT_EQ(check_report("a.toml", configuration_of("[jobs.a]\nshell = 'x'")), "a.toml: 1 job, no problems\n");
    EXPECT_EQ(check_report("a.toml", Configuration{}), "a.toml: 0 jobs, no problems\n");
    const std::vector<Problem> problems{{"a.toml", 1, 2, "x"}, {"b.toml", 0, 0, "y"}};
    EXPECT_EQ(check_report("d", problems), "a.toml:1:2: error: x\nb.toml: error: y\n");
    EXPECT_EQ(check_json("d", Configuration{}), "{\"path\":\"d\",\"jobs\":0,\"problems\":[]}\n");
    EXPECT_EQ(
        check_json("d", problems),
        "{\"path\":\"d\",\"jobs\":null,\"problems\":[{\"file\":\"a.toml\",\"line\":1,\"column\":2,\"message\":\"x\"},"
        "{\"file\":\"b.toml\",\"line\":0,\"column\":0,\"message\":\"y\"}]}\n");
}

TEST(JsonSchema, InTheTreeIsTheOneOfTheTable) {
    EXPECT_TRUE(file_text("packaging/schema/procsup-1.schema.json") == json_schema())
        << "write packaging/schema/procsup-1.schema.json anew from json_schema()";
}

TEST(JsonSchema, HasEveryKey) {
    const auto schema = json::parse(json_schema());
    ASSERT_TRUE(schema) << schema.error().message;
    const auto* definitions = schema->find("definitions");
    ASSERT_NE(definitions, nullptr);
    const auto* settings = definitions->find("settings")->find("properties");
    const auto* file = schema->find("properties");
    for (const auto& row : all_keys()) {
        if (row.section == kGroupSection) {
            const auto* groups = definitions->find(kGroupSection)->find("patternProperties")->as_object();
            EXPECT_NE(groups->front().second.find("properties")->find(row.name), nullptr) << row.name;
            continue;
        }
        const auto* home = is_job_section(row.section) ? settings : file;
        if (row.section.empty()) {
            EXPECT_NE(file->find(row.name), nullptr) << row.name;
        }
        if (!row.section.empty()) home = home->find(row.section)->find("properties");
        EXPECT_NE(home->find(row.name), nullptr) << row.name;
    }
}

TEST(ManualKeys, HasEveryKey) {
    const auto manual = manual_keys();
    for (const auto& row : all_keys()) {
        std::string name = "\n*";
        for (const char c : row.name) name += c == '_' ? std::string("\\_") : std::string(1, c);
        EXPECT_NE(manual.find(name + "* = "), std::string::npos) << row.name;
    }
}

TEST(ManualKeys, StandInTheManualPageAsTheTableSaysThem) {
    EXPECT_NE(file_text("packaging/man/procsupd-job.5.scd").find(manual_keys()), std::string::npos)
        << "write what manual_keys() returns into the page";
}

TEST(Examples, HaveNoProblems) {
    for (const char* name :
         {"hello", "web", "migrate", "limits", "user", "project", "daemons", "redis", "captured", "instances", "pipe",
          "rights", "credentials", "apply/before", "apply/after", "quickstart/procsup", "processes/procsup"}) {
        const std::string file = std::string(name) + ".toml";
        const auto result = read_configuration_text(file_text("conf/examples/" + file), file, FakeSurroundings());
        EXPECT_EQ(result.index(), 0u) << check_report(file, result);
    }
}

}  // namespace
}  // namespace procsup
