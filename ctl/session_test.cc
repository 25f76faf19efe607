#include "ctl/session.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

Surroundings nowhere() {
    Surroundings surroundings;
    surroundings.system_socket = "/nonexistent/system/io.procsupd";
    surroundings.project_file = "/nonexistent/procsup.toml";
    surroundings.temporary_place = surroundings.memory_place = "/nonexistent";
    surroundings.uid = 1000;
    return surroundings;
}

std::string resolved(const CommandLine& line, const Surroundings& surroundings) {
    const auto path = resolve_socket(line, surroundings);
    return path ? *path : path.error().message;
}

TEST(SocketPath, ComesFromTheCommandLineFirst) {
    Surroundings surroundings = nowhere();
    surroundings.procsupd_socket = "/env";
    CommandLine line;
    EXPECT_EQ(resolved(line, surroundings), "/env");
    line.socket = "/option";
    EXPECT_EQ(resolved(line, surroundings), "/option");
}

TEST(Json, HasAnErrorAlsoWhenNoSupervisorAnswers) {
    const auto printed = run_procsupctl({"status", "--json"});
    EXPECT_EQ(printed.code, 69);
    EXPECT_TRUE(printed.out.starts_with(R"({"error":"unreachable","message":"cannot connect to )")) << printed.out;
}

TEST(SocketPath, IsWhereTheSupervisorCouldWriteWhenThereIsNoOther) {
    const FakeDaemon daemon("x", "{}");
    Surroundings surroundings = nowhere();
    surroundings.uid = geteuid();
    surroundings.memory_place = daemon.directory();
    const std::string directory = daemon.directory() + "/procsupd-" + std::to_string(geteuid());
    ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
    EXPECT_EQ(resolved({}, surroundings), surroundings.system_socket);
    ASSERT_EQ(link(daemon.socket().c_str(), (directory + "/io.procsupd").c_str()), 0);
    EXPECT_EQ(resolved({}, surroundings), directory + "/io.procsupd");
    surroundings.uid = geteuid() + 1;
    EXPECT_EQ(resolved({}, surroundings), surroundings.system_socket);
    // Root looks for that of process 1 too.
    surroundings.uid = 0;
    surroundings.init_uid = geteuid();
    EXPECT_EQ(resolved({}, surroundings), directory + "/io.procsupd");
    unlink((directory + "/io.procsupd").c_str());
    rmdir(directory.c_str());
}

TEST(SocketPath, OfAProjectThatIsNotUpIsNoOtherForVerbsThatAct) {
    Surroundings surroundings = nowhere();
    surroundings.project_file = "/etc/passwd";  // exists
    CommandLine line;
    line.verb = find_verb("status");
    EXPECT_EQ(resolved(line, surroundings), surroundings.system_socket);
    line.verb = find_verb("stop");
    EXPECT_EQ(resolved(line, surroundings),
              "the supervisor of /etc/passwd is not running (procsupctl up, or name another with --socket)");
    line.socket = "/option";
    EXPECT_EQ(resolved(line, surroundings), "/option");
}

TEST(SocketPath, OfAProjectIsThatOfTheSupervisorThatRunsItsFile) {
    const FakeDaemon daemon("x", "{}");
    Surroundings surroundings = nowhere();
    surroundings.project_file = "/etc/passwd";
    surroundings.system_socket = daemon.socket();
    CommandLine line;
    line.verb = find_verb("stop");
    const auto link = daemon.directory() + "/config";
    ASSERT_EQ(symlink("/etc/group", link.c_str()), 0);
    EXPECT_NE(resolved(line, surroundings), daemon.socket());
    unlink(link.c_str());
    ASSERT_EQ(symlink("/etc/../etc/passwd", link.c_str()), 0);
    EXPECT_EQ(resolved(line, surroundings), daemon.socket());
    unlink(link.c_str());
    line.verb = find_verb("check");
    line.here = true;
    EXPECT_EQ(resolved(line, surroundings), daemon.socket()) << "it only looks";
}

TEST(SocketPath, IsTheUsersWhenItExistsAndTheSystemsElse) {
    const FakeDaemon daemon("x", "{}");
    Surroundings surroundings = nowhere();
    surroundings.xdg_runtime_dir = daemon.directory();
    EXPECT_EQ(resolved({}, surroundings), "/nonexistent/system/io.procsupd");
    const std::string directory = daemon.directory() + "/procsupd";
    ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
    ASSERT_EQ(symlink(daemon.socket().c_str(), (directory + "/io.procsupd").c_str()), 0);
    EXPECT_EQ(resolved({}, surroundings), directory + "/io.procsupd");
    surroundings.uid = 0;
    EXPECT_EQ(resolved({}, surroundings), "/nonexistent/system/io.procsupd");
    unlink((directory + "/io.procsupd").c_str());
    rmdir(directory.c_str());
}

TEST(SocketPath, OfTheUserNeedsARuntimeDirectory) {
    Surroundings surroundings = nowhere();
    CommandLine line;
    line.user = true;
    EXPECT_EQ(resolved(line, surroundings), "cannot use --user: XDG_RUNTIME_DIR is not set");
    surroundings.xdg_runtime_dir = "/run/user/7";
    EXPECT_EQ(resolved(line, surroundings), "/run/user/7/procsupd/io.procsupd");
}

TEST(Unreachable, NamesPathCauseAndWhatToDoAndExits69) {
    const auto printed = run_procsupctl({"ping"});
    EXPECT_EQ(printed.code, 69);
    EXPECT_EQ(printed.err,
              "error: cannot connect to /nonexistent/io.procsupd: No such file or directory\n"
              "hint: start it: systemctl start procsupd, or for a project file: procsupctl up\n");
}

TEST(Unreachable, SupervisorThatLeavesMidwayExits69) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) { return std::vector<std::string>{""}; });
    EXPECT_EQ(run_procsupctl(daemon, {"status"}).code, 69);
}

TEST(Unreachable, SupervisorThatEndsBeforeItHasReadTheCallIsAskedAgain) {
    FakeDaemon daemon("io.procsupd.Manager.Ping", "");
    daemon.hang_up_on(2);
    EXPECT_EQ(run_procsupctl(daemon, {"ping"}).code, 0);
    EXPECT_EQ(daemon.only_call(), "io.procsupd.Manager.Ping {}");
    daemon.hang_up_on(3);
    EXPECT_EQ(run_procsupctl(daemon, {"ping"}).code, 69);
    EXPECT_EQ(daemon.calls().size(), 1u);
}

TEST(Timeout, EndsACallThatIsNotAnswered) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) { return std::vector<std::string>(); });
    const auto printed = run_procsupctl(daemon, {"ping", "--timeout=10ms"});
    EXPECT_EQ(printed.code, 124);
    EXPECT_NE(printed.err.find("no answer"), std::string::npos);
}

TEST(Ping, IsQuietWhenAsked) {
    FakeDaemon daemon("io.procsupd.Manager.Ping", "");
    const auto printed = run_procsupctl(daemon, {"ping", "-q"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out + printed.err, "");
}

TEST(Usage, ErrorsExit2) {
    const auto printed = run_procsupctl({"restrat", "web"});
    EXPECT_EQ(printed.code, 2);
    EXPECT_EQ(printed.err, "error: unknown command 'restrat' (did you mean 'restart'?)\n");
}

TEST(Shutdown, WaitsUntilTheSupervisorHangsUp) {
    FakeDaemon daemon([](const varlink::Call& call, const std::vector<Fd>&) {
        if (call.method_name() == "Status")
            return std::vector<std::string>{varlink::reply_message(R"({"daemon":{"pid":1}})")};
        return std::vector<std::string>{varlink::reply_message(""), ""};
    });
    const auto printed = run_procsupctl(daemon, {"shutdown"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, "procsupd has ended\n");
    EXPECT_EQ(daemon.calls().back(), "io.procsupd.Manager.Shutdown {}");
}

TEST(Shutdown, ThatTakesTooLongExits124) {
    FakeDaemon daemon("io.procsupd.Manager.Shutdown", "");
    EXPECT_EQ(run_procsupctl(daemon, {"shutdown", "--timeout=10ms"}).code, 124);
    EXPECT_EQ(run_procsupctl(daemon, {"shutdown", "--no-wait"}).code, 0);
}

TEST(DaemonStatus, PrintsTheDaemonInSnakeCase) {
    FakeDaemon daemon("io.procsupd.Manager.Status",
                      R"({"daemon":{"version":"1.0","uptimeUSec":9000000,"loopLagMaxUSec":20},"instances":[]})");
    EXPECT_EQ(run_procsupctl(daemon, {"daemon", "status"}).out, "version: 1.0\nuptime: 9s\nloop_lag_max: 20us\n");
    EXPECT_EQ(run_procsupctl(daemon, {"daemon", "status", "--json"}).out,
              R"({"version":"1.0","uptime_usec":9000000,"loop_lag_max_usec":20})"
              "\n");
}

}  // namespace
}  // namespace procsup::ctl
