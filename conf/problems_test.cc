// Texts with mistakes: what is said of them, and where.
#include <gtest/gtest.h>

#include "conf/reading.h"

namespace procsup {
namespace {

using testing::problems_of;
using Lines = std::vector<std::string>;

struct BadCase {
    const char* text;
    Lines problems;
};

void expect_problems(const std::vector<BadCase>& cases) {
    for (const auto& bad : cases) EXPECT_EQ(problems_of(bad.text), bad.problems) << bad.text;
}

/// Each line stands below a command, in line 2.
void expect_job_problems(const std::vector<BadCase>& cases) {
    for (const auto& bad : cases) {
        EXPECT_EQ(problems_of(std::string("command = '/bin/web ${job:name}'\n") + bad.text), bad.problems) << bad.text;
    }
}

TEST(Problems, KeysThatAreNotThere) {
    expect_job_problems({
        {"restrat = 'no'", {"2:1: error: unknown key 'restrat' (did you mean 'restart'?)"}},
        {"zzz = 1", {"2:1: error: unknown key 'zzz'"}},
        {"b = 1", {"2:1: error: unknown key 'b'"}},
        {"web.command = ['a']",
         {"2:1: error: unknown key 'web' (a job has the tables [env], [credentials], [ready], [health], [schedule], "
          "[log], "
          "[limits], "
          "[sandbox] and "
          "[x]; each job is "
          "a table of "
          "its "
          "own in [jobs])"}},
        {"log.max_sise = '1MiB'", {"2:5: error: unknown key 'max_sise' in [log] (did you mean 'max_size'?)"}},
        {"nice = 1", {"2:1: error: unknown key 'nice' (it belongs in [limits])"}},
        {"log.restart = 'no'",
         {"2:5: error: unknown key 'restart' in [log] (it belongs in the job itself, above its first table)"}},
        {"limits.open_file = 1", {"2:8: error: unknown key 'open_file' in [limits] (did you mean 'open_files'?)"}},
        {"log = 'null'", {"2:7: error: 'log' must be a table, not a string: write [log]"}},
        {"'a\\nb' = 1", {"2:1: error: unknown key 'a\\nb'"}},
    });
    expect_problems({
        {"[jobz.web]\ncommand = 'x'", {"1:2: error: unknown key 'jobz' (did you mean 'jobs'?)"}},
        {"restart = 'no'", {"1:1: error: unknown key 'restart' (it belongs in [jobs.NAME])"}},
        {"[locks.a]", {"1:2: error: key 'locks' is not available in this version"}},
        {"[daemon]\non_crash = 'leave'", {"2:12: error: 'on_crash' must be \"stop\", not 'leave'"}},
        {"[daemon]\non_crash = 'stop'\ncontainment = 'group'",
         {"2:12: error: 'on_crash' is not possible with containment = \"group\": nobody is left who could end the "
          "processes; "
          "write \"auto\""}},
        {"[daemon.access]\nadmin = []",
         {"1:9: error: unknown key 'access' in [daemon] (it belongs in a table of its own, [access])"}},
        {"[daemon]\nlog_levl = 'info'", {"2:1: error: unknown key 'log_levl' in [daemon] (did you mean 'log_level'?)"}},
        {"[jobs]\ncommand = 'x'", {"2:1: error: 'command' stands in no job: write it below [jobs.NAME]"}},
        {"jobs = 1", {"1:8: error: 'jobs' must be tables, not an integer: write [jobs.NAME]"}},
        {"[jobs]\nweb = 1", {"2:7: error: 'web' must be a table, not an integer"}},
    });
}

TEST(Problems, WrongTypes) {
    expect_job_problems({
        {"stop_timeout = 10",
         {"2:16: error: 'stop_timeout' must be a duration such as \"10s\", or \"none\", not an integer: write "
          "\"10s\""}},
        {"min_uptime = 5",
         {"2:14: error: 'min_uptime' must be a duration such as \"10s\", not an integer: write \"5s\""}},
        {"enabled = 'true'", {"2:11: error: 'enabled' must be true or false, not a string: write it without quotes"}},
        {"description = 1", {"2:15: error: 'description' must be a string, not an integer"}},
        {"tags = 'prod'", {"2:8: error: 'tags' must be an array of strings, not a string: write [\"prod\"]"}},
        {"tags = [1]", {"2:9: error: 'tags' must be an array of strings, not an integer"}},
        {"restart = true",
         {"2:11: error: 'restart' must be one of \"no\", \"on-success\", \"on-failure\", \"on-abnormal\", \"always\" "
          "and "
          "\"unless-stopped\", not a boolean"}},
        {"restart_backoff = '2'", {"2:19: error: 'restart_backoff' must be a number from 1 to 1000, not a string"}},
        {"umask = 22",
         {"2:9: error: 'umask' must be an octal string such as \"0022\", not an integer: write it in quotes"}},
        {"port_base = '80'",
         {"2:13: error: 'port_base' must be a port from 1 to 65535, not a string: write it without quotes"}},
        {"env = 'A=b'", {"2:7: error: 'env' must be a table of strings, not a string: write [env]"}},
        {"env.PORT = 8080", {"2:12: error: 'env.PORT' must be a string, not an integer: write \"8080\""}},
        {"env.ON = true", {"2:10: error: 'env.ON' must be a string, not a boolean: write \"true\""}},
        {"limits.core = 0",
         {"2:15: error: 'limits.core' must be a size such as \"512MiB\", or \"unlimited\", not an "
          "integer: write \"0B\" for bytes"}},
        {"stop_signal = 15",
         {"2:15: error: 'stop_signal' must be the name of a signal such as \"SIGTERM\", or an array of signals and "
          "pauses such "
          "as [\"SIGINT\", \"5s\", \"SIGTERM\"], not an integer: write "
          "\"SIGTERM\""}},
        {"stop_timeout = 1979-05-27",
         {"2:16: error: 'stop_timeout' must be a duration such as \"10s\", or \"none\", not a date or time"}},
    });
}

TEST(Problems, ValuesOutOfForm) {
    expect_job_problems({
        {"stop_timeout = '10'",
         {"2:16: error: 'stop_timeout' cannot be used: \"10\" has no unit: write \"10s\" for seconds"}},
        {"run_timeout = '0s'", {"2:15: error: 'run_timeout' must be longer than 0"}},
        {"max_lifetime = '0s'", {"2:16: error: 'max_lifetime' must be longer than 0"}},
        {"max_lifetime = '1h'\nmax_lifetime_variance = 1.5",
         {"3:25: error: 'max_lifetime_variance' must be a number from 0 to 1"}},
        {"limits.stack = '8'",
         {"2:16: error: 'limits.stack' cannot be used: \"8\" has no unit: write \"8B\" for bytes"}},
        {"limits.nice = 40", {"2:15: error: 'limits.nice' must be an integer from -20 to 19, not 40"}},
        {"limits.open_files = -1",
         {"2:21: error: 'limits.open_files' must be an integer from 0 on, or \"unlimited\", not -1"}},
        {"restart = 'on-failur'",
         {"2:11: error: 'restart' must be one of \"no\", \"on-success\", \"on-failure\", \"on-abnormal\", \"always\" "
          "and "
          "\"unless-stopped\", not 'on-failur' (did you mean 'on-failure'?)"}},
        {"type = 'servic'",
         {"2:8: error: 'type' must be \"service\", \"oneshot\" or \"task\", not 'servic' (did you mean 'service'?)"}},
        {"on_exhausted = 'exec:/bin/x'", {"2:16: error: 'on_exhausted' \"exec:\" is not available in this version"}},
        {"instances = 0", {"2:13: error: 'instances' must be an integer from 1 to 1000 or an array of names, not 0"}},
        {"instances = 1001",
         {"2:13: error: 'instances' must be an integer from 1 to 1000 or an array of names, not 1001"}},
        {"instances = []", {"2:13: error: 'instances' must have 1 to 1000 names, not 0"}},
        {"instances = ['a', 'a']", {"2:19: error: 'instances' has the name 'a' twice"}},
        {"instances = ['a/b']",
         {"2:14: error: 'instances' 'a/b' cannot name an instance: use 1 to 64 of A-Z a-z 0-9 _ . -, not starting with "
          "- or ."}},
        {"restart_backoff = 0.5", {"2:19: error: 'restart_backoff' must be a number from 1 to 1000"}},
        {"restart_jitter = nan", {"2:18: error: 'restart_jitter' must be a number from 0 to 1"}},
        {"start_limit = '5'",
         {"2:15: error: 'start_limit' must be a number of starts in a time such as \"10/60s\", or \"none\", not '5'"}},
        {"start_limit = '0/1s'",
         {"2:15: error: 'start_limit' must allow 1 to 10000 starts: write \"none\" for no limit"}},
        {"start_limit = '5/60'",
         {"2:15: error: 'start_limit' cannot be used: \"60\" has no unit: write \"60s\" for seconds"}},
        {"success_exit_codes = [256]",
         {"2:23: error: 'success_exit_codes' must have exit codes from 0 to 255, not 256"}},
        {"success_exit_codes = ['SIGTRM']",
         {"2:23: error: 'success_exit_codes' must have exit codes and names of "
          "signals, not 'SIGTRM' (did you mean 'SIGTERM'?)"}},
        {"stop_signal = 'SIGTER'",
         {"2:15: error: 'stop_signal' must be the name of a signal, not 'SIGTER' (did you mean 'SIGTERM'?)"}},
        {"stop_signal = '9'", {"2:15: error: 'stop_signal' must be the name of a signal, not '9': write \"SIGKILL\""}},
        {"stop_signal = ['SIGINT', '5s']",
         {"2:15: error: 'stop_signal' as an array has 1 to 8 signals with a pause between each two, such as "
          "[\"SIGINT\", "
          "\"5s\", \"SIGTERM\"]"}},
        {"stop_signal = ['SIGINT', 'SIGTERM', '5s']",
         {"2:26: error: 'stop_signal' cannot be used: \"SIGTERM\" is not a duration: write a number with us, ms, s, "
          "min, h "
          "or d, as \"1min30s\"",
          "2:37: error: 'stop_signal' must be the name of a signal, not '5s'"}},
        {"stop_signal = ['SIGINT', '0s', 'SIGTERM']", {"2:26: error: 'stop_signal' must be longer than 0"}},
        {"umask = '0888'", {"2:9: error: 'umask' must be an octal string such as \"0022\", not '0888'"}},
        {"description = \"a\\nb\"", {"2:15: error: 'description' must be one line without control characters"}},
        {"description = \"a\\u0000b\"", {"2:15: error: 'description' must not have a NUL character in it"}},
        {"tags = ['a b']", {"2:9: error: 'tags' must have words of 1 to 64 bytes without spaces"}},
        {"log = { stdout = 'captur', keep = 1 }",
         {"2:18: error: 'log.stdout' must be \"inherit\", \"null\", \"journal\", \"forward\", \"capture\" or a path "
          "such as "
          "\"/var/log/web.log\", not 'captur' (did you mean 'capture'?)"}},
        {"log.stdin = 'capture'",
         {"2:13: error: 'log.stdin' cannot be \"capture\", which keeps output: write \"null\" or a path such as "
          "\"/srv/input\""}},
        {"log.stdin = 'journal'",
         {"2:13: error: 'log.stdin' must be \"null\" or a path such as \"/srv/input\", not 'journal'"}},
        {"log.stdout = 'nul'",
         {"2:14: error: 'log.stdout' must be \"inherit\", \"null\", \"journal\", \"forward\", \"capture\" or a path "
          "such as "
          "\"/var/log/web.log\", not 'nul' (did you mean 'null'?)"}},
        {"log.format = 'jason'\nlog.stdout = 'capture'",
         {"2:14: error: 'log.format' must be one of \"raw\", \"stamped\" and \"json\", not 'jason' (did you mean "
          "'json'?)"}},
        {"log.max_size = '4095B'\nlog.stdout = 'capture'",
         {"2:16: error: 'log.max_size' must be a size from \"4KiB\" on such as \"16MiB\", or \"none\", not '4095B'"}},
        {"log.max_size = 'unlimited'\nlog.stdout = 'capture'",
         {"2:16: error: 'log.max_size' must be a size from \"4KiB\" on such as \"16MiB\", or \"none\", not "
          "'unlimited'"}},
        {"log.max_size = 4096\nlog.stdout = 'capture'",
         {"2:16: error: 'log.max_size' must be a size from \"4KiB\" on such as \"16MiB\", or \"none\", not an integer: "
          "write \"4096B\" for bytes"}},
        {"log.max_size = '16M'\nlog.stdout = 'capture'",
         {"2:16: error: 'log.max_size' cannot be used: \"16M\" is not a size: write a number with B, KiB, MiB, GiB, "
          "KB, MB "
          "or GB, as \"512MiB\""}},
        {"log.keep = -1\nlog.stdout = 'capture'",
         {"2:12: error: 'log.keep' must be an integer from 0 to 10000, not -1"}},
        {"log.keep = 10001\nlog.stdout = 'capture'",
         {"2:12: error: 'log.keep' must be an integer from 0 to 10000, not 10001"}},
        {"log.keep = '5'\nlog.stdout = 'capture'",
         {"2:12: error: 'log.keep' must be an integer from 0 to 10000, not a string: write it without quotes"}},
        {"log.max_age = '999ms'\nlog.stdout = 'capture'",
         {"2:15: error: 'log.max_age' must be a duration from \"1s\" on such as \"7d\", or \"none\", not '999ms'"}},
        {"log.max_age = '0s'\nlog.stdout = 'capture'",
         {"2:15: error: 'log.max_age' must be a duration from \"1s\" on such as \"7d\", or \"none\", not '0s'"}},
        {"log.max_age = 7\nlog.stdout = 'capture'",
         {"2:15: error: 'log.max_age' must be a duration from \"1s\" on such as \"7d\", or \"none\", not an integer: "
          "write \"7s\""}},
        {"log.total_size = '1KiB'\nlog.stdout = 'capture'",
         {"2:18: error: 'log.total_size' must be a size from \"4KiB\" on such as \"16MiB\", or \"none\", not '1KiB'"}},
        {"log.compress = 'gzip'\nlog.stdout = 'capture'",
         {"2:16: error: 'log.compress' must be \"zstd\" or \"none\", not 'gzip'"}},
        {"log.compress = false\nlog.stdout = 'capture'",
         {"2:16: error: 'log.compress' must be \"zstd\" or \"none\", not a boolean"}},
        {"log.on_full = 'drop-oldest'\nlog.stdout = 'capture'",
         {"2:15: error: 'log.on_full' must be one of \"block\", \"drop_newest\" and \"drop_oldest\", not 'drop-oldest' "
          "(did you mean 'drop_oldest'?)"}},
        {"log.rate_limit = '1000'\nlog.stdout = 'capture'",
         {"2:18: error: 'log.rate_limit' must be a number of lines in a time such as \"1000/1s\", or \"none\", not "
          "'1000'"}},
        {"log.rate_limit = '10000001/1s'\nlog.stdout = 'capture'",
         {"2:18: error: 'log.rate_limit' must allow 1 to 10000000 lines: write \"none\" for no limit"}},
        {"log.rate_limit = '5/0s'\nlog.stdout = 'capture'",
         {"2:18: error: 'log.rate_limit' must have a time longer than 0"}},
        {"log.mirror = 'true'\nlog.stdout = 'capture'",
         {"2:14: error: 'log.mirror' must be true or false, not a string: write it without quotes"}},
        {"log.sync = 0\nlog.stdout = 'capture'",
         {"2:12: error: 'log.sync' must be a duration such as \"10s\", or \"none\", not an integer: write \"0s\""}},
        {"log.dir = ''\nlog.stdout = 'capture'", {"2:11: error: 'log.dir' must not be empty"}},
        {"log.dir = 'log'\nlog.stdout = 'capture'", {"2:11: error: 'log.dir' must be an absolute path, not 'log'"}},
        {"env.A-B = 'x'", {"2:5: error: 'A-B' is not a name for a variable: use letters, digits and _"}},
        {"env.PROCSUPD_JOB = 'x'",
         {"2:5: error: 'PROCSUPD_JOB' cannot be set: names with PROCSUPD_ are procsupd's own"}},
        {"inherit_env = ['A=B']", {"2:16: error: 'A=B' is not a name for a variable: use letters, digits and _"}},
        {"working_dir = 'sub'", {"2:15: error: 'working_dir' must be an absolute path, not 'sub'"}},
    });
}

TEST(Problems, Commands) {
    expect_problems({
        {"command = ''", {"1:11: error: 'command' must name a program"}},
        {"command = []", {"1:11: error: 'command' must name a program"}},
        {"command = ['']", {"1:11: error: 'command' must name a program"}},
        {"shell = ' '", {"1:9: error: 'shell' must not be empty"}},
        {"command = 'a'\nshell = 'b'", {"2:1: error: 'shell' and 'command' exclude each other: write one of them"}},
        {"[jobs.web]\nrestart = 'no'", {"1:7: error: job 'web' needs 'command' or 'shell'"}},
        {"command = 'nope -x'",
         {"1:11: error: cannot find program 'nope' in "
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
        {"command = ['echo hello']",
         {"1:12: error: cannot find program 'echo hello' in PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
          "/sbin:/bin: write each argument as an element of its own"}},
        {"command = 'a | b'",
         {"1:11: error: 'command' has '|', which no shell sees here: quote it with '…', or use shell = \"…\""}},
        {"command = 'a $HOME/x'",
         {"1:11: error: 'command' has '$HOME', which no shell sees here: quote it with '…', or use shell = \"…\""}},
        {"command = 'a \"b'", {"1:11: error: 'command' has a \" that is never closed"}},
        {"command = '/a ${job:port}'", {"1:11: error: '${job:port}' needs port_base"}},
        {"command = '/a ${job:nam}'", {"1:11: error: unknown placeholder '${job:nam}' (did you mean 'name'?)"}},
        {"command = '/a ${env:UNSET_1}'",
         {"1:11: error: the variable 'UNSET_1' of ${env:…} is not set where the configuration is read"}},
        {"command = '/a ${cred:x}'",
         {"1:11: error: unknown credential in '${cred:x}': [credentials] has none of this name"}},
        {"command = '/a ${jobs:name}'",
         {"1:11: error: unknown placeholder '${jobs:name}' (did you mean 'job'?): write $${ for a literal ${"}},
    });
}

TEST(Problems, StopCommands) {
    expect_job_problems({
        {"stop_command = []", {"2:16: error: 'stop_command' must name a program"}},
        {"stop_command = true",
         {"2:16: error: 'stop_command' must be an array of strings or one string, not a boolean"}},
        {"stop_comand = 'a'", {"2:1: error: unknown key 'stop_comand' (did you mean 'stop_command'?)"}},
        {"stop_command = ['nope', '-x']",
         {"2:17: error: cannot find program 'nope' in "
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
        {"stop_command = 'kill $PROCSUPD_MAIN_PID'",
         {"2:16: error: 'stop_command' has '$PROCSUPD_MAIN_PID', which no shell sees here: quote it with '…', or use "
          "[\"/bin/sh\", \"-c\", \"…\"]"}},
        {"stop_command = '/a ${job:port}'", {"2:16: error: '${job:port}' needs port_base"}},
    });
}

TEST(Problems, NamesThatCannotBeResolved) {
    expect_job_problems({
        {"user = 'nobodyy'", {"2:8: error: unknown user 'nobodyy'"}},
        {"user = '0x10'",
         {"2:8: error: 'user' cannot be '0x10', which looks like a number and is no id: write a name, which begins "
          "with a "
          "letter, or the id as an integer"}},
        {"user = '010'", {"2:8: error: 'user' must be an id from 0 to 4294967294 without leading zeros, not '010'"}},
        {"user = 4294967295", {"2:8: error: 'user' must be an id from 0 to 4294967294, not 4294967295"}},
        {"user = 4242", {"2:8: error: user 4242 is in no user database: set 'group' too"}},
        {"user = ''", {"2:8: error: 'user' must not be empty"}},
        {"group = 'www'", {"2:9: error: unknown group 'www'"}},
        {"groups = ['adm', 'x']", {"2:18: error: unknown group 'x'"}},
        {"owner = 'alice'", {"2:9: error: unknown user 'alice'"}},
        {"working_dir = '/missing'",
         {"2:15: error: 'working_dir': cannot use directory '/missing': No such file or directory"}},
        {"log.dir = '${job:name}/x'\nlog.stdout = 'capture'",
         {"2:11: error: 'log.dir' must be an absolute path, not 'web/x'"}},
        {"log.stdout = '/missing/a.log'",
         {"2:5: error: 'log.stdout': cannot use directory '/missing': No such file or directory"}},
        {"log.stdout = '/var/log/'", {"2:5: error: 'log.stdout' must name a file, not the directory '/var/log/'"}},
        {"env_files = ['/etc/x']",
         {"2:14: error: cannot read /etc/x: No such file or directory (write \"-/etc/x\" if it "
          "may be absent)"}},
    });
    EXPECT_EQ(problems_of("[access]\nadmin = ['@x', 'y']"),
              (Lines{"2:10: error: unknown group 'x'", "2:16: error: unknown user 'y'"}));
}

TEST(Problems, AnotherUserNeedsRoot) {
    FakeSurroundings surroundings;
    surroundings.uid = surroundings.gid = 1000;
    EXPECT_EQ(problems_of("command = '/a'\nuser = 'nobody'", surroundings),
              Lines{"2:8: error: cannot run as another user without root"});
    EXPECT_EQ(problems_of("command = '/a'\ngroup = 'adm'", surroundings),
              Lines{"2:1: error: cannot change groups without root"});
}

TEST(Problems, LinesOfEnvFilesHaveTheirPlace) {
    FakeSurroundings surroundings;
    surroundings.files["/etc/e"] = "A=1\n  9x=2\nB=\"open\nPROCSUPD_JOB=1\nnothing\n";
    EXPECT_EQ(problems_of("command = '/a'\nenv_files = ['/etc/e']", surroundings),
              (Lines{"/etc/e:2:3: error: '9x' is not a name for a variable: use letters, digits and _",
                     "/etc/e:3:1: error: the quote \" is never closed",
                     "/etc/e:4:1: error: 'PROCSUPD_JOB' cannot be set: names with PROCSUPD_ are procsupd's own",
                     "/etc/e:5:1: error: a line must be KEY=VALUE"}));
}

TEST(Problems, Names) {
    expect_problems({
        {"[jobs.'a b']\nshell = 'x'",
         {"1:7: error: 'a b' cannot name a job: use 1 to 64 of A-Z a-z 0-9 _ . -, not starting with - or ."}},
        {"[jobs.\"a\\nb\"]\nshell = 'x'",
         {"1:7: error: 'a?b' cannot name a job: use 1 to 64 of A-Z a-z 0-9 _ . -, not starting with - or ."}},
        {"[jobs.-a]\nshell = 'x'",
         {"1:7: error: '-a' cannot name a job: use 1 to 64 of A-Z a-z 0-9 _ . -, not starting with - or ."}},
    });
}

TEST(Problems, AreAllReportedInTheirOrder) {
    EXPECT_EQ(problems_of("enabled = 1\ncommand = 'nope'\nzzz = 1\nuser = 'x'\n").size(), 4u);
    EXPECT_EQ(problems_of("zzz = 1\nyyy = 2\ncommand = '/a'"),
              (Lines{"1:1: error: unknown key 'zzz'", "2:1: error: unknown key 'yyy'"}));
}

TEST(Problems, OfDefaultsAreReportedOnce) {
    EXPECT_EQ(problems_of("[defaults]\nuser = 'x'\nenabled = 1\n[jobs.a]\nshell = 'a'\n[jobs.b]\nshell = 'b'"),
              (Lines{"2:8: error: unknown user 'x'", "3:11: error: 'enabled' must be true or false, not an integer"}));
}

TEST(Problems, AreAtMostAThousand) {
    std::string text = "command = '/a'\n";
    for (int i = 0; i < 1500; ++i) text += "unknown" + std::to_string(i) + " = 1\n";
    EXPECT_EQ(problems_of(text).size(), 1000u);
}

TEST(Problems, ColumnsAreInBytes) {
    EXPECT_EQ(problems_of("command = '/a'\nenv = { A = 'äöü', B = 1 }"),
              Lines{"2:27: error: 'env.B' must be a string, not an integer: write \"1\""});
}

TEST(Problems, OfSyntaxHaveTheirPlace) {
    for (const char* text : {"a = ", "a = 1\na = 2", "[a\n", "a = 'x", "a = 1 2"}) {
        const auto problems = problems_of(text);
        ASSERT_EQ(problems.size(), 1u) << text;
        EXPECT_TRUE(problems[0][0] == '1' || problems[0][0] == '2') << problems[0];
    }
}

TEST(Problems, OfSyntaxSayWhatMayBeBehindThem) {
    const std::pair<const char*, const char*> cases[] = {
        {"restart = on-failure", "is it a string? It needs quotes"},
        {"command = [1", "is a quote or a bracket not closed?"},
        {"shell = \"x\ncommand = 'y'", "is a quote missing at the end of the line?"},
        {"shell = 'x'\nshell = 'y'", "a key, and a table, is written once"},
    };
    for (const auto& [text, hint] : cases) {
        const auto problems = problems_of(text);
        ASSERT_EQ(problems.size(), 1u) << text;
        EXPECT_TRUE(problems[0].ends_with(hint)) << problems[0];
    }
}

TEST(Problems, TooManyJobsOrInstances) {
    std::string jobs;
    for (int i = 0; i <= 10000; ++i) jobs += "[jobs.j" + std::to_string(i) + "]\nshell='x'\n";
    EXPECT_EQ(problems_of(jobs), Lines{" error: more than 10000 jobs"});
    std::string instances = "[defaults]\ninstances = 1000\nshell = 'x'\n";
    for (int i = 0; i <= 100; ++i) instances += "[jobs.j" + std::to_string(i) + "]\n";
    EXPECT_EQ(problems_of(instances), Lines{" error: more than 100000 instances of all jobs together"});
}

}  // namespace
}  // namespace procsup
