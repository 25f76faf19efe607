#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/sim/fake_machine.h"

namespace procsup::sim {
namespace {

void add_dependency(FakeMachine& machine, JobSpec& spec, std::string on) {
    auto& dependencies = spec.dependencies;
    switch (machine.draw(24)) {
        case 0: dependencies.after.push_back(std::move(on)); return;
        case 1: dependencies.wants.push_back(std::move(on)); return;
        case 2:
        case 3:
            dependencies.requirements.push_back({std::move(on), static_cast<Requirement::Condition>(machine.draw(4)),
                                                 static_cast<Requirement::OnRestart>(machine.draw(2))});
            return;
        default: return;
    }
}

void add_hooks(FakeMachine& machine, JobSpec& spec) {
    for (std::size_t i = 0; i < kHookWords.size(); ++i) {
        const auto hook = static_cast<Hook>(i);
        const bool refused = hook == Hook::PostStart && spec.type == JobType::Oneshot;
        if (!refused && machine.draw(1) == 0) spec.hooks.push_back({hook, {{"/bin/hook"}, "/bin/hook"}});
    }
}

void add_schedule(FakeMachine& machine, JobSpec& spec) {
    auto& schedule = spec.schedule;
    if (machine.draw(1) == 0) {
        schedule.cron = "* * * * *";
        schedule.moments = *parse_cron(schedule.cron);
        schedule.zone = std::make_shared<const Zone>("UTC", std::chrono::seconds(0), std::vector<Zone::Change>());
    } else {
        schedule.interval = std::chrono::milliseconds(1000 + machine.draw(5000));
    }
    schedule.overlap = static_cast<Schedule::Overlap>(machine.draw(2));
    schedule.missed = static_cast<Schedule::Missed>(machine.draw(1));
    if (machine.draw(1) == 0) schedule.jitter = std::chrono::milliseconds(machine.draw(900));
}

void add_sockets(FakeMachine& machine, JobSpec& spec) {
    ListeningSocket socket;
    socket.name = spec.name;
    socket.accept = spec.daemon_of.empty() && machine.draw(1) == 0;
    socket.on_demand = !socket.accept;
    socket.max_connections = 1 + machine.draw(3);
    if (socket.on_demand && machine.draw(1) == 0) socket.idle_timeout = std::chrono::milliseconds(500);
    if (socket.accept) spec.instances.clear();
    spec.sockets.push_back(std::move(socket));
}

JobSpec random_job(FakeMachine& machine, std::uint32_t number) {
    using namespace std::chrono_literals;
    constexpr Restart kRestarts[] = {Restart::No,         Restart::OnSuccess, Restart::OnFailure,
                                     Restart::OnAbnormal, Restart::Always,    Restart::UnlessStopped};
    JobSpec spec;
    spec.name = "job" + std::to_string(number);
    spec.command = {"/bin/work"};
    spec.type = machine.draw(4) == 0 ? JobType::Oneshot : machine.draw(4) == 0 ? JobType::Task : JobType::Service;
    spec.restart.when = kRestarts[machine.draw(5)];
    spec.restart.start_limit = {machine.draw(1) == 0 ? 0 : 5 + machine.draw(5), 60s};
    spec.restart.delay = std::chrono::milliseconds(machine.draw(800));
    spec.start_timeout = machine.draw(3) == 0 ? Duration(3ms) : Duration(90s);
    spec.run_timeout = machine.draw(3) == 0 ? Duration(2s) : kForever;
    spec.stop_timeout = machine.draw(5) == 0 ? Duration(50ms) : Duration(10s);
    if (spec.type == JobType::Service && machine.draw(3) == 0) {
        spec.readiness.kind = machine.draw(1) == 0 ? Readiness::Kind::Notify : Readiness::Kind::Tcp;
        if (spec.readiness.kind == Readiness::Kind::Tcp) spec.readiness.probe = {{"/bin/look"}, "/bin/look"};
        spec.readiness.timeout = machine.draw(2) == 0 ? Duration(1s) : Duration(30s);
    }
    if (machine.draw(3) == 0) spec.stop_steps = {{20ms, SIGINT}, {2s, SIGQUIT}};
    if (machine.draw(2) == 0) spec.stop_command = {{"/bin/end_work"}, "/bin/end_work"};
    if (machine.draw(2) == 0) spec.reload_command = {{"/bin/reread"}, "/bin/reread"};
    if (machine.draw(2) == 0) add_hooks(machine, spec);
    // Bound to a job of a smaller number, so never in a circle.
    if (number > 0 && number < 1000 && machine.draw(2) == 0) {
        spec.daemon_of = "job" + std::to_string(machine.draw(number - 1));
        spec.on_parent_restart = static_cast<OnParentRestart>(machine.draw(2));
    }
    for (std::uint32_t i = 0; i < number && number < 1000; ++i)
        add_dependency(machine, spec, "job" + std::to_string(i));
    if (machine.draw(3) == 0) spec.zombie_limit = 2;
    spec.orphans = static_cast<Orphans>(machine.draw(2));
    spec.stop_scope = static_cast<StopScope>(machine.draw(1));
    spec.stop_signal_to = static_cast<SignalTo>(machine.draw(1));
    if (spec.daemon_of.empty() && machine.draw(4) == 0) spec.instances = {"a", "b", "c"};
    if (spec.daemon_of.empty() && machine.draw(3) == 0) spec.instances = {"0", "1", "2"};
    if (machine.draw(2) == 0) spec.watchdog = std::chrono::milliseconds(500 + machine.draw(8000));
    if (spec.type == JobType::Service && machine.draw(2) == 0) {
        const auto how = machine.draw(2);
        if (how != 0) spec.health.look.kind = Readiness::Kind::Exec;
        if (how != 0) spec.health.look.probe = {{"/bin/look"}, "/bin/look"};
        if (how != 1) spec.health.memory_above = 1 << 19;
        if (how != 1 && machine.draw(1) == 0) spec.health.cpu_above = 0.5;
        spec.health.look.interval = std::chrono::milliseconds(100 + machine.draw(3000));
        spec.health.action = machine.draw(4) == 0 ? Health::Action::None : Health::Action::Restart;
        spec.health.restart_limit = {machine.draw(3), 30s};
    }
    if (spec.type == JobType::Task) add_schedule(machine, spec);
    if (spec.type == JobType::Service && number < 1000 && machine.draw(4) == 0) add_sockets(machine, spec);
    if (machine.draw(2) == 0) spec.max_lifetime = std::chrono::milliseconds(1000 + machine.draw(3000));
    return spec;
}

/// Members in the order of their numbers, as which they depend on each other too.
void form_groups(FakeMachine& machine, std::vector<JobSpec>& jobs) {
    for (const char* name : {"some", "others"}) {
        if (machine.draw(2) == 0) continue;
        Membership membership;
        membership.group = name;
        membership.strategy = static_cast<Membership::Strategy>(machine.draw(2));
        membership.intensity = {machine.draw(4), std::chrono::seconds(5)};
        if (machine.draw(20) == 0) membership.on_exhausted = Membership::OnExhausted::Shutdown;
        for (auto& job : jobs) {
            if (!job.membership.group.empty() || machine.draw(2) == 0) continue;
            job.membership = membership;
            ++membership.position;
        }
    }
}

std::vector<JobSpec> random_jobs(FakeMachine& machine) {
    std::vector<JobSpec> jobs;
    for (std::uint32_t i = 0; i < 12; ++i) {
        if (machine.draw(3) != 0) jobs.push_back(random_job(machine, i));
    }
    form_groups(machine, jobs);
    return jobs;
}

/// As many as it has, or some more or fewer.
void scale(FakeMachine& machine, Supervisor& supervisor, const std::string& name) {
    const auto& job = supervisor.jobs().at(name);
    for (const auto& leaving : job.leaving_instances) machine.asked_to_start(leaving->id());
    for (const auto other : supervisor.select("*")) machine.may_be_pulled(other, job.instances.front()->id());
    (void)supervisor.scale(name, machine.draw(5), "scale", machine.now()).has_value();
}

void roll(FakeMachine& machine, Supervisor& supervisor, const std::string& name) {
    for (const auto other : supervisor.select("*")) {
        machine.may_be_pulled(other, supervisor.jobs().at(name).instances.front()->id());
    }
    (void)supervisor.roll(name, std::string(FakeMachine::kRollCause), machine.now()).has_value();
}

/// An operator who asks for anything at any time; `jobs` is the configuration.
void ask_something(FakeMachine& machine, Supervisor& supervisor, Configured& jobs) {
    const auto all = supervisor.select("*");
    const auto what = machine.reconfigures() ? machine.draw(110) : 1 + machine.draw(109);
    if (what > 108) return machine.disturb_clocks();
    if (what == 0) {
        machine.configured_anew(supervisor.select("*"));
        const auto restarts = machine.draw(1) == 0 ? Restarts::Now : Restarts::Later;
        jobs = supervisor.shared(random_jobs(machine));
        supervisor.configure(jobs, machine.now(), restarts);
        return;
    }
    if (what == 1) {
        auto spec = random_job(machine, 1000 + machine.draw(3));
        spec.instances.clear();
        (void)supervisor.run_transient(std::move(spec), "run", machine.now()).has_value();
        return;
    }
    if (all.empty()) return;
    const auto id = all[machine.draw(static_cast<std::uint32_t>(all.size() - 1))];
    if (what < 35) {
        machine.asked_to_start(id);
        for (const auto other : all) machine.may_be_pulled(other, id);
        supervisor.start(id, "start", machine.now());
    } else if (what < 60) {
        machine.asked_to_stop(id);
        supervisor.stop(id, "stop", machine.now());
    } else if (what < 80) {
        machine.asked_to_start(id);
        for (const auto other : all) machine.may_be_pulled(other, id);
        supervisor.restart(id, "restart", machine.now());
    } else if (what < 90) {
        // The schedule of a task goes on then.
        if (supervisor.find(id)->state() == State::Stopped && supervisor.find(id)->spec().type == JobType::Task)
            machine.asked_to_start(id);
        supervisor.reset(id, "reset", machine.now());
    } else if (what < 93) {
        supervisor.pause(id, "pause", machine.now());
    } else if (what < 97) {
        supervisor.resume(id, "resume", machine.now());
    } else if (what < 99) {
        supervisor.reload(id, "reload", machine.now());
    } else if (what < 100) {
        supervisor.check_health(id, machine.now());
    } else if (what < 103) {
        scale(machine, supervisor, std::string(supervisor.find(id)->name().job));
    } else {
        roll(machine, supervisor, std::string(supervisor.find(id)->name().job));
    }
}

/// What must have happened for the invariants to mean something.
struct Done {
    std::uint64_t rolls = 0, health_restarts = 0, scheduled_runs = 0, connections = 0;
};

/// Runs one seed until `steps` things have happened, then shuts down; returns the first breach. `done` grows.
std::string run_seed(std::uint32_t seed, std::uint64_t steps, Done& done) {
    FakeMachine machine(seed);
    Supervisor supervisor(machine, machine, machine, seed);
    machine.attach(supervisor);
    supervisor.clocks_set(machine.clocks(), machine.now());
    auto jobs = supervisor.shared(random_jobs(machine));
    supervisor.configure(jobs, machine.now(), Restarts::Now);
    for (std::uint64_t step = 0; step < steps && machine.breach().empty(); ++step) {
        machine.may_be_pulled_by_rolls();
        if (machine.draw(3) == 0) {
            ask_something(machine, supervisor, jobs);
        } else {
            machine.happen();
        }
        if (machine.draw(1) == 0) supervisor.forget_ended();
        if (step % 16 != 0) continue;
        machine.check_all();
        if (!supervisor.plan(jobs, Restarts::Later).empty()) return "the configuration that is in force is news";
    }
    done.rolls += machine.rolls_done();
    done.health_restarts += machine.health_restarts();
    done.scheduled_runs += machine.scheduled_runs();
    done.connections += machine.connections();
    supervisor.shut_down("shutdown", machine.now());
    for (const auto& [name, job] : supervisor.jobs()) {
        if (supervisor.rolls(name)) return "a rolling restart goes on while all is stopped";
    }
    for (int i = 0; i < 100'000 && !supervisor.idle() && machine.breach().empty(); ++i) machine.happen();
    supervisor.forget_ended();
    machine.check_all();
    if (machine.breach().empty() && machine.live_processes() != 0) return "a stopped system has processes";
    return machine.breach();
}

std::uint64_t from_environment(const char* name, std::uint64_t usual) {
    const char* text = getenv(name);
    return text != nullptr ? strtoull(text, nullptr, 10) : usual;
}

TEST(Simulation, HoldsEveryInvariantOverAMillionRandomSteps) {
    constexpr std::uint64_t kStepsASeed = 5'000;
    const auto first = static_cast<std::uint32_t>(from_environment("PROCSUP_SIM_FIRST_SEED", 1));
    const auto seeds = from_environment("PROCSUP_SIM_STEPS", 1'000'000) / kStepsASeed;
    Done done;
    for (std::uint32_t seed = first; seed < first + seeds; ++seed) {
        ASSERT_EQ(run_seed(seed, kStepsASeed, done), "") << "seed " << seed;
    }
    EXPECT_GT(done.rolls, seeds / 10);
    EXPECT_GT(done.health_restarts, seeds / 2);
    EXPECT_GT(done.scheduled_runs, seeds);
    EXPECT_GT(done.connections, seeds);
}

TEST(Simulation, IsTheSameForTheSameSeed) {
    const auto transitions = [](std::uint32_t seed) {
        FakeMachine machine(seed);
        Supervisor supervisor(machine, machine, machine, seed);
        machine.attach(supervisor);
        supervisor.configure(random_jobs(machine), machine.now());
        for (int i = 0; i < 2'000; ++i) machine.happen();
        return machine.transitions();
    };
    EXPECT_EQ(transitions(7), transitions(7));
    EXPECT_NE(transitions(7), transitions(8));
}

}  // namespace
}  // namespace procsup::sim
