#include <gtest/gtest.h>

#include "conf/job_difference.h"
#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

std::variant<Configuration, std::vector<Problem>> read(const std::string& health, const std::string& more) {
    return read_configuration_text("command = '/bin/web'\n" + more + "[health]\n" + health + "\n", "web.toml",
                                   FakeSurroundings());
}

std::string faults(const std::string& health, const std::string& more = "") {
    const auto result = read(health, more);
    std::string all;
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        for (const auto& problem : *problems) all += to_text(problem) + "\n";
    }
    return all;
}

JobSpec job_of(const std::string& health, const std::string& more = "") {
    const auto result = read(health, more);
    const auto* configuration = std::get_if<Configuration>(&result);
    if (configuration == nullptr) {
        ADD_FAILURE() << faults(health, more);
        return {};
    }
    return configuration->jobs.front();
}

Words probe(Words options, Words more) {
    Words words{"procsup-probe", "--watch"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--report", "3"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

const Words kUsual{"--interval", "10000", "--timeout", "2000", "--grace",     "0",
                   "--failures", "3",     "--of",      "3",    "--successes", "1"};

TEST(HealthSettings, AreTakenOverInEachForm) {
    EXPECT_EQ(job_of("tcp = 80").health.look.probe.argv, probe(kUsual, {"tcp", "localhost", "80"}));
    EXPECT_EQ(job_of("unix = '/run/web'").health.look.probe.argv, probe(kUsual, {"unix", "/run/web"}));
    EXPECT_EQ(job_of("http = 'http://[::1]:81/up?a=1'").health.look.probe.argv,
              probe(kUsual, {"http", "::1", "81", "[::1]:81", "/up?a=1"}));
    EXPECT_EQ(job_of("exec = ['/bin/look', '-x']").health.look.probe.argv,
              probe(kUsual, {"exec", "--", "/bin/look", "-x"}));
    EXPECT_EQ(
        job_of("tcp = 80\ninterval = '1s'\ntimeout = '500ms'\nfailures = 2\nof = 5\nsuccesses = 4\ngrace = '1min'")
            .health.look.probe.argv,
        probe({"--interval", "1000", "--timeout", "500", "--grace", "60000", "--failures", "2", "--of", "5",
               "--successes", "4"},
              {"tcp", "localhost", "80"}));
    EXPECT_EQ(job_of("tcp = 80\nfailures = 7").health.of, 7u) << "as many looks as have to fail, at least";
}

TEST(HealthSettings, RestartThreeTimesInTenMinutesUnlessToldOtherwise) {
    const auto usual = job_of("tcp = 80").health;
    EXPECT_EQ(usual.action, Health::Action::Restart);
    EXPECT_EQ(usual.restart_limit, (RateLimit{3, 10min}));
    EXPECT_EQ(job_of("tcp = 80\naction = 'none'").health.action, Health::Action::None);
    EXPECT_EQ(job_of("tcp = 80\nrestart_limit = '1/1h'").health.restart_limit, (RateLimit{1, 1h}));
    EXPECT_EQ(job_of("tcp = 80\nrestart_limit = 'none'").health.restart_limit.count, 0u);
}

TEST(HealthSettings, AreReadBackFromTheirOwnText) {
    for (const auto* text :
         {"tcp = \"80\"\n", "exec = [\"/bin/look\", \"-x\"]\ninterval = \"1s\"\nfailures = 5\ngrace = \"1min\"\n",
          "unix = \"/run/web\"\ntimeout = \"1s\"\nof = 9\nsuccesses = 2\naction = \"none\"\n",
          "http = \"http://127.0.0.1/\"\nrestart_limit = \"1/1h\"\n"}) {
        const auto job = job_of(text);
        const auto toml = to_toml(job);
        EXPECT_NE(toml.find(std::string("\n[health]\n") + text), std::string::npos) << toml;
        EXPECT_EQ(job_of(text).health, job.health);
    }
}

TEST(HealthSettings, ThatContradictEachOtherAreRefused) {
    EXPECT_EQ(faults("tcp = 80\nhttp = 'http://127.0.0.1/'"),
              "web.toml:4:1: error: 'health.http' excludes what else is looked at in [health]: write one of them\n");
    EXPECT_EQ(faults("interval = '1s'"),
              "web.toml:3:1: error: it never takes effect: [health] says nowhere what is looked at: tcp, unix, http, "
              "exec, memory_above or cpu_above\n");
    EXPECT_EQ(
        faults("tcp = 80\nfailures = 4\nof = 3"),
        "web.toml:4:1: error: 'health.failures' (4) is never reached: only 'health.of' (3) looks are considered\n");
    EXPECT_EQ(faults("tcp = 80\naction = 'none'\nrestart_limit = '1/1h'"),
              "web.toml:5:1: error: 'health.restart_limit' never takes effect: health.action = \"none\"\n");
    EXPECT_EQ(faults("exec = '/bin/look'", "may_fork = false\n"),
              "web.toml:4:1: error: 'health.exec' cannot run: may_fork = false\n");
    EXPECT_NE(faults("tcp = 80", "type = 'oneshot'\n").find("'health.tcp' is not for a oneshot"), std::string::npos);
    EXPECT_NE(faults("tcp = 80", "restart = 'no'\n").find("never starts again: write action = \"none\""),
              std::string::npos);
    EXPECT_EQ(faults("tcp = 80\naction = 'none'", "restart = 'no'\n"), "");
    EXPECT_NE(faults("tcp = 80\nof = 65").find("an integer from 1 to 64"), std::string::npos);
    EXPECT_NE(faults("tcp = 80\ninterval = '0s'").find("longer than 0"), std::string::npos);
    EXPECT_NE(faults("htpt = 'x'").find("did you mean 'http'?"), std::string::npos);
    EXPECT_NE(faults("http = 'https://x'").find("'health.http': "), std::string::npos);
}

TEST(HealthSettings, AreTakenOnByARunThatGoesOn) {
    const auto before = job_of("tcp = 80");
    const auto changed = difference(before, job_of("tcp = 81\ninterval = '1s'\naction = 'none'"));
    EXPECT_TRUE(changed.at_start.empty());
    EXPECT_EQ(changed.live, (Words{"health.tcp", "health.action", "health.interval"}));
}

TEST(HealthSettings, OfWhatARunUsesNeedNoProbe) {
    const auto job = job_of("memory_above = '512MiB'\ncpu_above = 1.5");
    EXPECT_EQ(job.health.memory_above, 512u << 20);
    EXPECT_EQ(job.health.cpu_above, 1.5);
    EXPECT_TRUE(job.health.is_declared());
    EXPECT_TRUE(job.health.look.probe.empty());
    EXPECT_EQ(to_text(job.health), "memory_above 512MiB, cpu_above 1.5");
    const auto both = job_of("tcp = 80\nmemory_above = '1GiB'").health;
    EXPECT_EQ(to_text(both), "tcp 80, memory_above 1GiB");
}

TEST(HealthSettings, OfWhatARunUsesThatCannotBeAreRefused) {
    EXPECT_NE(faults("memory_above = '1GiB'", "limits.memory_max = '1GiB'\n").find("is never reached"),
              std::string::npos);
    EXPECT_NE(faults("memory_above = '1'").find("memory_above"), std::string::npos);
    EXPECT_NE(faults("cpu_above = 0").find("cpu_above"), std::string::npos);
    EXPECT_NE(faults("cpu_above = 1\ntimeout = '1s'").find("'health.timeout' never takes effect"), std::string::npos);
    EXPECT_NE(faults("cpu_above = 1", "type = 'oneshot'\n").find("is not for a oneshot"), std::string::npos);
}

TEST(HealthSettings, OfWhatARunUsesReadBackAsTheSame) {
    const auto job = job_of("memory_above = '512MiB'\ncpu_above = 0.25\ninterval = '1s'");
    const auto again = read_configuration_text(to_toml(job), "web.toml", FakeSurroundings());
    ASSERT_TRUE(std::holds_alternative<Configuration>(again)) << to_toml(job);
    EXPECT_EQ(std::get<Configuration>(again).jobs.front().health, job.health);
}

}  // namespace
}  // namespace procsup
