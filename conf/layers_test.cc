#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/load_fixture.h"

namespace procsup {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

/// Three directories, of which the first stands over the others.
class Layers : public testing::LoadFixture {
protected:
    ConfigPaths usual() const { return {{path("etc"), path("run"), path("lib")}, true}; }
    ConfigPaths named() const { return {{path("etc"), path("run"), path("lib")}, false}; }
    Configuration loaded() {
        auto result = load(usual());
        if (auto* configuration = std::get_if<0>(&result)) return std::move(*configuration);
        ADD_FAILURE() << problems(usual());
        return {};
    }
    JobSpec job(const std::string& name) {
        for (auto& spec : loaded().jobs) {
            if (spec.name == name) return std::move(spec);
        }
        ADD_FAILURE() << "no job " << name;
        return {};
    }
};

TEST_F(Layers, AJobFileReplacesTheLowerOneOfItsNameAsAWhole) {
    write("lib/jobs.d/web.toml", "command = '/lib/web'\nstop_timeout = '3s'");
    write("run/jobs.d/web.toml", "command = '/run/web'\nessential = true");
    write("lib/jobs.d/db.toml", "command = '/lib/db'");
    write("run/jobs.d/db.toml", "command = '/run/db'");
    write("etc/jobs.d/db.toml", "command = '/etc/db'");
    write("lib/jobs.d/only.toml", "command = '/lib/only'");
    EXPECT_EQ(names(usual()), (Names{"db", "only", "web"}));
    EXPECT_EQ(job("db").program, "/etc/db");
    EXPECT_EQ(job("web").program, "/run/web");
    EXPECT_EQ(job("web").stop_timeout, JobSpec().stop_timeout);
    EXPECT_EQ(job("only").origin, path("lib/jobs.d/only.toml") + ":1");
}

TEST_F(Layers, WhatIsReplacedIsNotRead) {
    write("lib/jobs.d/web.toml", "comand = ");
    write("etc/jobs.d/web.toml", "command = '/etc/web'");
    EXPECT_EQ(names(usual()), Names{"web"});
}

TEST_F(Layers, DirectoriesMayHaveTheirJobsInJobsDOrNot) {
    write("lib/jobs.d/a.toml", "command = '/lib/a'");
    write("lib/jobs.d/b.toml", "command = '/lib/b'");
    write("etc/a.toml", "command = '/etc/a'");
    EXPECT_EQ(job("a").program, "/etc/a");
    EXPECT_EQ(job("b").program, "/lib/b");
}

TEST_F(Layers, AFileThatOnlySaysThatItIsNotEnabledMasksTheJob) {
    write("lib/jobs.d/web.toml", "command = '/lib/web'");
    write("lib/jobs.d/web.toml.d/a.toml", "essential = true");
    write("lib/jobs.d/db.toml", "command = '/lib/db'");
    write("etc/jobs.d/web.toml", "enabled = false\n");
    write("etc/jobs.d/gone.toml", "enabled = false\n");
    EXPECT_EQ(names(usual()), Names{"db"});
    const auto masked = loaded().daemon.masked;
    ASSERT_EQ(masked.size(), 2u);
    EXPECT_EQ(masked[1].job, "web");
    EXPECT_EQ(masked[1].file, path("etc/jobs.d/web.toml"));
}

TEST_F(Layers, ALinkToNullMasksTheJobAndNoOtherDevice) {
    write("lib/jobs.d/web.toml", "command = '/lib/web'");
    write("lib/jobs.d/db.toml", "command = '/lib/db'");
    fs::create_directories(path("etc/jobs.d"));
    fs::create_symlink("/dev/null", path("etc/jobs.d/web.toml"));
    EXPECT_EQ(names(usual()), Names{"db"});
    EXPECT_EQ(loaded().daemon.masked.at(0).file, path("etc/jobs.d/web.toml"));
    fs::create_symlink("/dev/zero", path("etc/jobs.d/db.toml"));
    EXPECT_EQ(problems(usual()),
              "DIR/etc/jobs.d/db.toml: error: cannot read DIR/etc/jobs.d/db.toml: not a regular file\n");
}

TEST_F(Layers, WhoNamesAMaskedJobIsToldWhichFileMasksIt) {
    write("lib/jobs.d/db.toml", "command = '/lib/db'");
    write("etc/jobs.d/db.toml", "enabled = false\n");
    write("etc/jobs.d/web.toml", "command = '/bin/web'\nrequires = ['db']\nwants = ['dbs']");
    EXPECT_EQ(
        problems(usual()),
        "DIR/etc/jobs.d/web.toml:2:13: error: 'requires' names 'db', which is no job: DIR/etc/jobs.d/db.toml masks it\n"
        "DIR/etc/jobs.d/web.toml:3:10: error: 'wants' names 'dbs', which is no job\n");
}

TEST_F(Layers, AFileThatIsNoMaskNeedsACommand) {
    write("etc/jobs.d/web.toml", "enabled = true");
    write("etc/jobs.d/db.toml", "enabled = false\nessential = true");
    EXPECT_EQ(problems(usual()),
              "DIR/etc/jobs.d/db.toml:1:1: error: job 'db' needs 'command' or 'shell'\n"
              "DIR/etc/jobs.d/web.toml:1:1: error: job 'web' needs 'command' or 'shell'\n");
}

TEST_F(Layers, TheHighestDaemonFileCounts) {
    write("lib/procsupd.toml", "[daemon]\nlog_level = 'debug'\nmax_clients = 7\n[defaults]\nessential = true");
    write("run/procsupd.toml", "[daemon]\nlog_level = 'warn'");
    write("lib/jobs.d/web.toml", "command = '/lib/web'");
    EXPECT_EQ(loaded().daemon.log_level, LogLevel::Warn);
    EXPECT_EQ(loaded().daemon.max_clients, DaemonSpec().max_clients);
    EXPECT_FALSE(job("web").essential);
}

TEST_F(Layers, OverlaysOfTheDaemonFileComeFromEveryDirectory) {
    write("lib/procsupd.toml", "[daemon]\nlog_level = 'debug'\nmax_clients = 7\n[defaults]\nessential = true");
    write("lib/procsupd.toml.d/10.toml", "[daemon]\nmax_clients = 10\n");
    write("etc/procsupd.toml.d/20.toml", "[daemon]\nmax_clients = 20\n[jobs.extra]\ncommand = '/bin/extra'");
    EXPECT_EQ(loaded().daemon.log_level, LogLevel::Debug);
    EXPECT_EQ(loaded().daemon.max_clients, 20u);
    EXPECT_TRUE(job("extra").essential);
    fs::remove(path("lib/procsupd.toml"));
    EXPECT_EQ(loaded().daemon.max_clients, 20u);
}

TEST_F(Layers, OverlaysAreMergedByTheirNamesWhereverTheyAre) {
    write("lib/jobs.d/web.toml", "command = '/lib/web'\n[env]\nA = 'lib'\nB = 'lib'\nC = 'lib'");
    write("etc/jobs.d/web.toml.d/10.toml", "[env]\nB = 'etc'\nC = 'etc'");
    write("run/jobs.d/web.toml.d/20.toml", "[env]\nC = 'run'");
    const auto env = job("web").env;
    EXPECT_EQ(Names(env.begin(), env.begin() + 3), (Names{"A=lib", "B=etc", "C=run"}));
}

TEST_F(Layers, AnOverlayReplacesTheLowerOneOfItsName) {
    write("lib/jobs.d/web.toml", "command = '/lib/web'");
    write("lib/jobs.d/web.toml.d/10.toml", "comand = ");
    write("etc/jobs.d/web.toml.d/10.toml", "stop_timeout = '3s'");
    EXPECT_EQ(job("web").stop_timeout, std::chrono::seconds(3));
}

TEST_F(Layers, OverlaysOfAHigherDirectoryStandOverAFileOfIt) {
    write("etc/jobs.d/web.toml", "command = '/etc/web'\nstop_timeout = '1s'");
    write("lib/jobs.d/web.toml.d/10.toml", "stop_timeout = '3s'");
    EXPECT_EQ(job("web").stop_timeout, std::chrono::seconds(3));
}

TEST_F(Layers, OverlaysWithoutAJobFileAreRefused) {
    write("lib/jobs.d/mailer.toml", "command = '/lib/mailer'");
    write("etc/jobs.d/mailr.toml.d/10.toml", "stop_timeout = '3s'");
    fs::create_directories(path("etc/jobs.d/empty.toml.d"));
    EXPECT_EQ(problems(usual()),
              "DIR/etc/jobs.d/mailr.toml.d: error: there is no job file 'mailr.toml' for these overlays (did you mean "
              "'mailer'?); those of jobs in procsupd.toml belong in procsupd.toml.d\n");
}

TEST_F(Layers, ProblemsOfOverlaysAreInTheirOwnFiles) {
    write("lib/jobs.d/web.toml", "command = '/lib/web'\n");
    write("etc/jobs.d/web.toml.d/10.toml", "\nrestrat = 'no'\nstop_timeout = 3");
    write("etc/jobs.d/web.toml.d/20.toml", "a = [");
    const auto text = problems(usual());
    EXPECT_NE(text.find("DIR/etc/jobs.d/web.toml.d/10.toml:2:1: error: unknown key 'restrat' (did you"),
              std::string::npos);
    EXPECT_NE(text.find("DIR/etc/jobs.d/web.toml.d/10.toml:3:16: error: 'stop_timeout' must be"), std::string::npos);
    EXPECT_NE(text.find("DIR/etc/jobs.d/web.toml.d/20.toml:1:"), std::string::npos) << text;
}

TEST_F(Layers, SayWhatIsNoOverlay) {
    write("etc/web.toml", "command = '/bin/web'");
    write("etc/db.toml", "command = '/bin/db'");
    write("etc/web.toml.d", "a file");
    write("etc/db.toml.d/10.conf", "");
    write("etc/db.toml.d/.swap", "");
    write("etc/db.toml.d/README", "");
    write("etc/db.toml.d/a.toml.dpkg-old", "");
    fs::create_symlink("b.toml", path("etc/db.toml.d/b.toml"));
    fs::create_directories(path("etc/db.toml.d/c.toml"));
    fs::create_symlink("x.toml.d", path("etc/x.toml.d"));
    EXPECT_EQ(
        problems(usual()),
        "DIR/etc/db.toml.d/10.conf: error: is not read: the name of an overlay ends with .toml\n"
        "DIR/etc/db.toml.d/b.toml: error: cannot read DIR/etc/db.toml.d/b.toml: Too many levels of symbolic links\n"
        "DIR/etc/db.toml.d/c.toml: error: cannot read DIR/etc/db.toml.d/c.toml: a directory, not a file\n"
        "DIR/etc/web.toml.d: error: cannot read DIR/etc/web.toml.d: Not a directory\n"
        "DIR/etc/x.toml.d: error: cannot read DIR/etc/x.toml.d: Too many levels of symbolic links\n");
}

TEST_F(Layers, TakeNoMoreOverlaysThanTheyMay) {
    write("etc/web.toml", "command = '/bin/web'");
    write("etc/web.toml.d/x.toml", "");
    for (int i = 0; i < 10000; ++i) {
        ASSERT_EQ(
            link(path("etc/web.toml.d/x.toml").c_str(), path("etc/web.toml.d/" + std::to_string(i) + ".toml").c_str()),
            0);
    }
    EXPECT_EQ(problems(usual()), "DIR/etc/web.toml.d: error: more than 10000 files\n");
    fs::create_directories(path("lib/web.toml.d"));
    fs::rename(path("etc/web.toml.d/x.toml"), path("lib/web.toml.d/y.toml"));
    EXPECT_EQ(problems(usual()), "DIR/lib/web.toml.d: error: more than 10000 overlays in all directories\n");
    fs::remove(path("lib/web.toml.d/y.toml"));
    EXPECT_EQ(names(usual()), Names{"web"});
}

TEST_F(Layers, AFileAndItsOverlaysAreNotLargerThanOneFileMayBe) {
    write("etc/web.toml", "command = '/bin/web'");
    write("etc/web.toml.d/a.toml", std::string(3 << 20, '\n'));
    write("etc/web.toml.d/b.toml", std::string(1 << 20, '\n'));
    EXPECT_EQ(problems(usual()), "DIR/etc/web.toml: error: with its overlays larger than 4 MiB\n");
}

TEST_F(Layers, UsualDirectoriesMayBeAbsentAsLongAsOneHasAFile) {
    fs::create_directories(path("run"));
    EXPECT_EQ(problems(usual()), "DIR/etc: error: cannot read DIR/etc: No such file or directory\n");
    write("lib/jobs.d/web.toml", "command = '/lib/web'");
    EXPECT_EQ(names(usual()), Names{"web"});
    fs::remove_all(path("lib"));
    fs::create_directories(path("etc"));
    EXPECT_EQ(problems(usual()), "");
}

TEST_F(Layers, NamedDirectoriesHaveToBeThere) {
    write("etc/jobs.d/web.toml", "command = '/etc/web'");
    write("lib", "");
    EXPECT_EQ(problems(named()),
              "DIR/lib: error: is a file: several configurations must be directories, which stand over one another\n"
              "DIR/run: error: cannot read DIR/run: No such file or directory\n");
}

TEST_F(Layers, EveryDirectoryMustBeRootsWhenRootReadsIt) {
    write("etc/jobs.d/web.toml", "command = '/etc/web'");
    write("lib/jobs.d/db.toml", "command = '/lib/db'");
    write("lib/jobs.d/web.toml.d/a.toml", "essential = true");
    ASSERT_EQ(chmod(path("lib/jobs.d/web.toml.d").c_str(), 0777), 0);
    const auto result = load_configuration({usual(), {}, true});
    ASSERT_EQ(result.index(), 1u);
    const auto& found = std::get<1>(result);
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const Problem& problem) {
        return problem.file.starts_with(path("lib")) &&
               problem.message.find("change what root runs") != std::string::npos;
    }));
}

TEST_F(Layers, AProjectFileHasOverlaysBesideIt) {
    write("shop/procsup.toml", "[defaults]\nstop_timeout = '1s'\n[jobs.web]\nshell = 'x'\n[jobs.db]\nshell = 'y'");
    write("shop/procsup.toml.d/local.toml",
          "[defaults]\nstop_timeout = '2s'\n[jobs.web]\nworking_dir = 'here'\n[jobs.more]\nshell = 'z'");
    fs::create_directories(path("shop/here"));
    EXPECT_EQ(names("shop/procsup.toml"), (Names{"db", "more", "web"}));
    const auto jobs = std::get<0>(load("shop/procsup.toml")).jobs;
    EXPECT_EQ(jobs.at(0).stop_timeout, std::chrono::seconds(2));
    EXPECT_EQ(jobs.at(2).working_dir, path("shop/here"));
    EXPECT_EQ(jobs.at(1).working_dir, path("shop"));
    EXPECT_EQ(jobs.at(1).origin, path("shop/procsup.toml.d/local.toml") + ":5");
}

TEST_F(Layers, AJobFileByItselfHasOverlaysBesideIt) {
    write("web.toml", "restart = 'always'");
    write("web.toml.d/a.toml", "shell = 'x'");
    EXPECT_EQ(names("web.toml"), Names{"web"});
}

TEST_F(Layers, OfTheExampleHaveNoProblems) {
    const std::string example = PROCSUP_SOURCE_DIR "/conf/examples/layers/";
    const ConfigPaths config({example + "etc", example + "usr-lib"}, false);
    EXPECT_EQ(problems(config), "");
    EXPECT_EQ(names(config), (Names{"cache", "shop"}));
}

}  // namespace
}  // namespace procsup
