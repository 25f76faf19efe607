#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

std::variant<Configuration, std::vector<Problem>> read(const std::string& ready, const std::string& more = "") {
    return read_configuration_text("command = '/bin/web'\n" + more + "[ready]\n" + ready + "\n", "web.toml",
                                   FakeSurroundings());
}

std::string faults(const std::string& ready, const std::string& more = "") {
    const auto result = read(ready, more);
    std::string all;
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        for (const auto& problem : *problems) all += to_text(problem) + "\n";
    }
    return all;
}

JobSpec job_of(const std::string& ready, const std::string& more = "") {
    const auto result = read(ready, more);
    const auto* configuration = std::get_if<Configuration>(&result);
    if (configuration == nullptr) {
        ADD_FAILURE() << faults(ready, more);
        return {};
    }
    return configuration->jobs.front();
}

using Words = std::vector<std::string>;
const Words kProbe{"procsup-probe", "--interval", "250", "--timeout", "2000", "--report", "3"};

Words probe(Words more) {
    Words words = kProbe;
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

TEST(Readiness, IsTakenOverInEachForm) {
    EXPECT_EQ(job_of("notify = true").readiness.kind, Readiness::Kind::Notify);
    EXPECT_FALSE(job_of("notify = false").readiness.is_declared());
    EXPECT_EQ(job_of("fd = 3").readiness.fd, 3);
    EXPECT_EQ(job_of("log_line = 'ready|up'").readiness.target, "ready|up");
    EXPECT_EQ(job_of("tcp = 80").readiness.probe.argv, probe({"tcp", "localhost", "80"}));
    EXPECT_EQ(job_of("tcp = '127.0.0.1:80'").readiness.probe.argv, probe({"tcp", "127.0.0.1", "80"}));
    EXPECT_EQ(job_of("tcp = '[::1]:80'").readiness.probe.argv, probe({"tcp", "::1", "80"}));
    EXPECT_EQ(job_of("unix = '/run/web'").readiness.probe.argv, probe({"unix", "/run/web"}));
    EXPECT_EQ(job_of("file = '/run/web.pid'").readiness.probe.argv, probe({"file", "/run/web.pid"}));
    EXPECT_EQ(job_of("http = 'http://[::1]:81/up?a=1'").readiness.probe.argv,
              probe({"http", "::1", "81", "[::1]:81", "/up?a=1"}));
    EXPECT_EQ(job_of("http = 'http://localhost'").readiness.probe.argv,
              probe({"http", "localhost", "80", "localhost", "/"}));
    EXPECT_EQ(job_of("exec = ['/bin/look', '-x']").readiness.probe.argv, probe({"exec", "--", "/bin/look", "-x"}));
}

TEST(Readiness, OfAnInstanceIsAtItsOwnPort) {
    const auto job = job_of("tcp = '127.0.0.1:${job:port}'", "instances = 2\nport_base = 8000\n");
    EXPECT_EQ(job.readiness.probe.argv, probe({"tcp", "127.0.0.1", "${job:port}"}));
    EXPECT_EQ(job_of("http = 'http://127.0.0.1:${job:port}/'", "port_base = 8000\n").readiness.probe.argv,
              probe({"http", "127.0.0.1", "${job:port}", "127.0.0.1:${job:port}", "/"}));
}

TEST(Readiness, HasTheStartTimeoutWhereItHasNoneOfItsOwn) {
    using namespace std::chrono_literals;
    EXPECT_EQ(job_of("notify = true").readiness.timeout, 90s);
    EXPECT_EQ(job_of("notify = true", "start_timeout = '7s'\n").readiness.timeout, 7s);
    EXPECT_EQ(job_of("notify = true\ntimeout = '3s'").readiness.timeout, 3s);
    EXPECT_EQ(job_of("notify = true\ntimeout = 'none'").readiness.timeout, kForever);
    EXPECT_EQ(job_of("tcp = 80\ninterval = '1s'").readiness.probe.argv[2], "1000");
}

TEST(Readiness, IsReadBackFromItsOwnText) {
    for (const auto* text :
         {"notify = true\ntimeout = \"3s\"\n", "fd = 5\n", "tcp = \"127.0.0.1:80\"\ninterval = \"1s\"\n",
          "exec = [\"/bin/look\", \"-x\"]\n", "log_line = \"^(ready|up)$\"\n", "http = \"http://127.0.0.1/\"\n"}) {
        const auto toml = to_toml(job_of(text));
        EXPECT_NE(toml.find(std::string("\n[ready]\n") + text), std::string::npos) << toml;
    }
}

TEST(Readiness, InOneWayOnly) {
    EXPECT_EQ(faults("notify = true\ntcp = 80"),
              "web.toml:4:1: error: 'ready.tcp' excludes what else is written in [ready]: write one of them\n");
    const auto result = read_configuration_text(
        "[defaults.ready]\nnotify = true\n[jobs.a]\nshell = 'x'\nready.tcp = 80\n[jobs.b]\nshell = 'x'\n"
        "[jobs.c]\nshell = 'x'\ntype = 'oneshot'\n[jobs.d]\nshell = 'x'\nready.notify = false\n",
        "p.toml", FakeSurroundings());
    const auto* configuration = std::get_if<Configuration>(&result);
    ASSERT_NE(configuration, nullptr);
    EXPECT_EQ(configuration->jobs[0].readiness.kind, Readiness::Kind::Tcp);
    EXPECT_EQ(configuration->jobs[1].readiness.kind, Readiness::Kind::Notify);
    EXPECT_FALSE(configuration->jobs[2].readiness.is_declared());
    EXPECT_FALSE(configuration->jobs[3].readiness.is_declared());
}

TEST(Readiness, ThatCannotBeIsRefused) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"tcp = 0", "3:7: error: 'ready.tcp': '0' is no port from 1 to 65535"},
        {"tcp = 'db.example:80'",
         "3:7: error: 'ready.tcp': 'db.example' is no address: write numbers such as 127.0.0.1 or [::1], or localhost; "
         "names are not looked up"},
        {"tcp = true",
         "3:7: error: 'ready.tcp' must be a port, or an address and a port such as \"127.0.0.1:8080\", not a boolean"},
        {"http = 'https://127.0.0.1/'",
         "3:8: error: 'ready.http': 'https://127.0.0.1/' does not begin with http://; for anything else write exec = "
         "[\"curl\", …]"},
        {"fd = 2", "3:6: error: 'ready.fd' must be an integer from 3 to 7, not 2"},
        {"unix = '/" + std::string(120, 'x') + "'",
         "3:8: error: 'ready.unix': '/" + std::string(99, 'x') + "...' is longer than a socket's path can be"},
        {"timeout = '3s'", "3:1: error: 'ready.timeout' never takes effect: nothing in [ready] is waited for"},
        {"fd = 3\ninterval = '1s'",
         "4:1: error: 'ready.interval' never takes effect: nothing is looked at again and again"},
        {"notfy = true", "3:1: error: unknown key 'notfy' in [ready] (did you mean 'notify'?)"},
    };
    for (const auto& [ready, fault] : cases) EXPECT_EQ(faults(ready), "web.toml:" + fault + "\n");
    EXPECT_EQ(faults("notify = true", "type = 'oneshot'\n"),
              "web.toml:4:1: error: 'ready.notify' never takes effect: a oneshot is waited for until it has ended\n");
    EXPECT_EQ(faults("exec = ['/bin/x']", "may_fork = false\n"),
              "web.toml:4:1: error: 'ready.exec' cannot run: may_fork = false\n");
    EXPECT_EQ(
        faults("log_line = 'x'", "log.stdout = 'null'\nlog.stderr = 'null'\n"),
        "web.toml:5:1: error: 'ready.log_line' sees nothing: neither 'log.stdout' nor 'log.stderr' is \"capture\", "
        "\"journal\" or \"forward\"\n");
}

TEST(Readiness, ByALineNeedsAnExpression) {
    EXPECT_EQ(faults("log_line = 'is (up'"),
              "web.toml:3:12: error: 'ready.log_line': 'is (up': missing closing parenthesis, behind 6 characters: "
              "write \\ in front of what means itself, and the whole in '...'\n");
    EXPECT_EQ(faults("log_line = ''"), "web.toml:3:12: error: 'ready.log_line' must not be empty\n");
    EXPECT_EQ(faults("log_line = 3"),
              "web.toml:3:12: error: 'ready.log_line' must be a regular expression, not an integer\n");
    EXPECT_EQ(faults("log_line = '" + std::string(2049, 'x') + "'"),
              "web.toml:3:12: error: 'ready.log_line': '" + std::string(100, 'x') +
                  "...' is longer than 2048 bytes: write what is peculiar to the line\n");
    EXPECT_EQ(faults("log_line = '" + std::string(2048, 'x') + "'"), "");
}

TEST(Readiness, ByALineIsThatOfTheInstance) {
    EXPECT_EQ(job_of("log_line = '^${job:name} is up$'").readiness.target, "^web is up$");
    EXPECT_EQ(job_of("log_line = '^${job:index}$'", "instances = 2\n").readiness.target, "^${job:index}$");
    EXPECT_TRUE(job_of("log_line = 'up'").readiness.probe.empty());
}

TEST(Readiness, ByALineNeedsOneStreamThatIsLookedAt) {
    EXPECT_EQ(faults("log_line = 'up'", "log.stdout = 'null'\n"), "");
    EXPECT_EQ(faults("log_line = 'up'", "log.stdout = 'journal'\n"), "");
    EXPECT_EQ(faults("log_line = 'up'", "log.stdout = '/var/log/x'\nlog.stderr = 'forward'\n"), "");
    const auto result = read_configuration_text(
        "[defaults]\nready.log_line = 'up'\n[jobs.a]\nshell = 'x'\ntype = 'oneshot'\nlog.stdout = 'inherit'\n",
        "p.toml", FakeSurroundings());
    EXPECT_TRUE(std::holds_alternative<Configuration>(result));
}

TEST(Readiness, IsToldInShort) {
    EXPECT_EQ(to_text(job_of("log_line = '^up$'").readiness), "log_line ^up$");
    EXPECT_EQ(to_text(job_of("log_line = '" + std::string(99, 'x') + "üü'").readiness),
              "log_line " + std::string(99, 'x') + "...");
    EXPECT_EQ(to_text(job_of("exec = ['/bin/look', '--key', 'secret']").readiness), "exec /bin/look");
    EXPECT_EQ(to_text(job_of("http = 'http://[::1]/up?key=secret'").readiness), "http http://[::1]/up");
}

}  // namespace
}  // namespace procsup
