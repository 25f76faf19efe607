#include "conf/load.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "conf/load_fixture.h"
#include "conf/text_file.h"

namespace procsup {
namespace {

namespace fs = std::filesystem;

class Load : public testing::LoadFixture {};

using Names = std::vector<std::string>;

TEST_F(Load, ReadsADirectoryOfJobs) {
    write("web.toml", "command = '/bin/web'");
    write("db.toml", "command = '/bin/db'");
    write("README", "not a job");
    write(".web.toml", "an editor's");
    EXPECT_EQ(names(), (Names{"db", "web"}));
}

TEST_F(Load, ReadsTheDaemonsFileAndTheJobsBesideIt) {
    write("procsupd.toml", "[defaults]\nstop_timeout = '3s'\n[jobs.own]\nshell = 'x'");
    write("jobs.d/web.toml", "command = '/bin/web'");
    EXPECT_EQ(names(), (Names{"own", "web"}));
    const auto result = load();
    EXPECT_EQ(std::get<0>(result).jobs[1].stop_timeout, std::chrono::seconds(3));
    EXPECT_EQ(std::get<0>(result).jobs[1].working_dir, "/");
    EXPECT_EQ(std::get<0>(result).jobs[1].origin, (root_ / "jobs.d/web.toml:1").string());
}

TEST_F(Load, ReadsAProjectFileOrOneJob) {
    write("procsup.toml", "[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'y'");
    write("one.toml", "shell = 'x'");
    EXPECT_EQ(names("procsup.toml"), (Names{"a", "b"}));
    EXPECT_EQ(names("one.toml"), (Names{"one"}));
    EXPECT_EQ(std::get<0>(load("procsup.toml")).jobs[0].working_dir, root_.string());
}

TEST_F(Load, AnEmptyDirectoryHasNoJobs) { EXPECT_EQ(std::get<0>(load()).jobs.size(), 0u); }

TEST_F(Load, RefusesBadNamesOfFiles) {
    write("a b.toml", "shell = 'x'");
    EXPECT_EQ(problems(),
              "DIR/a b.toml:1:1: error: 'a b' cannot name a job: use 1 to 64 of A-Z a-z 0-9 _ . -, not "
              "starting with - or .\n");
}

TEST_F(Load, RefusesAJobThatIsDefinedTwice) {
    write("procsupd.toml", "\n[jobs.web]\nshell = 'x'");
    write("jobs.d/web.toml", "command = '/bin/web'");
    EXPECT_EQ(problems(), "DIR/jobs.d/web.toml:1:1: error: job 'web' is already defined at DIR/procsupd.toml:2\n");
}

TEST_F(Load, RefusesJobsWhereNoneAreRead) {
    write("procsupd.toml", "");
    write("web.toml", "command = '/bin/web'");
    EXPECT_EQ(problems(), "DIR/web.toml: error: is not read: job files belong in DIR/jobs.d\n");
}

TEST_F(Load, SaysWhatIsNoReadableText) {
    write("jobs/a.toml", std::string("command = '\xFF'"));
    write("jobs/b.toml", std::string("a\0b", 3));
    write("jobs/c.toml", "a = " + std::string(1 << 20, '['));
    write("jobs/d.toml", std::string((4 << 20) + 1, ' '));
    fs::create_directory(root_ / "jobs/e.toml");
    ASSERT_EQ(mkfifo((root_ / "jobs/f.toml").c_str(), 0600), 0);
    fs::create_symlink("/nowhere/x", root_ / "jobs/g.toml");
    EXPECT_EQ(problems("jobs"),
              "DIR/jobs/a.toml:1:12: error: not UTF-8\n"
              "DIR/jobs/b.toml:1:2: error: a NUL byte: not a text file\n"
              "DIR/jobs/c.toml:1:21: error: nested more than 16 levels deep\n"
              "DIR/jobs/d.toml: error: cannot read DIR/jobs/d.toml: larger than 4 MiB\n"
              "DIR/jobs/e.toml: error: cannot read DIR/jobs/e.toml: a directory, not a file\n"
              "DIR/jobs/f.toml: error: cannot read DIR/jobs/f.toml: not a regular file\n"
              "DIR/jobs/g.toml: error: cannot read DIR/jobs/g.toml: No such file or directory\n");
    EXPECT_EQ(problems("absent"), "DIR/absent: error: cannot read DIR/absent: No such file or directory\n");
}

TEST_F(Load, SaysWhatIsWrongInEveryFile) {
    write("a.toml", "comand = 'x'");
    write("b.toml", "command = ");
    write("c.toml", "command = '/bin/c'");
    const auto text = problems();
    EXPECT_NE(text.find("DIR/a.toml:1:1: error: unknown key 'comand' (did you mean 'command'?)\n"), std::string::npos);
    EXPECT_NE(text.find("DIR/b.toml:1:"), std::string::npos);
}

TEST_F(Load, RemembersStopsByHand) {
    write("jobs/a.toml", "shell = 'x'\nrestart = 'unless-stopped'");
    write("jobs/b.toml", "shell = 'x'\nrestart = 'unless-stopped'");
    write("jobs/c.toml", "shell = 'x'");
    write("state/stopped/a", "");
    write("state/stopped/c", "");
    const auto jobs = std::get<0>(load("jobs", (root_ / "state").string())).jobs;
    EXPECT_TRUE(jobs.at(0).manually_stopped);
    EXPECT_FALSE(jobs.at(1).manually_stopped);
    EXPECT_FALSE(jobs.at(2).manually_stopped);
}

TEST_F(Load, RemembersInTheDirectoryOfTheDaemonUnlessAnotherIsNamed) {
    write("a.toml", "[daemon]\nstate_dir = 'mine'\n[jobs.a]\nshell = 'x'\nrestart = 'unless-stopped'");
    write("mine/stopped/a", "");
    const auto own = std::get<0>(load("a.toml"));
    EXPECT_TRUE(own.jobs.at(0).manually_stopped);
    EXPECT_EQ(own.daemon.state_dir, (root_ / "mine").string());
    const auto named = std::get<0>(load("a.toml", (root_ / "state").string()));
    EXPECT_FALSE(named.jobs.at(0).manually_stopped);
    EXPECT_EQ(named.daemon.state_dir, (root_ / "state").string());
}

TEST_F(Load, RemembersInTheDefaultDirectoryWhenNoneIsNamed) {
    write("a.toml", "[jobs.a]\nshell = 'x'\nrestart = 'unless-stopped'");
    write("default/stopped/a", "");
    EXPECT_TRUE(std::get<0>(load("a.toml")).jobs.at(0).manually_stopped);
}

TEST_F(Load, KeepsOutputInTheDirectoryOfTheDaemonUnlessAnotherIsNamed) {
    write("a.toml", "[daemon]\nlog_dir = 'mine'\n[jobs.a]\nshell = 'x'");
    DaemonPlaces places;
    places.default_log_dir = (root_ / "default").string();
    const auto dir = [&] {
        return std::get<0>(load_configuration({(root_ / "a.toml").string(), places, false})).daemon.log_dir;
    };
    EXPECT_EQ(dir(), (root_ / "mine").string());
    places.log_dir = (root_ / "named").string();
    EXPECT_EQ(dir(), (root_ / "named").string());
}

TEST_F(Load, CapturesOnlyWhatIsToBeWhereNothingCanBeKept) {
    write("jobs/a.toml", "shell = 'x'");
    write("jobs/b.toml", "shell = 'x'\nlog.stdout = 'capture'");
    write("jobs/c.toml", "shell = 'x'\nlog.dir = '/srv'");
    write("jobs/d.toml", "shell = 'x'\nlog.stdout = 'forward'");
    write("file", "");
    DaemonPlaces places;
    places.log_dir = (root_ / "file/log").string();
    const auto loaded = std::get<0>(load_configuration({(root_ / "jobs").string(), places, false}));
    EXPECT_EQ(loaded.daemon.log_fault, "cannot use " + (root_ / "file/log").string() + ": Not a directory");
    const auto kinds = [&](std::size_t job) {
        return std::make_pair(loaded.jobs.at(job).stdout_stream.kind, loaded.jobs.at(job).stderr_stream.kind);
    };
    using Kind = Stream::Kind;
    EXPECT_EQ(kinds(0), std::make_pair(Kind::Inherit, Kind::Inherit));
    EXPECT_EQ(kinds(1), std::make_pair(Kind::Capture, Kind::Inherit));
    EXPECT_EQ(kinds(2), std::make_pair(Kind::Capture, Kind::Capture));
    EXPECT_EQ(kinds(3), std::make_pair(Kind::Forward, Kind::Forward));
}

TEST_F(Load, ForwardsWhatSaysNothingWhereNothingCanBeKeptAndLinesAreShown) {
    write("a.toml", "[defaults.log]\nmirror = true\n[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\nlog.stdout = 'null'");
    write("file", "");
    using Kind = Stream::Kind;
    using Kinds = std::vector<Kind>;
    DaemonPlaces places;
    places.shows_lines = true;
    const auto kinds = [&] {
        const auto jobs = std::get<0>(load_configuration({(root_ / "a.toml").string(), places, false})).jobs;
        return Kinds{jobs.at(0).stdout_stream.kind, jobs.at(0).stderr_stream.kind, jobs.at(1).stdout_stream.kind,
                     jobs.at(1).stderr_stream.kind};
    };
    places.log_dir = (root_ / "log").string();
    EXPECT_EQ(kinds(), (Kinds{Kind::Capture, Kind::Capture, Kind::Null, Kind::Capture}));
    places.log_dir = (root_ / "file/log").string();
    EXPECT_EQ(kinds(), (Kinds{Kind::Forward, Kind::Forward, Kind::Null, Kind::Forward}));
    places.log_fault = "there is no logger";
    EXPECT_EQ(kinds(), (Kinds{Kind::Inherit, Kind::Inherit, Kind::Null, Kind::Inherit}));
}

TEST_F(Load, RefusesWhatOthersMayWriteWhenRoot) {
    write("web.toml", "command = '/bin/web'");
    ASSERT_EQ(chmod((root_ / "web.toml").c_str(), 0666), 0);
    const auto result = load_configuration({root_.string(), {}, true});
    ASSERT_EQ(result.index(), 1u);
    EXPECT_NE(std::get<1>(result).at(0).message.find("change what root runs"), std::string::npos);
}

TEST(Trust, IsOnlyInWhatRootAloneMayWrite) {
    struct stat status {};
    status.st_mode = S_IFREG | 0644;
    EXPECT_EQ(trust_fault(status, "/f", {true, 0}), std::nullopt);
    status.st_mode = S_IFREG | 0664;
    EXPECT_EQ(trust_fault(status, "/f", {true, 0}),
              "mode 0664 lets others than its owner change what root runs (chmod go-w /f)");
    EXPECT_EQ(trust_fault(status, "/f", {false, 0}), std::nullopt);
    status.st_mode = S_IFDIR | 01777;
    EXPECT_TRUE(trust_fault(status, "/d", {true, 0}));
    status.st_mode = S_IFREG | 0600;
    status.st_uid = 1000;
    EXPECT_EQ(trust_fault(status, "/f", {true, 0}),
              "owned by uid 1000, who could change what root runs (chown root /f)");
    EXPECT_EQ(trust_fault(status, "/f", {true, 1000}), std::nullopt);
}

}  // namespace
}  // namespace procsup
