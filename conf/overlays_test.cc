#include <gtest/gtest.h>

#include "conf/reading.h"

namespace procsup {
namespace {

/// "web.toml", with overlays "1.toml", "2.toml" and so on.
auto read(const std::string& text, const std::vector<std::string>& overlays) {
    std::vector<ConfigurationReader::Text> texts;
    for (const auto& overlay : overlays) texts.push_back({std::to_string(texts.size() + 1) + ".toml", overlay});
    return read_configuration_text(text, "web.toml", FakeSurroundings(), texts);
}

JobSpec job(const std::string& text, const std::vector<std::string>& overlays) {
    auto result = read(text, overlays);
    if (auto* configuration = std::get_if<0>(&result)) return configuration->jobs.at(0);
    ADD_FAILURE() << to_text(std::get<1>(result).at(0));
    return {};
}

std::string problems(const std::string& text, const std::vector<std::string>& overlays) {
    std::string lines;
    const auto result = read(text, overlays);
    if (const auto* found = std::get_if<1>(&result)) {
        for (const auto& problem : *found) lines += to_text(problem) + "\n";
    }
    return lines;
}

using Strings = std::vector<std::string>;

TEST(Overlay, ReplacesScalarsAndArraysAndMergesTables) {
    const auto spec = job(
        "command = '/bin/web'\ntags = ['a', 'b']\nstop_signal = ['SIGINT', '1s', 'SIGTERM']\nsuccess_exit_codes = [0, "
        "3]\n"
        "env = { A = '1', B = '1' }\nlog = { keep = 3, max_size = '1MiB' }\nlimits = { core = '0B', open_files = 10 }",
        {"tags = ['c']\nstop_signal = 'SIGQUIT'\nsuccess_exit_codes = [4]\nenv.B = '2'",
         "log.max_size = '2MiB'\nlimits.open_files = 20\nenv.C = '2'"});
    EXPECT_EQ(spec.tags, Strings{"c"});
    EXPECT_TRUE(spec.stop_steps.empty());
    EXPECT_EQ(spec.restart.success.codes, std::vector<std::uint8_t>{4});
    EXPECT_EQ(Strings(spec.env.begin(), spec.env.begin() + 3), (Strings{"A=1", "B=2", "C=2"}));
    EXPECT_EQ(spec.log.keep, 3u);
    EXPECT_EQ(spec.log.max_size, 2 * kMebibyte);
    ASSERT_EQ(spec.limits.size(), 2u);
    EXPECT_EQ(spec.limits[0].resource == RLIMIT_NOFILE ? spec.limits[0].soft : spec.limits[1].soft, 20u);
}

TEST(Overlay, WithAShellReplacesACommandAndTheOtherWayRound) {
    EXPECT_EQ(job("command = '/bin/web'", {"shell = 'x'"}).command, (Strings{"/bin/sh", "-c", "x"}));
    EXPECT_EQ(job("shell = 'x'", {"command = '/bin/web'"}).command, Strings{"/bin/web"});
    EXPECT_EQ(job("shell = 'x'", {"command = '/bin/web'", "shell = 'y'"}).command, (Strings{"/bin/sh", "-c", "y"}));
    EXPECT_EQ(problems("command = '/bin/web'", {"shell = 'x'\ncommand = 'y'"}),
              "1.toml:1:1: error: 'shell' and 'command' exclude each other: write one of them\n");
}

TEST(Overlay, WithAPipeReplacesWhereOutputGoesAndTheOtherWayRound) {
    const std::string jobs = "[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\n";
    EXPECT_EQ(job(jobs + "[jobs.a.log]\nstdout = 'null'", {"jobs.a.log.pipe_to = 'b'"}).stdout_stream.kind,
              Stream::Kind::Pipe);
    EXPECT_EQ(job(jobs + "[jobs.a.log]\npipe_to = 'b'", {"jobs.a.log.stdout = 'null'"}).stdout_stream.kind,
              Stream::Kind::Null);
    EXPECT_EQ(problems(jobs, {"jobs.a.log = { pipe_to = 'b', stdout = 'null' }"}),
              "1.toml:1:16: error: 'log.pipe_to' and 'log.stdout' exclude each other: write one of them\n");
}

TEST(Overlay, ThatTakesTheEffectOfASettingAwayMakesItNoMistake) {
    EXPECT_EQ(problems("shell = 'x'\nrestart_delay = '5s'", {"restart = 'no'"}), "");
    EXPECT_EQ(problems("shell = 'x'\nlog.max_size = '1MiB'", {"log = { stdout = 'journal', stderr = 'journal' }"}), "");
    EXPECT_EQ(problems("shell = 'x ${job:port}'\nport_base = 80", {"shell = 'x'"}), "");
    EXPECT_EQ(problems("shell = 'x'\nsandbox = { read_only_paths = ['/'], read_write_paths = ['/tmp/a'] }",
                       {"sandbox.private_tmp = true"}),
              "");
}

TEST(Overlay, IsWrongWhereItsSettingsHaveNoEffect) {
    EXPECT_EQ(problems("shell = 'x'\nrestart = 'no'", {"restart_delay = '5s'"}),
              "1.toml:1:1: error: 'restart_delay' never takes effect: restart = \"no\"\n");
    EXPECT_EQ(problems("shell = 'x'\nrestart = 'no'", {"restart_delay = '5s'", "essential = true"}),
              "1.toml:1:1: error: 'restart_delay' never takes effect: restart = \"no\"\n");
    EXPECT_EQ(problems("shell = 'x'\nrestart = 'no'", {"restart_delay = '5s'", "restart = 'always'"}), "");
}

TEST(Overlay, DoesNotHideWhatHasNoEffectInTheFileItself) {
    EXPECT_EQ(problems("shell = 'x'\nrestart = 'no'\nrestart_delay = '5s'", {"essential = true"}),
              "web.toml:3:1: error: 'restart_delay' never takes effect: restart = \"no\"\n");
}

TEST(Overlay, ThatContradictsTheFileIsWhereThatIsSaid) {
    EXPECT_EQ(problems("shell = 'x'\nrestart = 'always'", {"type = 'oneshot'"}),
              "1.toml:1:1: error: a oneshot that is started again after success is never done: write restart = "
              "\"on-failure\", or type = \"service\"\n");
    EXPECT_EQ(problems("shell = 'x'\nreload_signal = 'SIGUSR1'", {"stop_signal = 'SIGUSR1'"}),
              "1.toml:1:1: error: 'reload_signal' is the same as 'stop_signal': a reload would end the job\n");
    EXPECT_EQ(
        problems("shell = 'x'\nstop_signal = ['SIGINT', '5s', 'SIGTERM']", {"stop_timeout = '2s'"}),
        "1.toml:1:1: error: the last of 'stop_signal' is never sent: its pauses take 5s, and after 'stop_timeout' "
        "(2s) the job is killed\n");
    EXPECT_EQ(problems("shell = 'x'\nrun_timeout = '10s'", {"min_uptime = '20s'"}),
              "1.toml:1:1: error: 'run_timeout' (10s) is shorter than 'min_uptime' (20s): every run would be a quick "
              "death\n");
}

TEST(Overlay, ThatCannotBeReadDoesNotMakeOtherThingsWrong) {
    const auto text = problems("restart = 'always'", {"shell = [", "restrat = 'no'"});
    EXPECT_EQ(text.find("needs 'command'"), std::string::npos) << text;
    EXPECT_NE(text.find("2.toml:1:1: error: unknown key 'restrat'"), std::string::npos) << text;
}

TEST(Overlay, OfDefaultsIsBelowWhatAJobSaysItself) {
    const auto spec =
        job("[defaults]\nstop_timeout = '1s'\nstart_timeout = '1s'\n[jobs.web]\nshell = 'x'\nstop_timeout = '2s'",
            {"[defaults]\nstop_timeout = '3s'\nstart_timeout = '3s'\n"});
    EXPECT_EQ(spec.stop_timeout, std::chrono::seconds(2));
    EXPECT_EQ(spec.start_timeout, std::chrono::seconds(3));
}

}  // namespace
}  // namespace procsup
