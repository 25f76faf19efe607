#include "daemon/host/processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <deque>
#include <fstream>
#include <sstream>

#include "daemon/host/abilities.h"
#include "daemon/host/timer_queue.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// The engine on real processes: a loop, and a list of steps, each a condition to wait for and what to do then. Ends
/// when the last step is done, or fails at a deadline.
class Machine : public Announcer {
public:
    Machine() {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &mask_before_);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        // As procsupd does at its start: jobs get nothing of what the caller left open.
        close_range(3, ~0U, 0);
        loop = std::move(*SdEventLoop::create());
        processes = std::make_unique<Processes>(*loop);
        timers = std::make_unique<TimerQueue>(*loop, [this](InstanceId id, TimerKind kind, std::uint32_t generation) {
            supervisor->timer_fired(id, kind, generation, loop->now());
        });
        supervisor = std::make_unique<Supervisor>(*processes, *timers, *this, 1);
        EXPECT_TRUE(processes->reserve_fds().has_value());
        EXPECT_TRUE(
            processes->contain(ContainmentMode::Auto, {"/unit-test/" + std::to_string(getpid()), false}).has_value());
        EXPECT_TRUE(processes->start(*supervisor).has_value());
        loop->set_after_callback([this] { after_callback(); });
    }
    ~Machine() override {
        loop->set_after_callback(nullptr);
        steps.clear();
        timers.reset();
        processes.reset();
        sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
    }

    void announce(const Transition& transition) override {
        log.push_back(std::string(to_text(transition.to)) + ": " + std::string(transition.cause));
    }
    void roll(const RollNews&) override {}
    void end_daemon(int, std::string_view) override {}

    void when(
        std::function<bool()> condition, std::function<void()> act = [] {}) {
        steps.push_back({std::move(condition), std::move(act)});
    }
    void run(JobSpec spec) {
        if (spec.name.empty()) spec.name = "job";
        if (spec.working_dir.empty()) spec.working_dir = "/";
        job = spec.name;
        supervisor->configure({spec}, loop->now());
        const auto deadline = loop->call_at(loop->now() + 20s, [this] {
            ADD_FAILURE() << "nothing happened in time; " << steps.size() << " steps to go; state "
                          << to_text(instance().state()) << ", " << instance().cause();
            loop->end(1);
        });
        processes->deliver();
        ASSERT_TRUE(loop->run().has_value());
    }
    const Instance& instance() const { return *supervisor->find(supervisor->select(job).front()); }
    bool is(State state) const { return instance().state() == state; }

    struct Step {
        std::function<bool()> condition;
        std::function<void()> act;
    };
    std::unique_ptr<SdEventLoop> loop;
    std::unique_ptr<Processes> processes;
    std::unique_ptr<TimerQueue> timers;
    std::unique_ptr<Supervisor> supervisor;
    std::deque<Step> steps;
    std::vector<std::string> log;
    std::string job;

private:
    sigset_t mask_before_;
    void after_callback() {
        processes->deliver();
        while (!steps.empty() && steps.front().condition()) {
            const auto act = std::move(steps.front().act);
            steps.pop_front();
            act();
            processes->deliver();
        }
        timers->settle();
        if (steps.empty()) loop->end(0);
    }
};

JobSpec command(std::vector<std::string> argv) {
    JobSpec spec;
    spec.command = std::move(argv);
    spec.env = {"PATH=/usr/bin:/bin"};
    spec.restart.when = Restart::No;
    return spec;
}

JobSpec shell(const std::string& script) { return command({"/bin/sh", "-c", script}); }

/// A directory that is gone with the test.
class Scratch {
public:
    Scratch() { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
    ~Scratch() {
        unlink(file("out").c_str());
        rmdir(path_.c_str());
    }
    std::string file(const std::string& name) const { return path_ + "/" + name; }
    std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(file(name)).rdbuf();
        return text.str();
    }

private:
    std::string path_ = "/tmp/procsup_test.XXXXXX";
};

/// What a program started by `spec` prints.
std::string output_of(JobSpec spec) {
    Scratch scratch;
    spec.stdout_stream = {Stream::Kind::File, scratch.file("out")};
    Machine machine;
    machine.when([&] { return machine.is(State::Exited) || machine.is(State::Failed); });
    machine.run(spec);
    return machine.is(State::Exited) ? scratch.read("out") : machine.instance().cause();
}

TEST(Processes, RunAProgramFromExecToItsExitCode) {
    Machine machine;
    machine.when([&] { return machine.is(State::Failed); });
    machine.run(shell("exit 3"));
    EXPECT_EQ(machine.log, (std::vector<std::string>{"starting: started with the daemon",
                                                     "running: started with the daemon", "failed: exit 3"}));
}

TEST(Processes, ReportTheSignalThatEndedOne) {
    Machine machine;
    machine.when([&] { return machine.is(State::Failed); });
    machine.run(shell("kill -USR1 $$"));
    EXPECT_EQ(machine.instance().cause(), "killed by SIGUSR1");
}

struct RefusalCase {
    const char* what;
    std::function<void(JobSpec&)> change;
    const char* cause;
};

TEST(Processes, SayWhichStepOfAStartFailed) {
    const RefusalCase cases[] = {
        {"program", [](JobSpec& s) { s.program = s.command[0] = "/usr/bin/nope"; },
         "cannot exec /usr/bin/nope: No such file or directory"},
        {"searched program", [](JobSpec& s) { s.command[0] = "procsup-no-such-program"; },
         "cannot exec procsup-no-such-program: No such file or directory"},
        {"not executable", [](JobSpec& s) { s.command[0] = "/etc/passwd"; },
         "cannot exec /etc/passwd: Permission denied"},
        {"directory", [](JobSpec& s) { s.working_dir = "/no/such/dir"; },
         "cannot change to directory /no/such/dir: No such file or directory"},
        {"stdout",
         [](JobSpec& s) {
             s.stdout_stream = {Stream::Kind::File, "/no/such/file"};
         },
         "cannot open stdout /no/such/file: No such file or directory"},
        {"stdin",
         [](JobSpec& s) {
             s.stdin_stream = {Stream::Kind::File, "/no/such/file"};
         },
         "cannot open stdin /no/such/file: No such file or directory"},
    };
    for (const auto& one : cases) {
        auto spec = command({"/bin/true"});
        one.change(spec);
        Machine machine;
        machine.when([&] { return machine.is(State::Failed); });
        machine.run(spec);
        EXPECT_EQ(machine.instance().cause(), one.cause) << one.what;
    }
}

/// What is said of a start of a program that has `content`; searched in PATH, or not.
std::string refusal_of(const std::string& content, bool searched) {
    Scratch scratch;
    const auto path = scratch.file("out");
    std::ofstream(path) << content;
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    auto spec = command({searched ? "out" : path});
    const auto folder = path.substr(0, path.rfind('/'));
    if (searched) spec.env = {"PATH=/no/such:" + folder + ":/bin"};
    Machine machine;
    machine.when([&] { return machine.is(State::Failed); });
    machine.run(spec);
    auto cause = machine.instance().cause();
    const auto at = cause.find(folder + "/");
    return at == std::string::npos ? cause : cause.erase(at, folder.size() + 1);
}

TEST(Processes, SayWhatAProgramThatIsThereIsToBeRunBy) {
    const std::string begin = "cannot exec out: No such file or directory: it is there, and what it is to be run by, ";
    for (const bool searched : {false, true}) {
        EXPECT_EQ(refusal_of("#! /usr/bin/nope -x\nexit 0\n", searched), begin + "/usr/bin/nope, is not");
    }
    EXPECT_EQ(refusal_of("#!/bin/sh\r\nexit 0\r\n", false),
              begin + "/bin/sh\\r, is not: its lines end as on Windows, with \\r");
    EXPECT_EQ(refusal_of("#!/no\033such", false), begin + "/no?such, is not");
}

TEST(Processes, SayWhichLoaderAProgramNeeds) {
    std::ostringstream text;
    text << std::ifstream("/bin/true").rdbuf();
    auto program = text.str();
    const auto at = program.find("/ld-linux");
    ASSERT_NE(at, std::string::npos);
    program.replace(at, 9, "/ld-nope_");
    const auto said = refusal_of(program, false);
    EXPECT_NE(said.find("it is there, and what it is to be run by, /lib"), std::string::npos) << said;
    EXPECT_NE(said.find("/ld-nope_"), std::string::npos) << said;
}

TEST(Processes, DoNotRunWithoutTheFilterThatTheyAskFor) {
    // A run-time that lets nobody install a filter: in a process of its own, which it would hold for good.
    const auto under_refusal = [] {
        void* rules = seccomp_init(SCMP_ACT_ALLOW);
        seccomp_rule_add(rules, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(seccomp), 0);
        if (seccomp_load(rules) != 0) _exit(1);
        auto spec = command({"/bin/true"});
        spec.may_fork = false;
        Machine machine;
        machine.when([&] { return machine.is(State::Failed); });
        machine.run(spec);
        (void)!write(STDERR_FILENO, machine.instance().cause().data(), machine.instance().cause().size());
        _exit(0);
    };
    EXPECT_EXIT(under_refusal(), testing::ExitedWithCode(0), "^cannot forbid new processes: Permission denied$");
}

TEST(Processes, StartWithACleanSlate) {
    // Blocked and ignored signals, descriptors beyond 0 to 2, and the session are what daemons of others trip over.
    const auto text =
        output_of(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd; "
                        "test $(ps -o sid= -p $$) = $$ && echo leader; umask; pwd"));
    EXPECT_EQ(text,
              "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
              "0\n1\n2\n3\nleader\n0022\n/\n");
}

TEST(Processes, GiveTheJobItsEnvironmentAndNothingElse) {
    auto spec = command({"/usr/bin/env"});
    spec.env = {"A=1", "NAME=${job:instance}", "PATH=/usr/bin"};
    spec.name = "web";
    const auto text = output_of(spec);
    EXPECT_NE(text.find("A=1\nNAME=web\nPATH=/usr/bin\nPROCSUPD_JOB=web\nPROCSUPD_INSTANCE=web\nPROCSUPD_INDEX=0\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("HOME="), std::string::npos);
}

TEST(Processes, DropToTheUserOfTheJobCompletely) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    auto spec = shell("id -u; id -g; id -G; grep -E '^(Uid|Gid|Groups):' /proc/self/status");
    spec.identity = Identity{65534, 65534, {7, 8}};
    spec.working_dir = "/tmp";
    Scratch scratch;
    const std::string path = "/tmp/procsup_drop." + std::to_string(getpid());
    spec.stdout_stream = {Stream::Kind::File, path};
    Machine machine;
    machine.when([&] { return machine.is(State::Exited) || machine.is(State::Failed); });
    machine.run(spec);
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 65534u) << "the log file is made with the job's rights";
    unlink(path.c_str());
    EXPECT_EQ(text.str(),
              "65534\n65534\n65534 7 8\nUid:\t65534\t65534\t65534\t65534\nGid:\t65534\t65534\t65534\t65534\n"
              "Groups:\t7 8 \n");
}

TEST(Processes, AreNotStartedWithCapabilitiesThatTheKernelDoesNotKnow) {
    auto spec = shell("true");
    spec.privileges.capabilities = capability_bit(5) | capability_bit(62);
    EXPECT_EQ(output_of(spec),
              "cannot find all of CAP_KILL, CAP_62 among the capabilities of this kernel: Invalid argument");
    spec.privileges = {};
    spec.privileges.ambient = capability_bit(62);
    EXPECT_EQ(output_of(spec), "cannot find all of CAP_62 among the capabilities of this kernel: Invalid argument");
}

TEST(Processes, SetLimitsNiceAndUmask) {
    auto spec = shell("ulimit -n; ulimit -c; nice; umask");
    spec.limits = {{RLIMIT_NOFILE, 77}, {RLIMIT_CORE, 0}};
    spec.nice = 5;
    spec.umask = 077;
    EXPECT_EQ(output_of(spec), "77\n0\n5\n0077\n");
}

TEST(Processes, StartUnderALimitOfDescriptorsSmallerThanTheDaemons) {
    auto spec = shell("ulimit -n");
    spec.limits = {{RLIMIT_NOFILE, 4}};
    EXPECT_EQ(output_of(spec), "4\n");
}

TEST(Processes, HaveSoftAndHardLimitsApart) {
    auto spec = shell("ulimit -Sn; ulimit -Hn; ulimit -St; ulimit -Ht");
    spec.limits = {{RLIMIT_CPU, 70, 80}, {RLIMIT_NOFILE, 20, 30}};
    EXPECT_EQ(output_of(spec), "20\n30\n70\n80\n");
}

TEST(Processes, AreScheduledAsTheirJobSays) {
    // Fields 19 and 41 of proc(5): nice and policy.
    auto spec =
        shell("set -- $(cat /proc/$$/stat); echo ${19} ${41}; ionice -p $$; grep Cpus_allowed_list /proc/$$/status");
    spec.nice = 3;
    spec.scheduling = Scheduling{Scheduling::Policy::Batch, 0};
    spec.io_priority = IoPriority{IoPriority::Class::BestEffort, 6};
    spec.cpu_affinity = {gather_abilities().cpus.front()};
    const auto cpu = std::to_string(spec.cpu_affinity.front());
    EXPECT_EQ(output_of(spec), "3 3\nbest-effort: prio 6\nCpus_allowed_list:\t" + cpu + "\n");
}

/// A limit that this process cannot give its children, by what it may do itself.
std::optional<ResourceLimit> limit_beyond_reach() {
    const auto abilities = gather_abilities();
    if (abilities.raises_limits) return std::nullopt;
    rlimit now{};
    getrlimit(RLIMIT_MEMLOCK, &now);
    if (now.rlim_max >= RLIM_INFINITY - 1) return std::nullopt;
    return ResourceLimit(RLIMIT_MEMLOCK, now.rlim_max + 1);
}

TEST(Processes, GetTheHardLimitForOneAboveItAndThatIsToldOnce) {
    const auto limit = limit_beyond_reach();
    if (!limit) GTEST_SKIP() << "limits can be raised here";
    auto spec = shell("exit 1");
    spec.limits = {*limit};
    spec.restart.when = Restart::Always;
    spec.restart.delay = 1ms;
    spec.restart.start_limit = {3, 1min};
    Machine machine;
    std::vector<std::string> told;
    machine.processes->set_on_shortfall(
        [&](const JobSpec& job, const std::string& what) { told.push_back(job.name + ": " + what); });
    machine.when([&] { return machine.is(State::Failed); });
    machine.run(spec);
    EXPECT_EQ(told, std::vector<std::string>{"job: cannot enforce limits.memlock = " + limit_toml(*limit) +
                                             ": the kernel refused it; it runs with what comes nearest"});
    spec.name = "job";
    ASSERT_EQ(machine.processes->unenforced().of(spec).size(), 1u);
    spec.limits[0].soft = 1;
    EXPECT_TRUE(machine.processes->unenforced().of(spec).empty()) << "of a changed setting nothing is known";
}

TEST(Processes, OfAStrictJobAreNotStartedWithoutALimitThatTheKernelRefuses) {
    const auto limit = limit_beyond_reach();
    if (!limit) GTEST_SKIP() << "limits can be raised here";
    auto spec = shell("true");
    spec.limits = {*limit};
    spec.strict_limits = true;
    EXPECT_EQ(output_of(spec), "cannot set limits.memlock: Operation not permitted");
}

TEST(Processes, OfAStrictJobAreNotEvenTriedWithWhatIsKnownToBeImpossible) {
    auto spec = shell("true");
    spec.nice = -1;
    spec.oom_score_adjust = -1;
    spec.strict_limits = true;
    spec.restart.when = Restart::Always;
    Machine machine;
    Abilities abilities;
    abilities.capabilities = 0;
    abilities.least_nice = 0;
    abilities.least_oom_score = 0;
    machine.processes->set_abilities(abilities);
    machine.when([&] { return machine.is(State::Failed); });
    machine.run(spec);
    EXPECT_EQ(machine.instance().cause(),
              "cannot enforce limits.nice = -1: less than 0 is not permitted: procsupd lacks CAP_SYS_NICE; "
              "limits.oom_score_adjust = -1: less than 0 is not permitted: procsupd lacks CAP_SYS_RESOURCE");
    EXPECT_EQ(machine.log.size(), 2u) << "starting and failed: it would not end otherwise the next time";
}

TEST(Processes, OfAStrictJobAreNotStartedOnCpusThatAreNotThere) {
    auto spec = shell("true");
    spec.cpu_affinity = {gather_abilities().cpus.front(), kMostCpus - 1};
    EXPECT_EQ(output_of(spec), "");
    spec.strict_limits = true;
    EXPECT_EQ(output_of(spec), "cannot set limits.cpu_affinity: Invalid argument");
}

TEST(Abilities, AreFoundOutWithoutAChange) {
    const auto state = [] {
        std::string text;
        for (const char* file : {"/proc/self/limits", "/proc/self/oom_score_adj"}) {
            std::ostringstream content;
            content << std::ifstream(file).rdbuf();
            text += content.str();
        }
        sched_param parameter{};
        sched_getparam(0, &parameter);
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        sched_getaffinity(0, sizeof(cpus), &cpus);
        return text + std::to_string(getpriority(PRIO_PROCESS, 0)) + " " + std::to_string(sched_getscheduler(0)) + " " +
               std::to_string(parameter.sched_priority) + " " + std::to_string(CPU_COUNT(&cpus)) + " " +
               std::to_string(syscall(SYS_ioprio_get, 1, 0));
    };
    const auto before = state();
    const auto abilities = gather_abilities();
    EXPECT_EQ(state(), before);
    EXPECT_EQ(gather_abilities(), abilities);
    EXPECT_FALSE(abilities.cpus.empty());
}

TEST(Processes, StopByTheirSignal) {
    Machine machine;
    machine.when([&] { return machine.is(State::Running); },
                 [&] { machine.supervisor->stop(machine.instance().id(), "asked", machine.loop->now()); });
    machine.when([&] { return machine.is(State::Stopped); });
    machine.run(command({"/bin/sleep", "1000"}));
    EXPECT_EQ(machine.instance().cause(), "asked; killed by SIGTERM");
}

TEST(Processes, AreKilledWhenTheyIgnoreTheirSignal) {
    Scratch scratch;
    auto spec = shell("trap '' TERM; echo ready; while :; do sleep 1000; done");
    spec.stdout_stream = {Stream::Kind::File, scratch.file("out")};
    spec.stop_timeout = 50ms;
    Machine machine;
    // Not before the trap is set; looked at in each turn, and there is one every few milliseconds.
    std::unique_ptr<Watch> tick;
    std::function<void()> again = [&] { tick = machine.loop->call_at(machine.loop->now() + 5ms, again); };
    machine.when([&] { return machine.is(State::Running); }, [&] { again(); });
    machine.when([&] { return scratch.read("out") == "ready\n"; },
                 [&] {
                     tick.reset();
                     machine.supervisor->stop(machine.instance().id(), "asked", machine.loop->now());
                 });
    machine.when([&] { return machine.is(State::Stopped); });
    machine.run(spec);
    EXPECT_EQ(machine.instance().cause(), "asked; killed by SIGKILL (did not end within stop_timeout, 50ms)");
}

TEST(Processes, EndWhatTheMainProcessLeavesInItsGroup) {
    Machine machine;
    pid_t group = 0;
    machine.when([&] { return machine.instance().pid() != 0; }, [&] { group = machine.instance().pid(); });
    machine.when([&] { return machine.is(State::Exited); });
    machine.run(shell("sleep 20 & exit 0"));
    // The kernel takes a process out of its cgroup a moment before it can be collected.
    if (siginfo_t left{}; waitid(P_PGID, group, &left, WEXITED) == 0) {
        EXPECT_EQ(left.si_code, CLD_KILLED);
    }
    EXPECT_LT(kill(-group, 0), 0);
}

TEST(Processes, CollectOrphansThatAreNobodysMainProcess) {
    Machine machine;
    machine.when([&] { return machine.processes->accounts().all().count >= 20; });
    machine.run(shell("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (setsid sh -c : &) ; done"));
}

TEST(Processes, KnowToWhomAProcessBelongs) {
    Scratch scratch;
    auto spec = shell("sleep 1000 & echo $!; wait");
    spec.stdout_stream = {Stream::Kind::File, scratch.file("out")};
    Machine machine;
    std::unique_ptr<Watch> tick;
    std::function<void()> again = [&] { tick = machine.loop->call_at(machine.loop->now() + 5ms, again); };
    machine.when([&] { return machine.is(State::Running); }, [&] { again(); });
    machine.when([&] { return scratch.read("out").ends_with("\n"); },
                 [&] {
                     tick.reset();
                     const auto main = machine.processes->who_is(machine.instance().pid());
                     const auto child = machine.processes->who_is(std::stoi(scratch.read("out")));
                     ASSERT_TRUE(main && child);
                     EXPECT_TRUE(main->main);
                     EXPECT_FALSE(child->main);
                     EXPECT_EQ(child->id, machine.instance().id());
                     EXPECT_FALSE(machine.processes->who_is(1).has_value());
                     machine.supervisor->stop(machine.instance().id(), "asked", machine.loop->now());
                 });
    machine.when([&] { return machine.is(State::Stopped); });
    machine.run(spec);
}

TEST(Processes, ReceiveTheStreamsAttachedToTheirJob) {
    Machine machine;
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const Fd read_end(ends[0]);
    machine.processes->attach_streams("job", StandardFds{Fd(), Fd(ends[1]), Fd()});
    machine.when([&] { return machine.is(State::Exited); });
    machine.run(command({"/bin/echo", "hello"}));
    char text[16] = {};
    EXPECT_EQ(read(read_end.get(), text, sizeof(text)), 6);
    EXPECT_EQ(read(read_end.get(), text, sizeof(text)), 0) << "nobody else holds the other end";
}

TEST(Processes, DoNotHoldUpOthersWhenOneHangsBeforeExec) {
    Scratch scratch;
    ASSERT_EQ(mkfifo(scratch.file("out").c_str(), 0600), 0);
    // A program that is a FIFO's reader side cannot hang exec, but stdin from a FIFO without a writer would, were it
    // opened without O_NONBLOCK.
    auto spec = command({"/bin/true"});
    spec.stdin_stream = {Stream::Kind::File, scratch.file("out")};
    Machine machine;
    machine.when([&] { return machine.is(State::Exited); });
    machine.run(spec);
}

TEST(Processes, LaunchHundredsAtOnce) {
    Machine machine;
    auto spec = command({"/bin/true"});
    for (int i = 0; i < 300; ++i) spec.instances.push_back(std::to_string(i));
    machine.when([&] { return machine.supervisor->count_by_state()[static_cast<std::size_t>(State::Exited)] == 300; });
    machine.run(spec);
}

}  // namespace
}  // namespace procsup
