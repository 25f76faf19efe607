#include <gtest/gtest.h>

#include "conf/reading.h"

namespace procsup {
namespace {

using testing::configuration_of;

const char* const kFull = R"(
[daemon]
runtime_dir = "/run/p"
log_dir = "/srv/log"
log_level = "warn"
[access]
admin = ["@adm", "nobody"]
[jobs.plain]
command = "/bin/plain"
[jobs.plain.log]
stderr = "null"
format = "json"
max_size = "none"
max_age = "7d"
total_size = "1GiB"
compress = "none"
on_full = "drop_oldest"
rate_limit = "1000/1s"
mirror = true
sync = "5s"
dir = "/srv/plain"
[jobs.web]
description = "Shop"
command = ["/bin/web", "${job:port}", "ä \" \\ \u0001"]
instances = ["eu", "us"]
port_base = 8000
user = "www-data"
umask = "0077"
type = "service"
enabled = false
essential = true
restart = "unless-stopped"
restart_delay = "1500us"
restart_backoff = 1.25
restart_jitter = 0
start_limit = "20/1h"
success_exit_codes = [0, 3, "SIGTERM"]
prevent_restart_codes = [9]
start_timeout = "none"
stop_timeout = "1min30s"
run_timeout = "2d"
max_lifetime = "1d"
max_lifetime_variance = 0.25
stop_signal = ["SIGINT", "500ms", "SIGTERM"]
reload_signal = "SIGUSR1"
stop_scope = "main"
stop_signal_to = "all"
stop_command = ["/bin/webctl", "${job:port}", "quit"]
pre_start = "/bin/webctl one"
on_failed = "/bin/webctl two"
orphans = "ignore"
may_fork = false
zombie_limit = 7
zombie_check = "1min"
watchdog = "30s"
watchdog_signal = "SIGQUIT"
owner = "nobody"
tags = ["a", "b"]
[jobs.web.log]
stdout = "/var/log/${job:instance}.log"
stderr = "capture"
keep = 0
[jobs.feed]
command = "/bin/feed"
reload_command = "/bin/webctl three"
log.pipe_to = "plain"
[jobs.web.limits]
open_files = 1024
core = "unlimited"
nice = 5
cpu_time = "1min:unlimited"
scheduling = "batch"
io_priority = "best-effort:3"
cpu_affinity = "0-3,6"
oom_score_adjust = -10
memory_max = "64MiB"
cpu = 0.5
tasks_max = "unlimited"
strict = true
)";

/// `text` with the first `from` replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(LoadResult, ConfigurationComesBackAsItWas) {
    auto configuration = configuration_of(kFull);
    configuration.daemon.masked = {{"old", "/etc/old.toml"}};
    const auto back = decode_load_result(encode_load_result(configuration));
    ASSERT_TRUE(back) << back.error().message;
    const auto& same = std::get<Configuration>(*back);
    EXPECT_EQ(same.jobs, configuration.jobs);
    EXPECT_EQ(same.daemon.runtime_dir, "/run/p");
    EXPECT_EQ(same.daemon.log_dir, "/srv/log");
    EXPECT_EQ(same.daemon.log_level, LogLevel::Warn);
    EXPECT_EQ(same.daemon.admin.groups, std::vector<gid_t>{4});
    EXPECT_EQ(same.daemon.admin.users, std::vector<uid_t>{65534});
    EXPECT_TRUE(same.daemon.read.everyone);
    ASSERT_EQ(same.daemon.masked.size(), 1u);
    EXPECT_EQ(same.daemon.masked[0].file, "/etc/old.toml");
}

TEST(LoadResult, ProblemsComeBackAsTheyWere) {
    const std::vector<Problem> problems{{"a.toml", 3, 7, "unknown key 'x'"}, {"b.toml", 0, 0, "not UTF-8"}};
    const auto back = decode_load_result(encode_load_result(problems));
    ASSERT_TRUE(back);
    const auto& same = std::get<std::vector<Problem>>(*back);
    ASSERT_EQ(same.size(), 2u);
    EXPECT_EQ(to_text(same[0]), to_text(problems[0]));
    EXPECT_EQ(to_text(same[1]), "b.toml: error: not UTF-8");
}

TEST(LoadResult, OfAnythingElseIsRefused) {
    const auto good = encode_load_result(configuration_of(kFull));
    for (const auto& bad : std::vector<std::string>{
             "", "{}", "[]", "null", "{\"problems\":{}}", "{\"problems\":[1]}", good.substr(0, good.size() / 2),
             with(good, "\"daemon\"", "\"deamon\""), with(good, "\"maxClients\":4096", "\"maxClients\":-1"),
             with(good, "\"maxClients\":4096", "\"maxClients\":\"4096\""),
             with(good, "\"maxClients\":4096", "\"maxClients\":4096,\"more\":1"),
             with(good, "\"logLevel\":2", "\"logLevel\":4"), with(good, "\"name\":\"plain\"", "\"nome\":\"plain\""),
             with(good, "\"name\":\"plain\"", "\"name\":1"),
             with(good, "\"name\":\"plain\"", "\"name\":\"pl\\u0000ain\""),
             with(good, "\"name\":\"plain\"", "\"name\":\"plain\",\"name\":\"other\""),
             with(good, "\"umask\":63", "\"umask\":99999999999"),
             with(good, "\"portBase\":8000", "\"portBase\":8e3")}) {
        EXPECT_FALSE(decode_load_result(bad)) << bad.substr(0, 200);
    }
}

TEST(LoadResult, OfAPolicyOfLogsThatCannotBeIsRefused) {
    const auto good = encode_load_result(configuration_of(kFull));
    for (const auto& bad : {with(good, "\"format\":2", "\"format\":3"), with(good, "\"keep\":5", "\"keep\":-1"),
                            with(good, "\"maxSize\":0", "\"maxSize\":\"none\""), with(good, "\"kind\":1", "\"kind\":8"),
                            with(good, "\"maxAge\":604800000000", "\"maxAge\":-1"),
                            with(good, "\"compress\":1", "\"compress\":2"), with(good, "\"onFull\":2", "\"onFull\":3"),
                            with(good, "\"mirror\":true", "\"mirror\":1"), with(good, ",\"sync\":5000000", "")}) {
        EXPECT_FALSE(decode_load_result(bad)) << bad.substr(0, 200);
    }
}

}  // namespace
}  // namespace procsup
