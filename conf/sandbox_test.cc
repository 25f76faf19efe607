#include <gtest/gtest.h>
#include <linux/capability.h>

#include <cerrno>

#include "conf/job_text.h"
#include "conf/reading.h"
#include "conf/sandbox_means.h"
#include "conf/sandbox_paths.h"

using namespace procsup::testing;

namespace procsup {
namespace {

using Lines = std::vector<std::string>;

Lines problems_with(const std::string& sandbox, const std::string& keys = "") {
    return problems_of("command = \"/bin/web\"\n" + keys + "[sandbox]\n" + sandbox);
}

JobSpec job(const std::string& sandbox, const std::string& keys = "") {
    return job_with(keys + "\n[sandbox]\n" + sandbox);
}

Lines paths_of(const JobSpec& spec, std::uint32_t index = 0) {
    Lines lines;
    for (const auto& path : sandbox_paths(spec, {"web", "web@" + std::to_string(index), index, {}})) {
        lines.push_back((path.read_only ? "ro " : "rw ") + path.path + (path.may_be_absent ? " or not" : "") +
                        (path.implied ? " implied" : ""));
    }
    return lines;
}

TEST(SandboxPaths, WhatIsAboveStandsBeforeWhatIsBelow) {
    EXPECT_EQ(paths_of(job("read_only_paths = ['/srv/a/conf', '/']\nread_write_paths = ['-/srv/a/', '/srv/a/conf/x']")),
              (Lines{"ro /", "rw /srv/a or not", "ro /srv/a/conf", "rw /srv/a/conf/x"}));
}

TEST(SandboxPaths, DirectoriesOfTheJobStayWritableUnlessItSaysOtherwise) {
    const std::string dirs = "runtime_dirs = ['shop']\nstate_dirs = ['shop', 'shop/${job:index}']";
    EXPECT_EQ(paths_of(job("read_only_paths = ['/']", dirs), 3),
              (Lines{"ro /", "rw /run/shop implied", "rw /var/lib/shop implied"}));
    EXPECT_EQ(paths_of(job("read_only_paths = ['/var/lib/shop']", dirs)),
              (Lines{"ro /var/lib/shop", "rw /var/lib/shop/0 implied"}));
    EXPECT_EQ(paths_of(job("private_tmp = true", dirs)), Lines{});
}

TEST(SandboxPaths, DifferByInstance) {
    const auto spec = job("read_only_paths = ['/srv']\nread_write_paths = ['/srv/${job:index}']", "instances = 2");
    EXPECT_EQ(paths_of(spec, 1), (Lines{"ro /srv", "rw /srv/1"}));
}

TEST(SandboxPaths, ANameThatBeginsAlikeIsNotBelow) {
    EXPECT_TRUE(is_in("/srv/a", "/srv"));
    EXPECT_TRUE(is_in("/srv", "/srv"));
    EXPECT_TRUE(is_in("/srv", "/"));
    EXPECT_FALSE(is_in("/srvx", "/srv"));
    EXPECT_FALSE(is_in("/", "/srv"));
    EXPECT_TRUE(is_in_tmp("/var/tmp/x"));
    EXPECT_FALSE(is_in_tmp("/tmpx"));
}

TEST(SandboxKeys, MistakesHaveTheirPlaces) {
    EXPECT_EQ(problems_with("read_only_paths = ['/srv', 'srv']"),
              Lines{"3:28: error: 'sandbox.read_only_paths' must be an absolute path, not 'srv'"});
    for (const char* path : {"/srv/../etc", "/srv/.", "/srv//x"}) {
        EXPECT_EQ(problems_with(std::string("read_only_paths = ['") + path + "']").size(), 1u) << path;
    }
    EXPECT_EQ(problems_with("read_only_paths = '/srv'").size(), 1u);
    EXPECT_EQ(problems_with("private_tmp = 'yes'").size(), 1u);
    EXPECT_EQ(problems_with("read_only_paths = ['/" + std::string(4095, 'x') + "']").size(), 1u);
    std::string many;
    for (int i = 0; i < 65; ++i) many += "'/" + std::to_string(i) + "',";
    EXPECT_EQ(problems_with("read_only_paths = [" + many + "]").size(), 1u);
    EXPECT_EQ(problems_with("read_only_paths = ['/a', '/a/']"), Lines{});
    EXPECT_EQ(problems_with("read_only_paths = ['/a']\nread_write_paths = ['/a/']"),
              Lines{"4:21: error: 'sandbox.read_write_paths' has '/a', which 'sandbox.read_only_paths' has too"});
}

TEST(SandboxKeys, WhatNeverTakesEffectIsToldWhereItIsWritten) {
    EXPECT_EQ(problems_with("read_write_paths = ['/srv']").size(), 1u);
    EXPECT_EQ(problems_with("strict = true").size(), 1u);
    EXPECT_EQ(problems_with("strict = true\nprivate_tmp = true"), Lines{});
    EXPECT_EQ(
        problems_with("private_tmp = true\nread_only_paths = ['/tmp/x']"),
        Lines{"4:20: error: 'sandbox.read_only_paths' has '/tmp/x', in whose place the job has an empty directory "
              "of its own: 'sandbox.private_tmp' is true"});
    const auto configuration = read_configuration_text(
        "[defaults.sandbox]\nstrict = true\nread_write_paths = ['/srv']\n[jobs.a]\ncommand = '/bin/a'\n",
        "procsup.toml", FakeSurroundings());
    EXPECT_TRUE(std::holds_alternative<Configuration>(configuration));
}

TEST(SandboxKeys, WhatAJobNeedsIsNotInATmpThatItDoesNotSee) {
    const auto problem = [](const std::string& what) {
        return what +
               " cannot be seen by the job: with 'sandbox.private_tmp' it has an empty /tmp and /var/tmp; move it "
               "elsewhere";
    };
    EXPECT_EQ(problems_with("private_tmp = true", "working_dir = '/tmp/x'\n"),
              Lines{problem("2:1: error: 'working_dir' '/tmp/x'")});
    EXPECT_EQ(problems_with("private_tmp = true", "log.stdout = '/var/tmp/x'\n"),
              Lines{problem("2:5: error: 'log.stdout' '/var/tmp/x'")});
    EXPECT_EQ(problems_with("private_tmp = true", "working_dir = '/tmpx'\n"), Lines{});
}

TEST(SandboxKeys, AreReadBackFromWhatCatPrints) {
    const auto spec =
        job("private_tmp = true\nread_only_paths = ['/', '-/opt/x']\nread_write_paths = ['-/srv']\nstrict = true");
    EXPECT_EQ(job_of(to_toml(spec)).sandbox, spec.sandbox);
    json::Writer writer;
    write_json(writer, spec);
    const auto shown = *json::parse(writer.text());
    EXPECT_TRUE(shown.bool_or("privateTmp", false));
    EXPECT_TRUE(shown.bool_or("strictSandbox", false));
    EXPECT_EQ(*shown.find("readOnlyPaths")->as_array()->at(1).as_string(), "-/opt/x");
    EXPECT_EQ(*shown.find("readWritePaths")->as_array()->at(0).as_string(), "-/srv");
}

Abilities without_mounts(int landlock) {
    Abilities abilities;
    abilities.capabilities = 0;
    abilities.mounts_error = EPERM;
    abilities.landlock = landlock;
    return abilities;
}

struct Case {
    const char* sandbox;
    int landlock;
    SandboxMeans means;
    Lines shortfalls;
};

TEST(SandboxMeans, IsLandlockOnlyWhereThatIsExact) {
    const std::string lacks = "procsupd lacks CAP_SYS_ADMIN, which mounts of its own need";
    const std::string instead =
        "; Landlock, which does without, can only make everything read-only but for some directories: write "
        "read_only_paths = [\"/\"], and the others as read_write_paths";
    const auto read_only = [](const std::string& paths) { return "sandbox.read_only_paths = [" + paths + "]: "; };
    const std::vector<Case> cases{
        {"no_new_privileges = true", 0, SandboxMeans::None, {}},
        {"read_only_paths = ['/']", 3, SandboxMeans::Landlock, {}},
        {"read_only_paths = ['/', '/etc']\nread_write_paths = ['/srv']", 3, SandboxMeans::Landlock, {}},
        {"read_only_paths = ['/']",
         2,
         SandboxMeans::Landlock,
         {read_only("\"/\"") + lacks +
          "; Landlock, which does without, keeps nobody from truncate(2) before Linux 6.2"}},
        {"read_only_paths = ['/']",
         1,
         SandboxMeans::None,
         {read_only("\"/\"") + lacks + "; this kernel has no Landlock that could do without"}},
        {"read_only_paths = ['/']\nno_new_privileges = false",
         3,
         SandboxMeans::None,
         {read_only("\"/\"") + lacks + "; Landlock, which does without, needs sandbox.no_new_privileges = true"}},
        {"read_only_paths = ['/srv']", 3, SandboxMeans::None, {read_only("\"/srv\"") + lacks + instead}},
        {"read_only_paths = ['/', '/srv/conf']\nread_write_paths = ['/srv']",
         3,
         SandboxMeans::None,
         {read_only("\"/\", \"/srv/conf\"") + lacks + instead}},
        {"private_tmp = true", 3, SandboxMeans::None, {"sandbox.private_tmp = true: " + lacks}},
        {"private_tmp = true\nread_only_paths = ['/']",
         3,
         SandboxMeans::Landlock,
         {"sandbox.private_tmp = true: " + lacks}},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.sandbox);
        const auto spec = job(one.sandbox);
        const auto abilities = without_mounts(one.landlock);
        EXPECT_EQ(sandbox_means(spec, abilities), one.means);
        Lines texts;
        for (const auto& shortfall : shortfalls(spec, abilities)) texts.push_back(to_text(shortfall));
        EXPECT_EQ(texts, one.shortfalls);
    }
}

TEST(SandboxMeans, AreMountsWhereTheseCanBeHad) {
    const auto spec = job("private_tmp = true\nread_only_paths = ['/']");
    EXPECT_EQ(sandbox_means(spec, Abilities{}), SandboxMeans::Mounts);
    EXPECT_EQ(sandbox_means(job(""), Abilities{}), SandboxMeans::None);
    EXPECT_TRUE(shortfalls(spec, Abilities{}).empty());
}

TEST(SandboxMeans, SaysThatMountsAreRefusedAlthoughThereIsTheCapability) {
    auto abilities = without_mounts(0);
    abilities.capabilities = std::uint64_t{1} << CAP_SYS_ADMIN;
    EXPECT_EQ(to_text(shortfalls(job("private_tmp = true"), abilities).at(0)),
              "sandbox.private_tmp = true: mounts of its own are refused here (Operation not permitted)");
}

TEST(SandboxMeans, EachTableHasAStrictnessOfItsOwn) {
    const auto spec = job("private_tmp = true\nstrict = true", "limits.nice = 1\n");
    EXPECT_TRUE(is_strict(spec, Key::PrivateTmp));
    EXPECT_FALSE(is_strict(spec, Key::Nice));
    const auto other = job("private_tmp = true", "limits.nice = 1\nlimits.strict = true\n");
    EXPECT_FALSE(is_strict(other, Key::ReadOnlyPaths));
    EXPECT_TRUE(is_strict(other, Key::Nice));
}

}  // namespace
}  // namespace procsup
