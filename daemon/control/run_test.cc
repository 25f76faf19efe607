#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

struct Pipe {
    Pipe() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        reading = Fd(ends[0]);
        writing = Fd(ends[1]);
    }
    Fd reading, writing;
};

JobSpec model() {
    auto spec = job("model");
    spec.program = "/bin/model";
    spec.stop_command = {{"/bin/end_model"}, "/bin/end_model"};
    spec.identity = Identity{77, 78, {79}};
    spec.env = {"A=1", "PATH=/opt/bin"};
    spec.working_dir = "/srv/model";
    spec.limits = {{RLIMIT_NOFILE, 99}};
    spec.restart.when = Restart::Always;
    spec.essential = true;
    spec.instances = {"eu", "us"};
    spec.key_places.text = "1:7";
    return spec;
}

struct Run : testing::Test {
    ControlBox box{{model()}};
    ControlClient client{box};

    const JobSpec& spec_of(const std::string& name) { return *box.supervisor.jobs().at(name).spec; }
    bool exists(const std::string& name) { return box.supervisor.jobs().contains(name); }
};

TEST_F(Run, AnswersHowTheCommandEnded) {
    client.send("Job.Run", R"({"command":["/bin/date","-u"],"name":"clock"})");
    EXPECT_EQ(spec_of("clock").command, (std::vector<std::string>{"/bin/date", "-u"}));
    box.executes("clock");
    EXPECT_TRUE(client.take().empty());
    box.ends("clock", ExitStatus::exited(3));
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "");
    EXPECT_FALSE(answer.continues);
    EXPECT_EQ(answer["name"], "clock");
    EXPECT_EQ(answer["state"], "failed");
    EXPECT_EQ(answer["exitCode"] + answer["exitSignal"], "3null");
    EXPECT_EQ(answer["cause"], "exit 3");
}

TEST_F(Run, WithMoreFirstNamesTheProcess) {
    client.send("Job.Run", R"({"command":["x"]})", true);
    box.executes("run-1", 404);
    const auto first = client.take_one();
    EXPECT_TRUE(first.continues);
    EXPECT_EQ(first["name"] + " " + first["pid"] + " " + first["state"], "run-1 404 running");
    EXPECT_EQ(first["exitCode"], "null");
    box.ends("run-1", ExitStatus::killed(SIGKILL));
    const auto last = client.take_one();
    EXPECT_FALSE(last.continues);
    EXPECT_EQ(last["exitSignal"], "SIGKILL");
}

TEST_F(Run, IsForgottenWhenItHasEnded) {
    client.send("Job.Run", R"({"command":["x"],"name":"brief"})");
    ASSERT_TRUE(exists("brief"));
    box.executes("brief");
    box.ends("brief", ExitStatus::exited(0));
    EXPECT_EQ(client.take_one()["state"], "exited");
    EXPECT_FALSE(exists("brief"));
    client.send("Job.Run", R"({"command":["x"],"name":"brief"})");
    EXPECT_TRUE(exists("brief"));
}

TEST_F(Run, IsNeverStartedAgain) {
    client.send("Job.Run", R"({"command":["x"],"name":"once","like":"model"})");
    box.executes("once");
    box.ends("once", ExitStatus::exited(1));
    EXPECT_EQ(client.take_one()["state"], "failed");
    EXPECT_EQ(box.engine.calls, (std::vector<std::string>{"spawn once", "forget once"}));
    EXPECT_TRUE(box.engine.end_codes.empty());
}

TEST_F(Run, DetachedAnswersWhenTheCommandWasExecutedAndOutlivesItsCaller) {
    client.send("Job.Run", R"({"command":["x"],"name":"free","detach":true})");
    EXPECT_TRUE(client.take().empty());
    box.executes("free", 12);
    const auto answer = client.take_one();
    EXPECT_FALSE(answer.continues);
    EXPECT_EQ(answer["state"] + " " + answer["pid"], "running 12");
    client.leave();
    EXPECT_EQ(box.instance("free").state(), State::Running);
}

TEST_F(Run, DetachedIsNotStoppedByACallerThatLeavesBeforeTheAnswer) {
    client.send("Job.Run", R"({"command":["x"],"name":"free","detach":true})");
    client.leave();
    box.executes("free");
    EXPECT_EQ(box.instance("free").state(), State::Running);
}

TEST_F(Run, IsStoppedWhenItsCallerLeaves) {
    client.send("Job.Run", R"({"command":["x"],"name":"bound"})", true);
    box.executes("bound");
    client.leave();
    EXPECT_EQ(box.instance("bound").state(), State::Stopping);
    EXPECT_EQ(box.instance("bound").cause(), "its caller went away");
    EXPECT_EQ(box.engine.calls.back(), "signal 15");
    box.ends("bound", ExitStatus::killed(SIGTERM));
    EXPECT_FALSE(exists("bound"));
}

TEST_F(Run, IsCancelledWhenItsCallerLeavesBeforeItBegan) {
    client.send("Job.Run", R"({"command":["x"],"name":"bound"})");
    client.leave();
    EXPECT_EQ(box.instance("bound").state(), State::Stopping);
    box.cannot_start("bound", SpawnStage::Cancelled, 0);
    EXPECT_FALSE(exists("bound"));
}

TEST_F(Run, ThatEndsInTheTurnInWhichItsCallerLeavesIsForgotten) {
    client.send("Job.Run", R"({"command":["x"],"name":"both"})", true);
    const auto incarnation = box.instance("both").incarnation();
    box.supervisor.spawned(incarnation, 5, box.loop.now());
    box.supervisor.execed(incarnation, box.loop.now());
    box.supervisor.exited(incarnation, ExitStatus::exited(0), true, box.loop.now());
    client.leave();
    EXPECT_FALSE(exists("both"));
}

TEST_F(Run, StoppedByAnotherTellsItsCaller) {
    client.send("Job.Run", R"({"command":["x"],"name":"bound"})");
    box.executes("bound");
    ControlClient other(box);
    other.send("Job.Stop", R"({"names":["bound"]})");
    box.ends("bound", ExitStatus::killed(SIGTERM));
    EXPECT_EQ(client.take_one()["state"], "stopped");
    EXPECT_EQ(other.take_one()["outcomes.0.ok"], "true");
}

TEST_F(Run, PassesTheCallersDescriptorsOn) {
    Pipe in, out, err;
    client.send("Job.Run", R"({"command":["x"],"name":"talk"})", false,
                {in.reading.get(), out.writing.get(), err.writing.get()});
    ASSERT_EQ(box.host.attached.count("talk"), 1u);
    const auto& fds = box.host.attached["talk"];
    char byte = 0;
    ASSERT_EQ(::write(in.writing.get(), "i", 1), 1);
    ASSERT_EQ(::read(fds[0].get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'i');
    ASSERT_EQ(::write(fds[1].get(), "o", 1), 1);
    ASSERT_EQ(::read(out.reading.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'o');
    ASSERT_EQ(::write(fds[2].get(), "e", 1), 1);
    ASSERT_EQ(::read(err.reading.get(), &byte, 1), 1);
    EXPECT_EQ(byte, 'e');
    for (const auto& fd : fds) EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(Run, TakesThreeDescriptorsOrNone) {
    Pipe pipe;
    const auto answer = client.call("Job.Run", R"({"command":["x"]})", false, {pipe.writing.get()});
    EXPECT_EQ(answer.error, "org.varlink.service.InvalidParameter");
    EXPECT_TRUE(box.host.attached.empty());
    // And keeps none of those it did not take, nor closes them itself.
    EXPECT_EQ(box.host.descriptors.closed, 1);
    pipe.writing.reset();
    char byte = 0;
    EXPECT_EQ(::read(pipe.reading.get(), &byte, 1), 0);
}

TEST_F(Run, TakesNoDescriptorsFromWhomItRunsNothingFor) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to be another user";
    Pipe pipe;
    const int fd = pipe.writing.get();
    for (const auto* method : {"Job.Run", "Manager.Ping"}) {
        auto stranger = ControlClient::as_stranger(box);
        const auto answer = stranger.call(method, "", false, {fd, fd, fd});
        EXPECT_EQ(answer.error, "org.varlink.service.PermissionDenied");
        EXPECT_EQ(answer["message"].find("uid 65534 lacks operate access"), 0u) << answer["message"];
    }
    EXPECT_EQ(box.host.descriptors.closed, 2) << "the sockets in which they lie";
    pipe.writing.reset();
    char byte = 0;
    EXPECT_EQ(::read(pipe.reading.get(), &byte, 1), 0);
}

TEST_F(Run, TakesDescriptorsFromTheOwnerOfAJobWhoHasItsRights) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to be another user";
    auto owned = job("owned");
    owned.owner = kStranger;
    owned.identity = Identity{kStranger, kStranger, {}};
    ControlBox other({owned});
    Pipe pipe;
    const int fd = pipe.writing.get();
    auto stranger = ControlClient::as_stranger(other);
    stranger.send("Job.Run", R"({"command":["x"],"name":"his","like":"owned"})", false, {fd, fd, fd});
    EXPECT_EQ(other.host.attached.count("his"), 1u);
}

TEST_F(Run, RefusesANameThatIsTakenAndKeepsNoDescriptor) {
    Pipe pipe;
    const int fd = pipe.writing.get();
    const auto answer = client.call("Job.Run", R"({"command":["x"],"name":"model"})", false, {fd, fd, fd});
    EXPECT_EQ(answer.error, "io.procsupd.Job.NameTaken");
    EXPECT_EQ(answer["message"], "a job is called 'model' already");
    EXPECT_TRUE(box.host.attached.empty());
    pipe.writing.reset();
    char byte = 0;
    EXPECT_EQ(::read(pipe.reading.get(), &byte, 1), 0);
}

TEST_F(Run, ThatCannotStartTellsWhereAndWhy) {
    client.send("Job.Run", R"({"command":["/usr/bin/nope"],"name":"bad"})", true);
    box.cannot_start("bad", SpawnStage::Exec, ENOENT);
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "io.procsupd.Job.StartFailed");
    EXPECT_EQ(answer["name"], "bad");
    EXPECT_EQ(answer["stage"], "exec /usr/bin/nope");
    EXPECT_EQ(answer["errnoName"], "ENOENT");
    EXPECT_EQ(answer["message"], "cannot exec /usr/bin/nope: No such file or directory");
    EXPECT_FALSE(exists("bad"));
}

TEST_F(Run, DetachedThatCannotStartTellsSoToo) {
    client.send("Job.Run", R"({"command":["x"],"name":"bad","detach":true,"workingDir":"/nope"})");
    box.cannot_start("bad", SpawnStage::WorkingDir, EACCES);
    const auto answer = client.take_one();
    EXPECT_EQ(answer.error, "io.procsupd.Job.StartFailed");
    EXPECT_EQ(answer["stage"] + ": " + answer["errnoName"], "change to directory /nope: EACCES");
}

TEST_F(Run, LikeAJobHasItsUserEnvironmentDirectoryAndLimits) {
    client.send("Job.Run", R"({"command":["x"],"name":"copy","like":"model"})");
    const auto& spec = spec_of("copy");
    EXPECT_EQ(spec.identity, model().identity);
    EXPECT_EQ(spec.env, model().env);
    EXPECT_EQ(spec.working_dir, "/srv/model");
    EXPECT_EQ(spec.limits, model().limits);
    EXPECT_EQ(spec.program, "");
    EXPECT_EQ(spec.command, std::vector<std::string>{"x"});
    EXPECT_EQ(spec.restart.when, Restart::No);
    EXPECT_FALSE(spec.essential);
    EXPECT_TRUE(spec.instances.empty());
    EXPECT_FALSE(model().stop_command.empty());
    EXPECT_TRUE(spec.stop_command.empty());
    EXPECT_EQ(spec_of("copy").key_places.text, "");
}

TEST_F(Run, LikeASingleInstanceHasItsNameInItsSettings) {
    auto single = job("single");
    single.env = {"NAME=${job:instance}", "TEXT=$${job:instance} ${job:instance}${job:instance}"};
    single.working_dir = "/srv/${job:instance}";
    box.configure({single});
    client.send("Job.Run", R"({"command":["x"],"name":"copy","like":"single"})");
    EXPECT_EQ(spec_of("copy").env, (std::vector<std::string>{"NAME=single", "TEXT=$${job:instance} singlesingle"}));
    EXPECT_EQ(spec_of("copy").working_dir, "/srv/single");
}

TEST_F(Run, TakesWhatItsCallerSaysOfEnvironmentAndDirectory) {
    client.send(
        "Job.Run",
        R"({"command":["x"],"name":"set","env":["B=2","PROCSUPD_JOB=lie"],"workingDir":"/tmp","like":"model"})");
    EXPECT_EQ(spec_of("set").env, std::vector<std::string>{"B=2"});
    EXPECT_EQ(spec_of("set").working_dir, "/tmp");
}

TEST_F(Run, TakesItsWordsAsTheyAre) {
    client.send("Job.Run", R"({"command":["echo","${job:name}","$${x}","$"],"name":"echo"})");
    const auto& name = box.instance("echo").name();
    std::vector<std::string> words;
    for (const auto& word : spec_of("echo").command) words.push_back(expand_job(word, name));
    EXPECT_EQ(words, (std::vector<std::string>{"echo", "${job:name}", "$${x}", "$"}));
}

TEST_F(Run, OfAnAdministratorHasTheDaemonsUser) {
    client.send("Job.Run", R"({"command":["x"],"name":"admin"})");
    EXPECT_FALSE(spec_of("admin").identity.has_value());
    EXPECT_EQ(spec_of("admin").owner, geteuid());
}

TEST_F(Run, OfADaemonIsBoundToTheInstanceOfItsCaller) {
    ControlBox shop({job("shop")});
    ControlClient caller(shop);
    caller.send("Job.Start", R"({"names":["shop"],"wait":false})");
    shop.executes("shop");
    caller.take();
    shop.host.owners[getpid()] = {shop.instance("shop").id(), false};
    caller.send("Job.Run", R"({"command":["x"],"name":"child","daemon":true,"parentPid":1})");
    EXPECT_EQ(shop.supervisor.jobs().at("child").spec->daemon_of, "shop");
    shop.executes("child");
    EXPECT_EQ(caller.take_one()["state"], "running") << "answered when it runs";
    shop.ends("shop", ExitStatus::exited(0));
    EXPECT_EQ(shop.instance("child").state(), State::Stopping);
}

TEST_F(Run, OfADaemonIsBoundToAProcess) {
    box.host.watched[4711] = {geteuid(), nullptr};
    client.send("Job.Run", R"({"command":["x"],"name":"child","daemon":true,"bindPid":4711})");
    box.executes("child");
    EXPECT_EQ(client.take_one()["state"], "running");
    EXPECT_EQ(spec_of("child").daemon_of, "pid 4711");
    box.host.watched[4711].second();
    EXPECT_EQ(box.instance("child").cause(), "process 4711, whose daemon it is, has ended");
}

TEST_F(Run, OfADaemonSaysWhyItCannotBeBound) {
    const auto gone = client.call("Job.Run", R"({"command":["x"],"daemon":true,"bindPid":4711})");
    EXPECT_EQ(gone.error, "io.procsupd.Job.StartFailed");
    EXPECT_EQ(gone["errnoName"], "ESRCH");
    const auto nothing = client.call("Job.Run", R"({"command":["x"],"daemon":true})");
    EXPECT_EQ(nothing.error, "org.varlink.service.InvalidParameter");
    EXPECT_TRUE(box.engine.calls.empty());
}

/// Callers who operate but do not administer.
struct RunOfStranger : testing::Test {
    void SetUp() override {
        if (!is_root()) GTEST_SKIP() << "only root can show another uid";
    }
    static DaemonSpec operators() {
        DaemonSpec spec;
        spec.operate.users = {kStranger};
        return spec;
    }
};

TEST_F(RunOfStranger, HasTheCallersUserAndIsTheCallers) {
    ControlBox box({}, operators());
    auto client = ControlClient::as_stranger(box);
    client.send("Job.Run", R"({"command":["id"],"name":"mine"})");
    const auto& spec = *box.supervisor.jobs().at("mine").spec;
    ASSERT_TRUE(spec.identity.has_value());
    EXPECT_EQ(spec.identity->uid, kStranger);
    EXPECT_EQ(spec.identity->gid, kStranger);
    EXPECT_EQ(spec.owner, kStranger);
}

TEST_F(RunOfStranger, IsBoundToProcessesOfItsOwnOnly) {
    ControlBox box({}, operators());
    box.host.watched[4711] = {0, nullptr};
    auto client = ControlClient::as_stranger(box);
    EXPECT_EQ(client.call("Job.Run", R"({"command":["x"],"daemon":true,"bindPid":4711})")["errnoName"], "EPERM");
    EXPECT_TRUE(box.engine.calls.empty());
}

TEST_F(RunOfStranger, LikeAJobIsOnlyForTheUserOfThatJob) {
    auto own = job("own");
    own.identity = Identity{kStranger, kStranger, {}};
    auto rooted = job("rooted");  // the daemon's user
    rooted.owner = kStranger;
    auto grouped = job("grouped");
    grouped.identity = Identity{kStranger, kStranger, {42}};  // which the caller is not in
    auto given = job("given");
    given.identity = own.identity;
    given.privileges.ambient = 1;
    ControlBox box({own, rooted, grouped, given}, operators());
    auto client = ControlClient::as_stranger(box);
    const auto refused = client.call("Job.Run", R"({"command":["sh"],"like":"rooted"})");
    EXPECT_EQ(refused.error, "io.procsupd.Job.PermissionDenied");
    EXPECT_NE(refused["message"].find("as the user of 'rooted'"), std::string::npos) << refused["message"];
    EXPECT_TRUE(box.engine.calls.empty());
    EXPECT_EQ(client.call("Job.Run", R"({"command":["sh"],"like":"grouped"})").error,
              "io.procsupd.Job.PermissionDenied");
    EXPECT_TRUE(box.engine.calls.empty());
    const auto beyond = client.call("Job.Run", R"({"command":["sh"],"like":"given"})");
    EXPECT_NE(beyond["message"].find("ambient_capabilities"), std::string::npos) << beyond["message"];
    EXPECT_TRUE(box.engine.calls.empty());
    client.send("Job.Run", R"({"command":["sh"],"like":"own","name":"shell"})");
    EXPECT_EQ(box.supervisor.jobs().at("shell").spec->identity, own.identity);
}

}  // namespace
}  // namespace procsup
