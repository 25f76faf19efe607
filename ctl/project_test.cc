#include <fcntl.h>
#include <gtest/gtest.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "ctl/fake_daemon.h"
#include "ctl/project_daemon.h"

namespace procsup::ctl {
namespace {

/// A directory with a project file and a program that stands in for procsupd; gone with the object.
class Place {
public:
    Place() {
        std::string name = "/tmp/procsupctl-test-XXXXXX";
        if (mkdtemp(name.data()) != nullptr) root_ = std::filesystem::canonical(name);
        std::ofstream(root_ + "/procsup.toml") << "\n";
        surroundings_.uid = geteuid();
        surroundings_.xdg_runtime_dir = root_;
    }
    ~Place() { std::filesystem::remove_all(root_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    std::string program(const std::string& text) const {
        const std::string path = root_ + "/program";
        std::ofstream(path) << text;
        chmod(path.c_str(), 0700);
        return path;
    }
    Project project() const {
        return {root_ + "/procsup.toml", root_ + "/procsupd/projects/0123456789abcdef", root_ + "/log"};
    }
    const std::string& root() const { return root_; }
    const Surroundings& surroundings() const { return surroundings_; }

private:
    std::string root_;
    Surroundings surroundings_;
};

TEST(Project, HasOneRuntimeDirectoryForEachFile) {
    const Place place;
    Surroundings user = place.surroundings();
    user.uid = 1000;
    const auto direct = project_runtime_dir(place.root() + "/procsup.toml", user);
    const auto roundabout = project_runtime_dir(place.root() + "/./procsup.toml", user);
    const auto other = project_runtime_dir(place.root(), user);
    ASSERT_TRUE(direct && roundabout && other);
    EXPECT_EQ(*direct, *roundabout);
    EXPECT_NE(*direct, *other);
    EXPECT_TRUE(direct->starts_with(place.root() + "/procsupd/projects/"));
    EXPECT_EQ(direct->size() - direct->rfind('/') - 1, 16u);
    user.xdg_runtime_dir.clear();
    EXPECT_TRUE(project_runtime_dir(place.root(), user)->starts_with("/tmp/procsupd-1000/projects/"));
    user.uid = 0;
    EXPECT_TRUE(project_runtime_dir(place.root(), user)->starts_with("/run/procsupd/projects/"));
}

TEST(Project, KeepsCapturedOutputOnDisk) {
    const Place place;
    Surroundings user = place.surroundings();
    user.uid = 1000;
    user.home = "/home/u";
    const auto project = Project::of(place.root() + "/procsup.toml", user);
    ASSERT_TRUE(project);
    const std::string name = std::filesystem::path(project->runtime_dir).filename();
    EXPECT_EQ(project->log_dir, "/home/u/.local/state/procsupd/projects/" + name + "/log");
    user.xdg_state_home = "/home/u/state";
    EXPECT_EQ(project_log_dir(project->runtime_dir, user), "/home/u/state/procsupd/projects/" + name + "/log");
    user.xdg_state_home = "state";
    user.home.clear();
    EXPECT_EQ(project_log_dir(project->runtime_dir, user), project->runtime_dir + "/log");
    user.uid = 0;
    EXPECT_EQ(project_log_dir(project->runtime_dir, user), "/var/log/procsupd/projects/" + name);
}

TEST(Project, OutlivesItsFile) {
    const Place place;
    const auto before = project_runtime_dir(place.root() + "/procsup.toml", place.surroundings());
    std::filesystem::remove(place.root() + "/procsup.toml");
    const auto after = project_runtime_dir(place.root() + "/procsup.toml", place.surroundings());
    ASSERT_TRUE(before && after);
    EXPECT_EQ(*before, *after);
    EXPECT_FALSE(project_runtime_dir(place.root() + "/none/procsup.toml", place.surroundings()));
}

TEST(PrivateDirs, AreMadeForTheirOwnerAndTheUsersOfRootsJobs) {
    const Place place;
    const std::string path = place.root() + "/a/b/c";
    ASSERT_TRUE(make_private_dirs(path, geteuid()));
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, geteuid() == 0 ? 0755u : 0700u);
    EXPECT_TRUE(make_private_dirs(path, geteuid()));
}

TEST(PrivateDirs, RefusesWhatOthersCouldHavePutThere) {
    const Place place;
    ASSERT_EQ(mkdir((place.root() + "/open").c_str(), 0700), 0);
    ASSERT_EQ(chmod((place.root() + "/open").c_str(), 0777), 0);
    EXPECT_FALSE(make_private_dirs(place.root() + "/open/b/c", geteuid()));
    ASSERT_EQ(symlink("/", (place.root() + "/link").c_str()), 0);
    EXPECT_FALSE(make_private_dirs(place.root() + "/link/b/c", geteuid()));
    EXPECT_FALSE(make_private_dirs(place.root() + "/mine/b/c", geteuid() + 1));
}

TEST(ProjectStart, WaitsUntilTheSupervisorSaysReady) {
    const Place place;
    const std::string program = place.program(
        "#!/usr/bin/python3\nimport fcntl, os, socket, sys\nprint(sys.argv[1:])\n"
        "print(fcntl.fcntl(1, fcntl.F_GETFL) & os.O_ACCMODE, flush=True)\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "s.connect(os.environ['NOTIFY_SOCKET'])\ns.send(b'STATUS=x\\nREADY=1')\n");
    const auto start = start_project_daemon(place.project(), program, geteuid(), std::chrono::seconds(50));
    ASSERT_TRUE(start) << start.error().message;
    EXPECT_EQ(start->outcome, ProjectStart::Outcome::Ready);
    std::ifstream log(place.project().log());
    std::string words;
    std::getline(log, words);
    const std::string directory = place.project().runtime_dir;
    std::string access;
    std::getline(log, access);
    EXPECT_EQ(access, std::to_string(O_WRONLY)) << "jobs inherit the log";
    EXPECT_EQ(words, "['--config', '" + place.project().file + "', '--runtime-dir', '" + directory +
                         "', '--state-dir', '" + directory + "/state', '--log-dir', '" + place.root() + "/log']");
}

TEST(ProjectStart, TellsHowASupervisorEndedAndWhatItSaid) {
    const Place place;
    const std::string program = place.program("#!/bin/sh\necho old; echo 'x.toml:1:1: error: bad' >&2; exit 6\n");
    const auto start = start_project_daemon(place.project(), program, geteuid(), std::chrono::seconds(50));
    ASSERT_TRUE(start) << start.error().message;
    EXPECT_EQ(start->outcome, ProjectStart::Outcome::Ended);
    EXPECT_EQ(start->exit_code, 6);
    EXPECT_EQ(start->log, "old\nx.toml:1:1: error: bad\n");
    const auto again = start_project_daemon(place.project(), program, geteuid(), std::chrono::seconds(50));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->log, "old\nx.toml:1:1: error: bad\n");
}

TEST(ProjectStart, GivesUpWaitingAfterTheTimeout) {
    const Place place;
    // Lives as long as the test does.
    const std::string program = place.program("#!/bin/sh\nexec tail -f /dev/null --pid=$PPID\n");
    const auto start = start_project_daemon(place.project(), program, geteuid(), std::chrono::milliseconds(1));
    ASSERT_TRUE(start);
    EXPECT_EQ(start->outcome, ProjectStart::Outcome::TimedOut);
}

TEST(Up, OfAMissingFileSaysSo) {
    const Place place;
    EXPECT_EQ(run_procsupctl({"up", place.root() + "/none.toml"}).err,
              "error: cannot find " + place.root() + "/none.toml: No such file or directory\n");
    const auto printed = run_procsupctl({"up", "/nonexistent/procsup.toml"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_EQ(printed.err, "error: cannot find /nonexistent/procsup.toml: No such file or directory\n");
}

std::vector<std::string> two_jobs_down(const varlink::Call& call, const std::vector<Fd>&) {
    if (call.method_name() == "Status") {
        return {varlink::reply_message(R"({"daemon":{},"instances":[
            {"name":"done","job":"done","state":"exited","ready":true},{"name":"off","job":"off","state":"stopped"},
            {"name":"on@0","job":"on","state":"failed"},{"name":"on@1","job":"on","state":"stopped"},
            {"name":"up","job":"up","state":"running","ready":true}]})")};
    }
    if (call.method_name() == "Show") {
        const bool enabled = call.parameters.string_or("name", "") == "on";
        return {
            varlink::reply_message(enabled ? R"({"settings":{"enabled":true}})" : R"({"settings":{"enabled":false}})")};
    }
    return {varlink::reply_message("")};
}

TEST(Up, OfARunningProjectReloadsAndStartsWhatIsEnabledAndDown) {
    const Place place;
    FakeDaemon daemon(two_jobs_down);
    Surroundings user = place.surroundings();
    user.uid = 1000;
    user.project_file = place.root() + "/procsup.toml";
    const auto directory = project_runtime_dir(user.project_file, user);
    ASSERT_TRUE(directory);
    std::filesystem::create_directories(*directory);
    std::filesystem::create_symlink(daemon.socket(), *directory + "/io.procsupd");
    const auto printed = run_procsupctl({"up"}, user);
    EXPECT_EQ(printed.code, 0);
    EXPECT_NE(printed.out.find("x on "), std::string::npos);
    EXPECT_EQ(daemon.calls(),
              (std::vector<std::string>{
                  "io.procsupd.Manager.Reload {}", "io.procsupd.Manager.Status {}",
                  R"(io.procsupd.Job.Show {"name":"off"})", R"(io.procsupd.Job.Show {"name":"on"})",
                  R"(io.procsupd.Job.Start {"names":["on"]})", R"(io.procsupd.Manager.Status {"usage":true})"}));
}

TEST(Down, OfAProjectThatIsNotUpIsDone) {
    const Place place;
    Surroundings user = place.surroundings();
    user.uid = 1000;
    const auto printed = run_procsupctl({"down", place.root() + "/procsup.toml"}, user);
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "not running\n");
}

}  // namespace
}  // namespace procsup::ctl
