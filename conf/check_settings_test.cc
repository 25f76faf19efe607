#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using testing::problems_of;

/// What is said of a job with these lines, without the place.
std::vector<std::string> faults(const std::string& lines) {
    auto problems = problems_of("command = '/bin/web'\n" + lines);
    for (auto& problem : problems) problem.erase(0, problem.find("error: ") + 7);
    return problems;
}

TEST(Settings, ThatCanNeverTakeEffectAreErrors) {
    struct Case {
        const char* lines;
        const char* fault;
    };
    constexpr Case kCases[] = {
        {"restart = 'no'\nrestart_delay = '1s'", "'restart_delay' never takes effect: restart = \"no\""},
        {"restart = 'no'\nrestart_backoff = 3", "'restart_backoff' never takes effect: restart = \"no\""},
        {"restart = 'no'\nrestart_delay_max = '1min'", "'restart_delay_max' never takes effect: restart = \"no\""},
        {"restart = 'no'\nrestart_jitter = 0.2", "'restart_jitter' never takes effect: restart = \"no\""},
        {"restart = 'no'\nrestart_reset = '1s'", "'restart_reset' never takes effect: restart = \"no\""},
        {"restart = 'no'\nstart_limit = '5/60s'", "'start_limit' never takes effect: restart = \"no\""},
        {"restart = 'no'\non_exhausted = 'exit'", "'on_exhausted' never takes effect: restart = \"no\""},
        {"restart = 'no'\nprevent_restart_codes = [1]", "'prevent_restart_codes' never takes effect: restart = \"no\""},
        {"restart = 'always'\nforce_restart_codes = [1]",
         "'force_restart_codes' never takes effect: it is always restarted"},
        {"restart_delay = '10s'\nrestart_delay_max = '5s'",
         "'restart_delay_max' (5s) is shorter than 'restart_delay' (10s)"},
        {"restart_delay = '1min'", "'restart_delay_max' (30s) is shorter than 'restart_delay' (1min)"},
        {"restart_backoff = 1\nrestart_delay_max = '5s'",
         "'restart_delay_max' never takes effect: with restart_backoff = 1 the delay never grows"},
        {"restart_delay = '0s'\nrestart_jitter = 0.3", "'restart_jitter' never takes effect: restart_delay is 0"},
        {"restart_delay = '0s'\nrestart_backoff = 3", "'restart_backoff' never takes effect: restart_delay is 0"},
        {"start_limit = '3/1s'\nmin_uptime = '5s'",
         "'start_limit' never takes effect: with these delays and min_uptime, 3 starts do not fit in 1s"},
        {"start_limit = 'none'\non_exhausted = 'exit'", "'on_exhausted' never takes effect: start_limit = \"none\""},
        {"prevent_restart_codes = [1, 2]\nforce_restart_codes = [2, 3]",
         "2 is in both 'prevent_restart_codes' and 'force_restart_codes'"},
        {"prevent_restart_codes = ['SIGHUP']\nforce_restart_codes = ['SIGHUP']",
         "SIGHUP is in both 'prevent_restart_codes' and 'force_restart_codes'"},
        {"essential = true\non_exhausted = 'fail'",
         "'on_exhausted' = \"fail\" never takes effect: an essential job always ends the daemon"},
        {"run_timeout = '500ms'",
         "'run_timeout' (500ms) is shorter than 'min_uptime' (1s): every run would be a quick death"},
        {"type = 'oneshot'\nmax_lifetime = '1h'",
         "'max_lifetime' is not for a oneshot, which ends by itself: 'run_timeout' bounds its run"},
        {"max_lifetime = '500ms'", "'max_lifetime' (500ms) is shorter than 'min_uptime' (1s)"},
        {"max_lifetime_variance = 0.5", "'max_lifetime_variance' never takes effect: there is no 'max_lifetime'"},
        {"max_lifetime = '1h'\nrun_timeout = '50min'",
         "'max_lifetime' (1h) never takes effect: 'run_timeout' (50min) ends every run before"},
        {"stop_signal = 'SIGKILL'\nstop_timeout = '5s'",
         "'stop_timeout' never takes effect: stop_signal = \"SIGKILL\" ends it at once"},
        {"stop_command = '/bin/webctl quit'\nstop_timeout = '0s'",
         "'stop_command' never takes effect: with stop_timeout = \"0s\" the job is killed at once"},
        {"pre_stop = '/bin/webctl quit'\nstop_timeout = '0s'",
         "'pre_stop' never takes effect: with stop_timeout = \"0s\" it has no time"},
        {"post_stop = '/bin/webctl quit'\nstop_timeout = '0s'",
         "'post_stop' never takes effect: with stop_timeout = \"0s\" it has no time"},
        {"on_failed = '/bin/webctl quit'\nstop_timeout = '0s'",
         "'on_failed' never takes effect: with stop_timeout = \"0s\" it has no time"},
        {"type = 'oneshot'\npost_start = '/bin/webctl up'",
         "'post_start' never takes effect: a oneshot is up when it has ended; write 'post_stop'"},
        {"reload_command = '/bin/webctl reread'\nreload_signal = 'SIGUSR1'",
         "'reload_signal' never takes effect: 'reload_command' is run instead"},
        {"stop_signal = 'SIGSTOP'", "'stop_signal' cannot be SIGSTOP, which does not end a process"},
        {"watchdog = '1s'\nwatchdog_signal = 'CONT'",
         "'watchdog_signal' cannot be SIGCONT, which does not end a process"},
        {"watchdog_signal = 'TERM'", "'watchdog_signal' never takes effect: there is no 'watchdog'"},
        {"watchdog = '1s'\nready.fd = 3",
         "'watchdog' is not for a job with 'ready.fd': write ready.notify = true instead of that, or watchdog = "
         "\"none\""},
        {"type = 'oneshot'\nwatchdog = '1s'",
         "'watchdog' is not for a oneshot, which ends by itself: 'run_timeout' bounds its run"},
        {"stop_signal = ['SIGINT', '1s', 'SIGCONT']", "'stop_signal' cannot be SIGCONT, which does not end a process"},
        {"stop_signal = ['SIGINT', '1s', 'SIGKILL']",
         "'stop_signal' needs no SIGKILL after another: that is sent when 'stop_timeout' (10s) has passed"},
        {"stop_signal = ['SIGINT', '4s', 'SIGTERM', '6s', 'SIGQUIT']",
         "the last of 'stop_signal' is never sent: its pauses take 10s, and after 'stop_timeout' (10s) the job is "
         "killed"},
        {"reload_signal = 'SIGTERM'", "'reload_signal' is the same as 'stop_signal': a reload would end the job"},
        {"reload_signal = 'SIGKILL'", "'reload_signal' cannot be SIGKILL, which no program can handle"},
        {"limits.strict = true", "'limits.strict' never takes effect: no limit is set"},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.format = 'raw'",
         "'log.format' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.max_size = '1MiB'\nlog.stdout = 'journal'\nlog.stderr = 'journal'",
         "'log.max_size' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.keep = 5",
         "'log.keep' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.dir = '/srv'",
         "'log.dir' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.max_age = 'none'",
         "'log.max_age' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.total_size = '1GiB'",
         "'log.total_size' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.compress = 'none'",
         "'log.compress' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.on_full = 'block'",
         "'log.on_full' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\", \"journal\" or "
         "\"forward\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.rate_limit = '1/1s'",
         "'log.rate_limit' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\", \"journal\" or "
         "\"forward\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.mirror = false",
         "'log.mirror' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\" or \"journal\""},
        {"log.stdout = 'forward'\nlog.mirror = true",
         "'log.mirror' never takes effect: what is forwarded goes to procsupd's output already; leave it out, or write "
         "\"capture\" instead of \"forward\""},
        {"log.stdout = 'forward'\nlog.keep = 5",
         "'log.keep' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.stdout = 'null'\nlog.stderr = 'null'\nlog.sync = '0s'",
         "'log.sync' never takes effect: neither 'log.stdout' nor 'log.stderr' is \"capture\""},
        {"log.total_size = '1MiB'\nlog.keep = 0\nlog.stdout = 'capture'",
         "'log.total_size' never takes effect: log.keep is 0"},
        {"log.compress = 'zstd'\nlog.keep = 0\nlog.stdout = 'capture'",
         "'log.compress' never takes effect: log.keep is 0"},
        {"log.total_size = '4097B'\nlog.stdout = 'capture'",
         "'log.total_size' (4097B) is smaller than 'log.max_size' (16MiB): not even one rotated file would be kept"},
        {"port_base = 80", "'port_base' never takes effect: ${job:port} is used nowhere"},
        {"port_base = 65535\ninstances = 2\nenv.P = '${job:port}'",
         "'port_base' is too high: the last of 2 instances would have port 65536"},
        {"type = 'oneshot'\nrestart = 'always'",
         "a oneshot that is started again after success is never done: write restart = \"on-failure\", or type = "
         "\"service\""},
    };
    for (const auto& bad : kCases) EXPECT_EQ(faults(bad.lines), std::vector<std::string>{bad.fault}) << bad.lines;
}

TEST(Settings, ThatDoTakeEffectAreNot) {
    for (const char* lines : {
             "restart = 'no'\nforce_restart_codes = [3]\nrestart_delay = '1s'\nstart_limit = '5/60s'",
             "restart = 'always'\nprevent_restart_codes = [3]",
             "start_limit = '10/60s'",
             "start_limit = '3/2s'",
             "start_limit = '10000/1s'\nmin_uptime = '0s'",
             "start_limit = '100/1h'\nrestart_delay = '1s'\nmin_uptime = '30s'",
             "type = 'oneshot'\nrun_timeout = '500ms'",
             "max_lifetime = '1h'\nrun_timeout = '55min'",
             "max_lifetime = '1s'\nmax_lifetime_variance = 1",
             "stop_signal = 'SIGHUP'",
             "stop_command = '/bin/webctl quit'\nstop_signal = 'SIGKILL'\nstop_timeout = '5s'",
             "post_stop = '/bin/webctl gone'\nstop_signal = 'SIGKILL'\nstop_timeout = '5s'",
             "type = 'oneshot'\npre_start = '/bin/a'\npre_stop = '/bin/a'\npost_stop = '/bin/a'\non_failed = '/bin/a'",
             "restart_backoff = 1\nrestart_delay = '30s'",
             "limits.strict = true\nlimits.core = '0B'",
             "log.stderr = 'capture'\nlog.keep = 5\nlog.max_size = '1MiB'\nlog.dir = '/srv'\nlog.format = 'raw'",
             "log.stdout = 'capture'\nlog.keep = 5\nlog.max_size = 'none'\nlog.total_size = '4KiB'",
             "log.stdout = 'capture'\nlog.max_size = '1MiB'\nlog.total_size = '1MiB'",
             "log.stdout = 'capture'\nlog.keep = 0\nlog.max_age = '1d'\nlog.on_full = 'drop_oldest'\n"
             "log.rate_limit = '5/1s'\nlog.mirror = true\nlog.sync = '0s'",
             "log.stderr = 'journal'\nlog.on_full = 'drop_newest'\nlog.rate_limit = '5/1s'\nlog.mirror = true",
             "log.stderr = 'forward'\nlog.stdout = 'null'\nlog.on_full = 'drop_newest'\nlog.rate_limit = '5/1s'",
             "log.stdout = 'forward'\nlog.stderr = 'capture'\nlog.mirror = true",
             "port_base = 80\nlog.stdout = 'capture'\nlog.dir = '/srv/${job:port}'",
             "port_base = 65534\ninstances = 2\nlog.stdout = '/var/log/${job:port}'",
         }) {
        EXPECT_EQ(faults(lines), std::vector<std::string>{}) << lines;
    }
}

TEST(Settings, OfDefaultsThatAreForServicesAreNotThoseOfAOneshot) {
    const auto result = read_configuration_text(
        "[defaults]\nwatchdog = '30s'\nwatchdog_signal = 'SIGQUIT'\nmax_lifetime = '1h'\nmax_lifetime_variance = 0.5\n"
        "[jobs.a]\ncommand = '/bin/a'\ntype = 'oneshot'\n[jobs.b]\ncommand = '/bin/b'\n",
        "p.toml", FakeSurroundings());
    const auto* configuration = std::get_if<Configuration>(&result);
    ASSERT_NE(configuration, nullptr);
    const auto shown = to_toml(configuration->jobs[0]);
    EXPECT_EQ(shown.find("watchdog"), std::string::npos) << shown;
    EXPECT_EQ(shown.find("max_lifetime"), std::string::npos) << shown;
    EXPECT_NE(to_toml(configuration->jobs[1]).find("watchdog = \"30s\""), std::string::npos);
}

TEST(Settings, OfDefaultsNeedNotTakeEffectOnEveryJob) {
    EXPECT_TRUE(problems_of("[defaults]\nrestart_delay = '1s'\nstart_limit = '3/1min'\nport_base = 80\n"
                            "[jobs.a]\nshell = 'x'\nrestart = 'no'\n")
                    .empty());
    EXPECT_TRUE(
        problems_of("[defaults]\nstop_command = '/bin/end'\n[jobs.a]\nshell = 'x'\nstop_timeout = '0s'\n").empty());
    EXPECT_TRUE(problems_of("[defaults]\nmax_lifetime = '1h'\n[jobs.a]\nshell = 'x'\ntype = 'oneshot'\n").empty());
    EXPECT_TRUE(problems_of("[defaults]\nready.exec = ['/bin/look']\n"
                            "[jobs.a]\ncommand = '/bin/x'\ntype = 'oneshot'\nmay_fork = false\n")
                    .empty());
    EXPECT_TRUE(problems_of("[defaults.log]\nformat = 'json'\nkeep = 1\ndir = '/srv'\ntotal_size = '4KiB'\n"
                            "[jobs.a]\nshell = 'x'\nlog = { stdout = 'null', stderr = 'null' }\n"
                            "[jobs.b]\nshell = 'x'\nlog = { stdout = 'capture', max_size = 'none' }\n"
                            "[jobs.c]\nshell = 'x'\nlog = { stdout = 'capture', keep = 0 }\n")
                    .empty());
}

TEST(Settings, OfAJobMustTakeEffectUnderItsDefaults) {
    EXPECT_EQ(problems_of("[defaults]\nready.exec = ['/bin/look']\n[jobs.a]\ncommand = '/bin/x'\nmay_fork = false\n"),
              std::vector<std::string>{"5:1: error: 'ready.exec' cannot run: may_fork = false"});
    EXPECT_EQ(problems_of("[defaults]\nrestart = 'no'\n[jobs.a]\nshell = 'x'\nrestart_delay = '1s'\n"),
              std::vector<std::string>{"5:1: error: 'restart_delay' never takes effect: restart = \"no\""});
    EXPECT_TRUE(problems_of("[defaults]\nlog.stdout = 'capture'\n[jobs.a]\nshell = 'x'\nlog.keep = 1\n").empty());
    EXPECT_EQ(
        problems_of("[defaults]\nlog.stderr = 'null'\n[jobs.a]\nshell = 'x'\nlog = { stdout = 'null', keep = 1 }\n"),
        std::vector<std::string>{"5:26: error: 'log.keep' never takes effect: neither 'log.stdout' nor 'log.stderr' is "
                                 "\"capture\""});
    EXPECT_EQ(problems_of("[defaults.log]\nstdout = 'capture'\nmax_size = '4KiB'\ntotal_size = '8KiB'\n"
                          "[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\nlog.max_size = '1GiB'\n"),
              std::vector<std::string>{"9:5: error: 'log.total_size' (8KiB) is smaller than 'log.max_size' (1GiB): not "
                                       "even one rotated file would be kept"});
}

}  // namespace
}  // namespace procsup
