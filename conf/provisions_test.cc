#include <gtest/gtest.h>

#include "conf/expand.h"
#include "conf/job_text.h"
#include "conf/reading.h"

using namespace procsup::testing;

namespace procsup {
namespace {

using Lines = std::vector<std::string>;

Lines problems_with(const std::string& lines, const FakeSurroundings& surroundings = FakeSurroundings()) {
    return problems_of("command = \"/bin/web\"\n" + lines, surroundings);
}

FakeSurroundings user_with(std::map<std::string, std::string> variables) {
    FakeSurroundings surroundings;
    surroundings.uid = surroundings.gid = 33;
    surroundings.variables = std::move(variables);
    return surroundings;
}

TEST(Credentials, AreReadWithTheirPlaceholders) {
    const auto job = job_with("instances = 2\n[credentials]\nkey = '/etc/${job:instance}.key'\ncert = '/etc/cert'");
    EXPECT_EQ(job.credentials, (std::vector<Credential>{{"cert", "/etc/cert"}, {"key", "/etc/${job:instance}.key"}}));
    EXPECT_TRUE(job.has_provisions());
    EXPECT_FALSE(job_with("").has_provisions());
}

TEST(Credentials, MistakesHaveTheirPlaces) {
    EXPECT_EQ(problems_with("credentials = ['/etc/key']").size(), 1u);
    EXPECT_EQ(problems_with("credentials.key = 'key'"),
              Lines{"2:19: error: 'credentials' must be an absolute path, not 'key'"});
    EXPECT_EQ(problems_with("credentials.key = 5").size(), 1u);
    EXPECT_EQ(problems_with("credentials.'../key' = '/etc/key'").size(), 1u);
    EXPECT_EQ(problems_with("credentials.'.' = '/etc/key'").size(), 1u);
    EXPECT_EQ(problems_with("credentials.key = '/etc/key'\nenv.CREDENTIALS_DIRECTORY = '/x'").size(), 1u);
    std::string many = "[credentials]\n";
    for (int i = 0; i < 65; ++i) many += "k" + std::to_string(i) + " = '/k'\n";
    EXPECT_EQ(problems_with(many).size(), 1u);
}

TEST(Credentials, APlaceholderIsThePathAndKnownToCommandsAndVariables) {
    const std::string keys = "\n[credentials]\nkey = '/etc/key'\n";
    const auto job = job_of(
        "command = ['/bin/web', '--key=${cred:key}', '$${cred:key}']\nstop_command = '/bin/x ${cred:key}'\n"
        "env.KEY = '${cred:key}'" +
        keys);
    const InstanceName name{"web", "web", 0, {}};
    EXPECT_EQ(expand_job(job.command[1], name, "/run/c/web"), "--key=/run/c/web/key");
    EXPECT_EQ(expand_job(job.command[2], name, "/run/c/web"), "${cred:key}");
    EXPECT_EQ(expand_job(job.stop_command.argv[1], name, "/run/c/web"), "/run/c/web/key");
    EXPECT_EQ(expand_job(environment_value(job.env, "KEY"), name, "/run/c/web"), "/run/c/web/key");
    EXPECT_EQ(
        problems_with("env.K = '${cred:kex}'" + keys),
        Lines{"2:9: error: unknown credential in '${cred:kex}' (did you mean 'key'?): [credentials] has none of this "
              "name"});
    EXPECT_EQ(problems_with("env.K = '${cred:key}'").size(), 1u);
    EXPECT_EQ(problems_with("working_dir = '/x/${cred:key}'" + keys).size(), 1u);
    EXPECT_EQ(problems_with("[credentials]\nkey = '/etc/key'\nother = '/x/${cred:key}'").size(), 1u);
}

TEST(Directories, AreBelowThoseOfTheSystem) {
    const auto job = job_with("runtime_dirs = ['shop', 'shop/cache']\nstate_dirs = ['shop']\nlog_dirs = ['shop']");
    EXPECT_EQ(job.dirs, (std::vector<JobDir>{{JobDir::Kind::Runtime, "/run", "shop"},
                                             {JobDir::Kind::Runtime, "/run", "shop/cache"},
                                             {JobDir::Kind::State, "/var/lib", "shop"},
                                             {JobDir::Kind::Log, "/var/log", "shop"}}));
    EXPECT_EQ(environment_value(job.env, "RUNTIME_DIRECTORY"), "/run/shop:/run/shop/cache");
    EXPECT_EQ(environment_value(job.env, "STATE_DIRECTORY"), "/var/lib/shop");
    EXPECT_EQ(environment_value(job.env, "LOGS_DIRECTORY"), "/var/log/shop");
}

TEST(Directories, HaveTheirVariablesForThemselves) {
    const auto problems = problems_with("runtime_dirs = ['shop']\nenv.RUNTIME_DIRECTORY = '/x'");
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_NE(problems[0].find("'runtime_dirs' needs the variable RUNTIME_DIRECTORY, which the job sets or inherits"),
              std::string::npos)
        << problems[0];
    EXPECT_EQ(problems_with("log_dirs = ['shop']\nenv.STATE_DIRECTORY = '/x'").size(), 0u);
}

TEST(Directories, OfAUserAreBelowItsOwn) {
    const auto user = user_with({{"HOME", "/home/w"}, {"XDG_RUNTIME_DIR", "/run/user/33"}});
    const std::string lines = "runtime_dirs = ['a']\nstate_dirs = ['a']\nlog_dirs = ['a']";
    auto job = job_with(lines, user);
    ASSERT_EQ(job.dirs.size(), 3u);
    EXPECT_EQ(job.dirs[0].base, "/run/user/33");
    EXPECT_EQ(job.dirs[1].base, "/home/w/.local/state");
    EXPECT_EQ(job.dirs[2].base, "/home/w/.local/state/log");
    EXPECT_EQ(job_with("state_dirs = ['a']", user_with({{"XDG_STATE_HOME", "/s"}})).dirs[0].base, "/s");
    EXPECT_EQ(problems_with(lines, user_with({})).size(), 3u);
    EXPECT_EQ(problems_with(lines, user_with({{"HOME", "x"}, {"XDG_RUNTIME_DIR", ""}})).size(), 3u);
}

TEST(Directories, NamesThatLeadElsewhereAreErrors) {
    for (const std::string name :
         {"", "/shop", "..", "../etc", "a/../../etc", ".", "a/.", "a//b", "a/", "a:b", "procsupd", "procsupd/x"}) {
        for (const auto* key : {"runtime_dirs", "state_dirs", "log_dirs"}) {
            EXPECT_EQ(problems_with(std::string(key) + " = ['" + name + "']").size(), 1u) << key << " " << name;
        }
    }
    EXPECT_EQ(problems_with("state_dirs = ['${env:UP}']",
                            [] {
                                FakeSurroundings surroundings;
                                surroundings.variables["UP"] = "../etc";
                                return surroundings;
                            }())
                  .size(),
              1u);
}

TEST(Directories, CanDifferBetweenInstances) {
    const auto job = job_with("instances = 2\nruntime_dirs = ['${job:instance}']");
    EXPECT_EQ(job.dirs[0].name, "${job:instance}");
    EXPECT_EQ(environment_value(job.env, "RUNTIME_DIRECTORY"), "/run/${job:instance}");
}

TEST(Provisions, AreReadBackFromTheirText) {
    const auto job =
        job_with("runtime_dirs = ['a', 'b']\nlog_dirs = ['c']\n[credentials]\n'k.e-y' = '/etc/${job:name}'");
    const auto again = job_of(to_toml(job));
    EXPECT_EQ(again.credentials, job.credentials);
    EXPECT_EQ(again.dirs, job.dirs);
}

}  // namespace
}  // namespace procsup
