// Every key with a good value: what it becomes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <functional>

#include "conf/keys.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using testing::configuration_of;
using testing::job_of;
using testing::job_with;
using testing::problems_of;

constexpr const char* kCaptured = "log.stdout = \"capture\"";

struct GoodCase {
    const char* section;
    const char* key;
    const char* value;
    std::function<bool(const JobSpec&)> check;
    const char* more = "";  ///< keys that must come with it
};

bool has(const JobSpec& spec, TreeLimit::Kind kind, std::uint64_t value) {
    return spec.tree_limits == std::vector{TreeLimit{kind, value}};
}

/// Whether `spec` has webctl with this word for the hook, and no other.
bool has_hook(const JobSpec& spec, Hook hook, const std::string& word) {
    const auto* command = spec.hook(hook);
    return spec.hooks.size() == 1 && command != nullptr && *command == JobCommand{{"webctl", word}, "/usr/bin/webctl"};
}

const std::vector<GoodCase>& good_cases() {
    using S = const JobSpec&;
    static const std::vector<GoodCase> cases{
        {"", "description", "\"Shop\"", [](S s) { return s.description == "Shop"; }},
        {"", "type", "\"oneshot\"", [](S s) { return s.type == JobType::Oneshot; }},
        {"", "enabled", "false", [](S s) { return !s.enabled; }},
        {"", "instances", "3",
         [](S s) {
             return s.instances == std::vector<std::string>{"0", "1", "2"};
         }},
        {"", "instances", "1", [](S s) { return s.instances.empty(); }},
        {"", "instances", "[\"eu\", \"us\"]",
         [](S s) {
             return s.instances == std::vector<std::string>{"eu", "us"};
         }},
        {"", "port_base", "8000", [](S s) { return s.port_base == 8000; }, "env = { P = \"${job:port}\" }"},
        {"", "user", "\"www-data\"",
         [](S s) {
             return s.identity == Identity{33, 33, {4}};
         }},
        {"", "user", "33",
         [](S s) {
             return s.identity == Identity{33, 33, {4}};
         }},
        {"", "user", "\"33\"",
         [](S s) {
             return s.identity == Identity{33, 33, {4}};
         }},
        {"", "group", "\"adm\"",
         [](S s) {
             return s.identity == Identity{0, 4, {}};
         }},
        {"", "groups", "[\"adm\", 33, 33]",
         [](S s) {
             return s.identity == Identity{0, 0, {4, 33}};
         }},
        {"", "working_dir", "\"/srv\"", [](S s) { return s.working_dir == "/srv"; }},
        {"", "umask", "\"0027\"", [](S s) { return s.umask == 027; }},
        {"", "umask", "\"077\"", [](S s) { return s.umask == 077; }},
        {"", "inherit_env", "[\"TZ\", \"UNSET\"]",
         [](S s) { return s.env.back() == "USER=root" && s.env[5] == "TZ=Europe/Berlin"; }},
        {"", "env_files", "[\"-/absent\"]", [](S s) { return s.env.size() == 6; }},
        {"", "env", "{ A = \"b\" }", [](S s) { return s.env[0] == "A=b"; }},
        {"", "restart", "\"no\"", [](S s) { return s.restart.when == Restart::No; }},
        {"", "restart", "\"on-success\"", [](S s) { return s.restart.when == Restart::OnSuccess; }},
        {"", "restart", "\"on-failure\"", [](S s) { return s.restart.when == Restart::OnFailure; }},
        {"", "restart", "\"on-abnormal\"", [](S s) { return s.restart.when == Restart::OnAbnormal; }},
        {"", "restart", "\"always\"", [](S s) { return s.restart.when == Restart::Always; }},
        {"", "restart", "\"unless-stopped\"", [](S s) { return s.restart.when == Restart::UnlessStopped; }},
        {"", "min_uptime", "\"3s\"", [](S s) { return s.restart.min_uptime == 3s; }},
        {"", "restart_delay", "\"250ms\"", [](S s) { return s.restart.delay == 250ms; }},
        {"", "restart_backoff", "1.5", [](S s) { return s.restart.backoff == 1.5; }},
        {"", "restart_backoff", "3", [](S s) { return s.restart.backoff == 3; }},
        {"", "restart_delay_max", "\"1min\"", [](S s) { return s.restart.delay_max == 1min; }},
        {"", "restart_jitter", "0.5", [](S s) { return s.restart.jitter == 0.5; }},
        {"", "restart_reset", "\"1h\"", [](S s) { return s.restart.reset == 1h; }},
        {"", "start_limit", "\"5/10min\"",
         [](S s) {
             return s.restart.start_limit == RateLimit{5, 10min};
         }},
        {"", "start_limit", "\"none\"", [](S s) { return s.restart.start_limit.count == 0; }},
        {"", "success_exit_codes", "[143, 0, \"SIGTERM\"]",
         [](S s) {
             return s.restart.success == ExitSet{{0, 143}, {15}};
         }},
        {"", "prevent_restart_codes", "[3]",
         [](S s) {
             return s.restart.prevent == ExitSet{{3}, {}};
         }},
        {"", "force_restart_codes", "[\"hup\"]",
         [](S s) {
             return s.restart.force == ExitSet{{}, {1}};
         }},
        {"", "on_exhausted", "\"exit\"", [](S s) { return s.restart.on_exhausted == OnExhausted::Exit; }},
        {"", "essential", "true", [](S s) { return s.essential; }},
        {"", "start_timeout", "\"none\"", [](S s) { return s.start_timeout == kForever; }},
        {"", "stop_timeout", "\"0s\"", [](S s) { return s.stop_timeout == 0s; }},
        {"", "run_timeout", "\"1h30min\"", [](S s) { return s.run_timeout == 90min; }},
        {"", "max_lifetime", "\"1d\"", [](S s) { return s.max_lifetime == 24h; }},
        {"", "max_lifetime", "\"none\"", [](S s) { return s.max_lifetime == kForever; }},
        {"", "max_lifetime_variance", "0.25", [](S s) { return s.max_lifetime_variance == 0.25; },
         "max_lifetime = \"1d\""},
        {"", "stop_signal", "\"SIGINT\"", [](S s) { return s.stop_signal == SIGINT; }},
        {"", "stop_signal", "[\"SIGINT\", \"1s\", \"SIGTERM\", \"2s\", \"SIGQUIT\"]",
         [](S s) {
             return s.stop_signal == SIGINT && s.stop_steps == std::vector<StopStep>{{1s, SIGTERM}, {2s, SIGQUIT}};
         }},
        {"", "reload_signal", "\"USR1\"", [](S s) { return s.reload_signal == SIGUSR1; }},
        {"", "stop_scope", "\"main\"", [](S s) { return s.stop_scope == StopScope::Main; }},
        {"", "stop_signal_to", "\"all\"", [](S s) { return s.stop_signal_to == SignalTo::All; }},
        {"", "stop_command", "[\"webctl\", \"${job:name}\"]",
         [](S s) {
             return s.stop_command == JobCommand{{"webctl", "web"}, "/usr/bin/webctl"};
         }},
        {"", "stop_command", "\"bin/webctl 'now or never'\"",
         [](S s) {
             return s.stop_command == JobCommand{{"bin/webctl", "now or never"}, "/bin/webctl"};
         }},
        {"", "reload_command", "\"webctl reread\"",
         [](S s) {
             return s.reload_command == JobCommand{{"webctl", "reread"}, "/usr/bin/webctl"};
         }},
        {"", "pre_start", "[\"webctl\", \"${job:name}\"]", [](S s) { return has_hook(s, Hook::PreStart, "web"); }},
        {"", "post_start", "\"webctl up\"", [](S s) { return has_hook(s, Hook::PostStart, "up"); }},
        {"", "pre_stop", "\"webctl down\"", [](S s) { return has_hook(s, Hook::PreStop, "down"); }},
        {"", "post_stop", "\"webctl gone\"", [](S s) { return has_hook(s, Hook::PostStop, "gone"); }},
        {"", "on_failed", "\"webctl mail\"", [](S s) { return has_hook(s, Hook::OnFailed, "mail"); }},
        {"", "orphans", "\"adopt\"", [](S s) { return s.orphans == Orphans::Adopt; }},
        {"", "watchdog", "\"30s\"", [](S s) { return s.watchdog == 30s && s.watchdog_signal == SIGABRT; }},
        {"", "watchdog_signal", "\"TERM\"", [](S s) { return s.watchdog_signal == SIGTERM; }, "watchdog = '30s'"},
        {"", "zombie_limit", "0", [](S s) { return s.zombie_limit == 0u; }},
        {"", "zombie_check", "\"1s\"", [](S s) { return s.zombie_check == 1s; }, "zombie_limit = 1"},
        {"", "may_fork", "false", [](S s) { return !s.may_fork; }},
        {"", "owner", "\"nobody\"", [](S s) { return s.owner == 65534u; }},
        {"", "tags", "[\"blue\", \"prod\"]",
         [](S s) {
             return s.tags == std::vector<std::string>{"blue", "prod"};
         }},
        {"", "x", "{ team = [1, 2.5, 1979-05-27], restrat = {} }", [](S s) { return s.name == "web"; }},
        {"log", "stdout", "\"journal\"",
         [](S s) {
             return s.stdout_stream == Stream{Stream::Kind::Journal, {}};
         }},
        {"log", "stderr", "\"forward\"",
         [](S s) {
             return s.stderr_stream == Stream{Stream::Kind::Forward, {}};
         }},
        {"log", "stderr", "\"/var/log/w.err\"",
         [](S s) {
             return s.stderr_stream == Stream{Stream::Kind::File, "/var/log/w.err"};
         }},
        {"log", "stderr", "\"null\"", [](S s) { return s.stderr_stream.kind == Stream::Kind::Null; }},
        {"log", "stdout", "\"inherit\"", [](S s) { return s.stdout_stream.kind == Stream::Kind::Inherit; }},
        {"log", "stdin", "\"/srv/in\"",
         [](S s) {
             return s.stdin_stream == Stream{Stream::Kind::File, "/srv/in"};
         }},
        {"log", "stdin", "\"null\"", [](S s) { return s.stdin_stream.kind == Stream::Kind::Null; }},
        {"log", "stdout", "\"capture\"",
         [](S s) {
             return s.stdout_stream == Stream{Stream::Kind::Capture, {}} && s.log == LogPolicy();
         }},
        {"log", "stderr", "\"capture\"", [](S s) { return s.stderr_stream.kind == Stream::Kind::Capture; }},
        {"log", "format", "\"json\"", [](S s) { return s.log.format == LogFormat::Json; }, kCaptured},
        {"log", "format", "\"raw\"", [](S s) { return s.log.format == LogFormat::Raw; }, kCaptured},
        {"log", "max_size", "\"4KiB\"", [](S s) { return s.log.max_size == 4096; }, kCaptured},
        {"log", "max_size", "\"none\"", [](S s) { return s.log.max_size == 0; }, kCaptured},
        {"log", "max_age", "\"1s\"", [](S s) { return s.log.max_age == 1s; }, kCaptured},
        {"log", "max_age", "\"none\"", [](S s) { return s.log.max_age == kForever; }, kCaptured},
        {"log", "keep", "7", [](S s) { return s.log.keep == 7; }, "log.max_size = \"none\"\nlog.stdout = \"capture\""},
        {"log", "keep", "10000", [](S s) { return s.log.keep == 10000; }, kCaptured},
        {"log", "keep", "0", [](S s) { return s.log.keep == 0; }, kCaptured},
        {"log", "total_size", "\"16MiB\"", [](S s) { return s.log.total_size == 16 * kMebibyte; }, kCaptured},
        {"log", "total_size", "\"none\"", [](S s) { return s.log.total_size == 0; }, kCaptured},
        {"log", "compress", "\"zstd\"", [](S s) { return s.log.compress == Compress::Zstd; }, kCaptured},
        {"log", "compress", "\"none\"", [](S s) { return s.log.compress == Compress::None; }, kCaptured},
        {"log", "on_full", "\"block\"", [](S s) { return s.log.on_full == OnFull::Block; }, kCaptured},
        {"log", "on_full", "\"drop_newest\"", [](S s) { return s.log.on_full == OnFull::DropNewest; }, kCaptured},
        {"log", "on_full", "\"drop_oldest\"", [](S s) { return s.log.on_full == OnFull::DropOldest; }, kCaptured},
        {"log", "rate_limit", "\"10000000/1min\"",
         [](S s) {
             return s.log.rate_limit == RateLimit{10000000, 1min};
         },
         kCaptured},
        {"log", "rate_limit", "\"none\"", [](S s) { return s.log.rate_limit.count == 0; }, kCaptured},
        {"log", "mirror", "true", [](S s) { return s.log.mirror == true; }, kCaptured},
        {"log", "sync", "\"0s\"", [](S s) { return s.log.sync == 0s; }, kCaptured},
        {"log", "sync", "\"500ms\"", [](S s) { return s.log.sync == 500ms; }, kCaptured},
        {"log", "sync", "\"none\"", [](S s) { return s.log.sync == kForever; }, kCaptured},
        {"log", "dir", "\"/var/log/${job:name}/x\"", [](S s) { return s.log.dir == "/var/log/web/x"; }, kCaptured},
        {"limits", "open_files", "1024",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_NOFILE, 1024};
         }},
        {"limits", "core", "\"0B\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_CORE, 0};
         }},
        {"limits", "processes", "\"unlimited\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_NPROC, RLIM_INFINITY};
         }},
        {"limits", "address_space", "\"1GiB\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_AS, 1u << 30};
         }},
        {"limits", "stack", "\"8MiB\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_STACK, 8u << 20};
         }},
        {"limits", "memlock", "\"64KiB\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_MEMLOCK, 65536};
         }},
        {"limits", "fsize", "\"1GB\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_FSIZE, 1000000000};
         }},
        {"limits", "open_files", "\"1024:unlimited\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_NOFILE, 1024, RLIM_INFINITY};
         }},
        {"limits", "stack", "\"1MiB:8MiB\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_STACK, 1u << 20, 8u << 20};
         }},
        {"limits", "cpu_time", "\"1min30s:1h\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_CPU, 90, 3600};
         }},
        {"limits", "data", "\"unlimited\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_DATA, RLIM_INFINITY};
         }},
        {"limits", "pending_signals", "7",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_SIGPENDING, 7};
         }},
        {"limits", "message_queues", "\"819200B\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_MSGQUEUE, 819200};
         }},
        {"limits", "nice_limit", "-20",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_NICE, 40};
         }},
        {"limits", "nice_limit", "\"19:-5\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_NICE, 0, 25};
         }},
        {"limits", "realtime_priority", "\"0:99\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_RTPRIO, 0, 99};
         }},
        {"limits", "realtime_time", "\"1.5ms\"",
         [](S s) {
             return s.limits[0] == ResourceLimit{RLIMIT_RTTIME, 1500};
         }},
        {"limits", "nice", "-5", [](S s) { return s.nice == -5; }},
        {"limits", "scheduling", "\"batch\"",
         [](S s) {
             return s.scheduling == Scheduling{Scheduling::Policy::Batch, 0};
         }},
        {"limits", "scheduling", "\"rr:99\"",
         [](S s) {
             return s.scheduling == Scheduling{Scheduling::Policy::Rr, 99};
         }},
        {"limits", "io_priority", "\"best-effort:7\"",
         [](S s) {
             return s.io_priority == IoPriority{IoPriority::Class::BestEffort, 7};
         }},
        {"limits", "io_priority", "\"idle\"",
         [](S s) {
             return s.io_priority == IoPriority{IoPriority::Class::Idle, 0};
         }},
        {"limits", "cpu_affinity", "[5, 0, 5]",
         [](S s) {
             return s.cpu_affinity == std::vector{0, 5};
         }},
        {"limits", "cpu_affinity", "\"6,0-3,2-4\"",
         [](S s) { return s.cpu_affinity == std::vector{0, 1, 2, 3, 4, 6}; }},
        {"limits", "memory_max", "\"64MiB\"", [](S s) { return has(s, TreeLimit::Kind::MemoryMax, 64u << 20); }},
        {"limits", "memory_high", "\"unlimited\"",
         [](S s) { return has(s, TreeLimit::Kind::MemoryHigh, TreeLimit::kUnlimited); }},
        {"limits", "cpu", "1.5", [](S s) { return has(s, TreeLimit::Kind::Cpu, 150000); }},
        {"limits", "cpu_weight", "1", [](S s) { return has(s, TreeLimit::Kind::CpuWeight, 1); }},
        {"limits", "tasks_max", "2147483647", [](S s) { return has(s, TreeLimit::Kind::TasksMax, INT32_MAX); }},
        {"limits", "io_weight", "10000", [](S s) { return has(s, TreeLimit::Kind::IoWeight, 10000); }},
        {"limits", "oom_score_adjust", "500", [](S s) { return s.oom_score_adjust == 500; }},
        {"limits", "strict", "true", [](S s) { return s.strict_limits; }, "limits.nice = 1"},
        {"", "credentials", "{ key = \"/etc/key\" }",
         [](S s) {
             return s.credentials == std::vector<Credential>{{"key", "/etc/key"}};
         }},
        {"", "runtime_dirs", "[\"a/b\"]",
         [](S s) {
             return s.dirs[0] == JobDir{JobDir::Kind::Runtime, "/run", "a/b"};
         }},
        {"", "state_dirs", "[\"a\"]",
         [](S s) {
             return s.dirs[0] == JobDir{JobDir::Kind::State, "/var/lib", "a"};
         }},
        {"", "sockets", "[{ listen = \"8080\" }]", [](S s) { return s.sockets.at(0).listen == "8080"; }},
        {"", "log_dirs", "[\"a\"]",
         [](S s) {
             return s.dirs[0] == JobDir{JobDir::Kind::Log, "/var/log", "a"};
         }},
        {"sandbox", "no_new_privileges", "true", [](S s) { return s.privileges.no_new_privileges == true; }},
        {"sandbox", "no_new_privileges", "false", [](S s) { return s.privileges.no_new_privileges == false; }},
        {"sandbox", "capabilities", "[\"CAP_KILL\", \"net_bind_service\"]",
         [](S s) { return s.privileges.capabilities == (capability_bit(5) | capability_bit(10)); }},
        {"sandbox", "capabilities", "[]", [](S s) { return s.privileges.capabilities == CapabilitySet{0}; }},
        {"sandbox", "private_tmp", "true", [](S s) { return s.sandbox.private_tmp; }},
        {"sandbox", "read_only_paths", "[\"/srv\", \"-/opt/x\"]",
         [](S s) {
             return s.sandbox.paths == std::vector<SandboxPath>{{"/srv", true, false}, {"/opt/x", true, true}};
         }},
        {"sandbox", "read_write_paths", "[\"/srv/a/\"]",
         [](S s) {
             return s.sandbox.paths.back() == SandboxPath{"/srv/a", false, false};
         },
         "sandbox.read_only_paths = [\"/\"]"},
        {"sandbox", "strict", "true", [](S s) { return s.sandbox.strict; }, "sandbox.private_tmp = true"},
        {"sandbox", "ambient_capabilities", "[\"CAP_KILL\"]",
         [](S s) { return s.privileges.ambient == capability_bit(5) && !s.privileges.capabilities; },
         "user = \"www-data\""},
    };
    return cases;
}

TEST(JobKeys, EachGoodValueIsTakenOver) {
    for (const auto& good : good_cases()) {
        const std::string section = good.section;
        const std::string line = (section.empty() ? "" : section + ".") + good.key + " = " + good.value;
        SCOPED_TRACE(line);
        EXPECT_TRUE(good.check(job_with(line + "\n" + good.more)));
    }
}

TEST(JobKeys, EveryKeyOfATheTableHasAGoodCase) {
    for (const auto& row : all_keys()) {
        if (!is_job_section(row.section) || row.name == "command" || row.name == "shell") continue;
        // In readiness_test.cc, health_test.cc, schedule_test.cc and references_test.cc.
        if (row.section == "ready" || row.section == "health" || row.section == "schedule") continue;
        constexpr std::string_view kOfOthers[] = {"daemon_of", "on_parent_restart", "pipe_to", "after", "before",
                                                  "wants",     "requires"};
        if (std::find(std::begin(kOfOthers), std::end(kOfOthers), row.name) != std::end(kOfOthers)) continue;
        const auto& cases = good_cases();
        const bool covered = std::any_of(cases.begin(), cases.end(), [&](const GoodCase& good) {
            return row.section == good.section && row.name == good.key;
        });
        EXPECT_TRUE(covered) << row.name;
    }
}

TEST(JobKeys, DefaultsAreThoseOfAnEmptySpec) {
    const auto job = job_with("");
    EXPECT_EQ(job.name, "web");
    EXPECT_EQ(job.origin, "web.toml:1");
    EXPECT_EQ(job.restart, RestartPolicy());
    EXPECT_EQ(job.working_dir, "/");
    EXPECT_EQ(job.identity, std::nullopt);
    EXPECT_EQ(job.stdout_stream, (Stream{Stream::Kind::Capture, {}}));
    EXPECT_EQ(job.stderr_stream, (Stream{Stream::Kind::Capture, {}}));
    EXPECT_EQ(job.log, LogPolicy());
}

TEST(JobKeys, ErrorOutputGoesWhereOutputGoesWhenThatTellsNoStreamsApart) {
    using Kind = Stream::Kind;
    EXPECT_EQ(job_with("log.stdout = 'journal'").stderr_stream.kind, Kind::Journal);
    EXPECT_EQ(job_with("log.stdout = 'forward'").stderr_stream.kind, Kind::Forward);
    EXPECT_EQ(job_with("log.stdout = 'inherit'").stderr_stream.kind, Kind::Inherit);
    EXPECT_EQ(job_with("log.stdout = 'null'").stderr_stream.kind, Kind::Capture);
    EXPECT_EQ(job_with("log.stdout = '/srv/out'").stderr_stream.kind, Kind::Capture);
    EXPECT_EQ(job_with("log.stdout = 'journal'\nlog.stderr = 'capture'").stderr_stream.kind, Kind::Capture);
}

TEST(JobCommand, IsTakenAsAnArrayOrSplitOrGivenToAShell) {
    EXPECT_EQ(job_of("command = [\"/bin/a\", \"b c\"]").command, (std::vector<std::string>{"/bin/a", "b c"}));
    EXPECT_EQ(job_of("command = \"/bin/a 'b c'\"").command, (std::vector<std::string>{"/bin/a", "b c"}));
    const auto job = job_of("shell = \"echo $HOME | cat\"");
    EXPECT_EQ(job.command, (std::vector<std::string>{"/bin/sh", "-c", "echo $HOME | cat"}));
    EXPECT_EQ(job.program, "/bin/sh");
}

TEST(JobCommand, ProgramIsFoundInThePathOfTheJob) {
    EXPECT_EQ(job_of("command = \"/opt/not/there\"").program, "/opt/not/there");
    EXPECT_EQ(job_of("command = \"python3 -V\"").program, "/usr/bin/python3");
    EXPECT_EQ(job_of("command = \"python3 -V\"").command[0], "python3");
    EXPECT_EQ(job_of("command = \"tool\"\nenv = { PATH = \".:/opt:/usr/bin/sub/\" }").program, "/usr/bin/sub/tool");
    EXPECT_EQ(job_of("command = \"./run\"\nworking_dir = \"/srv\"").program, "/srv/./run");
}

TEST(DaemonKeys, AreTakenOver) {
    const auto daemon =
        configuration_of(
            "[daemon]\nruntime_dir = \"/run/p\"\nstate_dir = \"state\"\nlog_dir = \"out/log\"\nlog_level = \"debug\"\n"
            "shutdown_timeout = \"20s\"\nmax_clients = 10\ncontainment = \"keeper\"\non_crash = \"stop\"\n"
            "[access]\nadmin = [\"@adm\"]\noperate = [\"nobody\", 7]\nread = []\n")
            .daemon;
    EXPECT_EQ(daemon.runtime_dir, "/run/p");
    EXPECT_EQ(daemon.state_dir, "/project/state");
    EXPECT_EQ(daemon.log_dir, "/project/out/log");
    EXPECT_EQ(daemon.log_level, LogLevel::Debug);
    EXPECT_EQ(daemon.shutdown_timeout, 20s);
    EXPECT_EQ(daemon.max_clients, 10u);
    EXPECT_EQ(daemon.containment, ContainmentMode::Keeper);
    EXPECT_EQ(daemon.on_crash, OnCrash::Stop);
    EXPECT_EQ(daemon.admin.groups, std::vector<gid_t>{4});
    EXPECT_EQ(daemon.operate.users, (std::vector<uid_t>{65534, 7}));
    EXPECT_FALSE(daemon.read.everyone);
}

TEST(DaemonKeys, EveryoneMayReadUnlessSaidOtherwise) {
    EXPECT_TRUE(configuration_of("[daemon]").daemon.read.everyone);
    EXPECT_TRUE(configuration_of("[access]\noperate = [\"*\"]").daemon.operate.everyone);
}

TEST(Defaults, AreWhatEachJobStartsFrom) {
    const auto jobs =
        configuration_of(
            "[defaults]\nstop_timeout = \"3s\"\nenv = { A = \"1\", B = \"${job:name}\" }\nshell = \"a\"\n"
            "limits.nice = 5\nlimits.core = \"1B\"\n"
            "[jobs.b]\ncommand = \"/bin/b\"\nenv.A = \"2\"\nlimits.core = \"2B\"\n[jobs.a]\nstop_timeout = \"4s\"\n")
            .jobs;
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].name, "a");
    EXPECT_EQ(jobs[0].command[2], "a");
    EXPECT_EQ(jobs[0].stop_timeout, 4s);
    EXPECT_EQ(jobs[1].command[0], "/bin/b");
    EXPECT_EQ(jobs[1].stop_timeout, 3s);
    EXPECT_EQ(jobs[1].env[0], "A=2");
    EXPECT_EQ(jobs[1].env[1], "B=b");
    EXPECT_EQ(jobs[1].nice, 5);
    EXPECT_EQ(jobs[1].limits, (std::vector<ResourceLimit>{{RLIMIT_CORE, 2}}));
}

TEST(ProjectFile, RelativePathsStartFromItsFolder) {
    const auto job = configuration_of("[jobs.a]\ncommand = \"./run\"\nlog.stdout = \"log/a.txt\"\n").jobs.at(0);
    EXPECT_EQ(job.working_dir, "/project");
    EXPECT_EQ(job.program, "/project/./run");
    EXPECT_EQ(job.stdout_stream.path, "/project/log/a.txt");
    EXPECT_EQ(configuration_of("[jobs.a]\nshell = \"x\"\nworking_dir = \"sub\"").jobs.at(0).working_dir,
              "/project/sub");
}

TEST(LogDir, StartsFromTheFolderOfAProject) {
    const auto job = configuration_of("[jobs.a]\nshell = \"x\"\nlog = { stderr = \"capture\", dir = \"log\" }\n");
    EXPECT_EQ(job.jobs.at(0).log.dir, "/project/log");
}

TEST(LogDir, KeepsWhatDiffersBetweenInstances) {
    EXPECT_EQ(job_with("instances = 2\nlog.dir = \"/srv/${job:name}/${job:index}\"\nlog.stdout = \"capture\"").log.dir,
              "/srv/web/${job:index}");
}

TEST(LogDir, LeavesRoomForTheNamesOfFiles) {
    EXPECT_EQ(problems_of("shell = 'x'\nlog.stdout = 'capture'\nlog.dir = '/" + std::string(3800, 'a') + "'"),
              std::vector<std::string>{"3:11: error: 'log.dir' is too long: more than 3800 bytes"});
}

TEST(LogDir, NeedNotExist) {
    EXPECT_EQ(job_with("log.dir = \"/missing/log\"\nlog.stdout = \"capture\"").log.dir, "/missing/log");
}

TEST(Environment, HasTheDefaultsAndTheUser) {
    EXPECT_EQ(job_with("user = \"www-data\"").env,
              (std::vector<std::string>{"HOME=/var/www", "LANG=C.UTF-8", "LOGNAME=www-data",
                                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                        "SHELL=/usr/sbin/nologin", "USER=www-data"}));
}

TEST(Environment, LaterSourcesWin) {
    FakeSurroundings surroundings;
    surroundings.users.clear();
    surroundings.variables = {{"LANG", "de"}, {"A", "inherited"}, {"B", "inherited"}, {"C", "inherited"}};
    surroundings.files["/etc/a"] = "B=file\nC=file\n";
    const auto job = job_with(
        "inherit_env = [\"LANG\", \"A\", \"B\", \"C\"]\nenv_files = [\"/etc/a\"]\nenv.C = \"own\"", surroundings);
    EXPECT_EQ(job.env, (std::vector<std::string>{"A=inherited", "B=file", "C=own", "LANG=de",
                                                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}));
}

TEST(Environment, ValuesFromOutsideAreNotExpanded) {
    FakeSurroundings surroundings;
    surroundings.variables = {{"TRAP", "${job:index}"}};
    surroundings.files["/etc/a"] = "FILE=${job:port}\n";
    const auto job = job_with(
        "instances = 2\ninherit_env = [\"TRAP\"]\nenv_files = [\"/etc/a\"]\nenv.OWN = \"${env:TRAP}\"", surroundings);
    EXPECT_EQ(job.env[0], "FILE=$${job:port}");
    EXPECT_EQ(job.env[4], "OWN=$${job:index}");
    EXPECT_EQ(job.env[7], "TRAP=$${job:index}");
}

TEST(User, OwnOneNeedsNoRoot) {
    FakeSurroundings surroundings;
    surroundings.uid = surroundings.gid = 33;
    EXPECT_EQ(job_with("user = \"www-data\"\ngroup = \"www-data\"", surroundings).identity, std::nullopt);
}

TEST(User, IdWithoutEntryRunsWithItsGroup) {
    EXPECT_EQ(job_with("user = 4242\ngroup = 7").identity, (Identity{4242, 7, {}}));
}

}  // namespace
}  // namespace procsup
