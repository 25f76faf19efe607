#include "tests/sim/fake_machine.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>

namespace procsup::sim {
namespace {

bool timer_belongs(TimerKind kind, State state) {
    switch (kind) {
        case TimerKind::StartTimeout:
            return state == State::Starting || state == State::Running || state == State::Reloading;
        case TimerKind::ReadyTimeout: return state == State::Running;
        case TimerKind::ZombieCheck:
        case TimerKind::MaxLifetime:
        case TimerKind::RollStep:
        case TimerKind::Watchdog:
        case TimerKind::HealthProbe:
        case TimerKind::HealthRestart:
        case TimerKind::HealthMeasure:
        case TimerKind::IdleCheck:
        case TimerKind::RunTimeout: return state == State::Running || state == State::Reloading;
        case TimerKind::StopStep:
        case TimerKind::StopTimeout: return state == State::Stopping;
        case TimerKind::Backoff: return state == State::Backoff;
        // One for all, of no instance.
        case TimerKind::Schedule: return false;
    }
    return false;
}

/// What a oneshot has done, which has ended well.
bool undoes(const SideOrder& order) {
    return order.role == SideRole::StopCommand && order.spec.type == JobType::Oneshot;
}

}  // namespace

void FakeMachine::broken(std::string what) {
    if (breach_.empty()) breach_ = std::move(what);
}

void FakeMachine::plan(Incarnation incarnation, Step step, std::uint32_t most_ms) {
    const auto round = runs_.at(incarnation).round;
    future_.emplace(now_ + std::chrono::microseconds(draw(most_ms * 1000)), Due{step, incarnation, 0, {}, 0, round});
}

// ---- what the engine asks for

void FakeMachine::spawn(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) {
    if (const auto other = live_of_.find(id); other != live_of_.end()) {
        broken(fmt::format("instance {} has two live incarnations, {} and {}", id, other->second, incarnation));
    }
    if (besides(id) > 0) broken(fmt::format("instance {} was started while a command of it lives", id));
    if (const auto found = prepared_.find(id); found != prepared_.end() && found->second == incarnation) {
        --ends_of_[id];
        if (told_to_stop_.contains(id)) broken(fmt::format("instance {} was started against a stop", id));
    } else {
        if (spec.hook(Hook::PreStart) != nullptr && bonds_hold_) broken("a program was started without its pre_start");
        begins(id, spec, name);
    }
    if (spec.serves_connection() && to_serve_.erase(id) == 0)
        broken("what serves a connection was started without one");
    live_of_[id] = incarnation;
    Run& run = runs_[incarnation];
    run.id = id;
    run.ignores_stop = draw(9) == 0;
    run.leaves_others = draw(4) == 0;
    run.status = draw(2) == 0 ? ExitStatus::killed(SIGSEGV) : ExitStatus::exited(static_cast<int>(draw(3)));
    plan(incarnation, draw(19) == 0 ? Step::Refuse : Step::Launch, 5);
}

/// A daemon is started while its parent runs, and a parent only when its daemons have ended. Of jobs with one instance, and
/// only while nothing was configured anew: bonds of a new text hold from the next start on.
void FakeMachine::check_daemons(const JobSpec& spec, const InstanceName& name) {
    const auto only_instance = [&](const std::string& job) -> const Instance* {
        const auto found = supervisor_->jobs().find(job);
        return found != supervisor_->jobs().end() && found->second.instances.size() == 1 &&
                       found->second.spec->instances.empty()
                   ? found->second.instances.front().get()
                   : nullptr;
    };
    if (!bonds_hold_) return;
    if (const auto* parent = spec.daemon_of.empty() ? nullptr : only_instance(spec.daemon_of)) {
        if (!is_executing(parent->state()))
            broken(name.instance + " was started while " + spec.daemon_of + " does not run");
    }
    for (const auto& [job, entry] : supervisor_->jobs()) {
        const bool bound = entry.spec->daemon_of == name.job && entry.spec->on_parent_restart != OnParentRestart::Keep;
        if (!bound || entry.instances.size() != 1 || only_instance(name.job) == nullptr) continue;
        if (lives(entry.instances.front()->id())) {
            broken(name.instance + " was started while its daemon " + job + " lives");
        }
    }
}

void FakeMachine::configured_anew(const std::vector<InstanceId>& all) {
    bonds_hold_ = false;
    for (const auto id : all) asked_to_start(id);
}

void FakeMachine::may_be_pulled(InstanceId id, InstanceId by) {
    const auto& job = supervisor_->find(id)->name().job;
    std::vector<std::string> reached{supervisor_->find(by)->name().job};
    for (std::size_t i = 0; i < reached.size() && i < 100; ++i) {
        const auto found = supervisor_->jobs().find(reached[i]);
        if (found == supervisor_->jobs().end()) continue;
        const auto& dependencies = found->second.spec->dependencies;
        for (const auto& name : dependencies.wants) reached.push_back(name);
        for (const auto& one : dependencies.requirements) reached.push_back(one.job);
        if (i > 0 && reached[i] == job) return asked_to_start(id);
    }
}

/// What is required for as long as a job runs is there when it starts, by what the machine itself knows of it.
void FakeMachine::check_requirements(const JobSpec& spec, const InstanceName& name) {
    if (!bonds_hold_) return;
    for (const auto& one : spec.dependencies.requirements) {
        const auto found = supervisor_->jobs().find(one.job);
        if (found == supervisor_->jobs().end() || found->second.spec->type == JobType::Oneshot) continue;
        for (const auto& instance : found->second.instances) {
            const bool there = live_of_.contains(instance->id()) || open_.contains(instance->id());
            if (one.lasts() && !there)
                broken(name.instance + " was started without " + one.job + ", which it requires");
            if (!one.lasts() && there) broken(name.instance + " was started before " + one.job + " had ended");
        }
    }
}

/// Runs of other members that are to be over when the one whose run has ended is started again.
void FakeMachine::note_member_failure(const Transition& transition) {
    if (transition.to != State::Waiting && transition.to != State::Starting) before_failure_.erase(transition.id);
    const auto* failed = supervisor_->find(transition.id);
    const auto& own = failed->spec().membership;
    if (transition.to != State::Backoff || !own.is_ordered() || supervisor_->shutting_down() || !bonds_hold_) return;
    const auto* group = supervisor_->find_group(own.group);
    if (group == nullptr) return;
    for (const auto* member : group->members) {
        const auto& other = member->spec->membership;
        const bool concerned = own.strategy == Membership::Strategy::OneForAll || other.position > own.position;
        if (!concerned || member->spec->name == failed->name().job) continue;
        for (const auto& instance : member->instances) {
            const auto run = live_of_.find(instance->id());
            if (run != live_of_.end()) before_failure_[transition.id].insert(run->second);
        }
    }
}

/// A member is started when what of its group is not to be there any more has ended.
void FakeMachine::check_group(InstanceId id, const JobSpec& spec, const InstanceName& name) {
    if (!spec.membership.is_ordered() || !bonds_hold_ || supervisor_->shutting_down() || daemon_ended_) return;
    const auto* group = supervisor_->find_group(spec.membership.group);
    for (const auto* member : group != nullptr ? group->members : std::vector<Job*>()) {
        if (member->spec->membership.position <= spec.membership.position) continue;
        for (const auto& instance : member->instances) {
            if (instance->state() == State::Stopping)
                broken(name.instance + " was started while " + instance->name().instance +
                       ", behind it in its group, ends");
        }
    }
    const auto failure = before_failure_.find(id);
    if (failure == before_failure_.end() || !supervisor_->find(id)->cause().starts_with("restarted after")) return;
    for (const auto& [other, run] : live_of_) {
        // What was scaled away meanwhile is no member any more.
        if (failure->second.contains(run) && !supervisor_->find(other)->left())
            broken(name.instance + " was restarted while " + supervisor_->find(other)->name().instance +
                   " of its group ran on");
    }
}

/// When all is stopped, nothing is told to end while something lives that was started after it.
void FakeMachine::check_stop_order(InstanceId id) {
    const auto* instance = supervisor_->find(id);
    const bool ordered = instance->cause().starts_with("shutdown");
    if (!bonds_hold_ || !supervisor_->shutting_down() || !ordered) return;
    for (const auto* dependent : supervisor_->jobs().find(instance->name().job)->second.dependents) {
        for (const auto& other : dependent->instances) {
            // A daemon ends after its parent.
            if (lives(other->id()) && dependent->spec->daemon_of.empty()) {
                broken(instance->name().instance + " was told to end while " + other->name().instance + " lives");
            }
        }
    }
}

/// Nothing runs without what it requires, and nothing waits for what is there.
void FakeMachine::check_links(const Job& job) {
    if (!job.transient && job.standing != standing_of(job)) broken("links know an older standing of " + job.spec->name);
    if (!bonds_hold_ || supervisor_->shutting_down()) return;
    const bool all_met =
        std::all_of(job.links.begin(), job.links.end(), [](const auto& link) { return look_at(link).met; });
    const bool one_lost =
        std::any_of(job.links.begin(), job.links.end(), [](const auto& link) { return look_at(link).lost; });
    for (const auto& instance : job.instances) {
        const auto state = instance->state();
        const bool bound = supervisor_->parent_of(instance->id()) != nullptr;
        bool has_daemons = false;
        for (const auto& [name, other] : supervisor_->jobs()) has_daemons |= other.spec->daemon_of == job.spec->name;
        const bool behind_one = job.spec->membership.is_ordered();
        if (all_met && !bound && !has_daemons && !behind_one && (state == State::Waiting || instance->held_back())) {
            broken(instance->name().instance + " waits for nothing: " + instance->cause());
        }
        if (one_lost && (state == State::Running || state == State::Starting)) {
            broken(instance->name().instance + " runs without what it requires");
        }
    }
}

void FakeMachine::listen(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) {
    if (lives(id)) broken("what lives is to listen");
    if (told_to_stop_.contains(id)) broken(fmt::format("instance {} is to listen against a stop", id));
    if (!spec.listens_first()) broken("what has no such sockets is to listen");
    check_place(name);
    check_requirements(spec, name);
    check_group(id, spec, name);
    live_of_[id] = incarnation;
    Run& run = runs_[incarnation];
    run.id = id;
    run.only_listens = true;
    plan(incarnation, draw(9) == 0 ? Step::Refuse : Step::Listen, 5);
}

void FakeMachine::listens(Incarnation incarnation, InstanceId id) {
    if (states_[id] == State::Stopping) ++ends_of_[id];
    live_of_.erase(id);
    runs_.erase(incarnation);
    last_over_ = incarnation;
    open_.insert(id);
    supervisor_->listens(incarnation, now_);
}

void FakeMachine::something_comes(InstanceId id) {
    const auto* instance = supervisor_->find(id);
    if (instance == nullptr || instance->state() != State::Listening) return;
    if (!instance->spec().accepts()) return supervisor_->demanded(id, "something has come", now_);
    const auto place = supervisor_->place_for_connection(id, now_);
    comes_later(id);
    if (place == 0) return;
    if (lives(place)) broken("a connection is to be served where another one is");
    asked_to_start(place);
    ++connections_;
    to_serve_.insert(place);
    supervisor_->serve(place, "connection", now_);
}

void FakeMachine::comes_later(InstanceId id) {
    future_.emplace(now_ + std::chrono::microseconds(draw(3'000'000)), Due{Step::Come, 0, id});
}

void FakeMachine::count_connections(InstanceId, Incarnation incarnation) {
    if (!runs_.contains(incarnation)) return broken("connections of a run are counted that is over");
    plan(incarnation, Step::CountConnections, 20);
}

void FakeMachine::spawn_beside(InstanceId id, Incarnation incarnation, const SideOrder& order) {
    check_moment(id, order);
    if (!beside_of_.emplace(std::pair{id, order.role}, incarnation).second) {
        broken("an instance has two commands for the same at once");
    }
    Run& run = runs_[incarnation];
    run.id = id;
    run.beside = order.role;
    run.is_of_end = order.role != SideRole::OnFailed && !undoes(order);
    run.ignores_stop = draw(4) == 0;
    run.leaves_others = draw(4) == 0;
    run.status = draw(2) == 0 ? ExitStatus::exited(1) : ExitStatus::exited(0);
    plan(incarnation, draw(9) == 0 ? Step::Refuse : Step::Launch, 5);
}

/// Of what is run before or after a run, and beside one.
void FakeMachine::check_moment(InstanceId id, const SideOrder& order) {
    const bool before = order.role == SideRole::PreStart;
    const bool after = order.role == SideRole::PostStop || order.role == SideRole::OnFailed;
    if (before || after) {
        if (lives(id)) broken("what is run before or after a run is run beside something");
        if (order.main_pid != 0) broken("what is run before or after a run was told of a main process");
        if (after != order.outcome.result.has_value()) broken("a command was not told rightly of an outcome");
        if (before) begins(id, order.spec, order.name);
        if (before) prepared_[id] = order.beside;
        if (order.role == SideRole::PostStop) {
            if (owes_post_stop_.erase(id) == 0 && bonds_hold_) broken("post_stop was run for nothing");
            --ends_of_[id];
        }
        return;
    }
    if (undoes(order)) return check_undo(id, order);
    const auto main = live_of_.find(id);
    if (main == live_of_.end() || main->second != order.beside) return broken("a command runs beside nothing");
    const bool looks = order.role == SideRole::HealthProbe || order.role == SideRole::HealthCheck;
    if (looks && !supervisor_->find(id)->is_up()) broken("the health of what is not ready is looked at");
    const Run& job = runs_.at(main->second);
    if (job.paused) broken("a command runs beside a job that stands still");
    if ((order.main_pid == 0) != job.main_gone) broken("a command was not told rightly of the main process");
}

/// A oneshot that has ended well is taken down, after what was started after it.
void FakeMachine::check_undo(InstanceId id, const SideOrder& order) {
    if (lives(id)) broken("what a oneshot has done is undone while it lives");
    if (states_[id] != State::Stopping) broken("what a oneshot has done is undone while it is up");
    if (order.main_pid != 0) broken("what undoes a run was told of a main process");
    check_stop_order(id);
}

/// A run, with its pre_start if it has one.
void FakeMachine::begins(InstanceId id, const JobSpec& spec, const InstanceName& name) {
    if (owes_post_stop_.contains(id) && bonds_hold_)
        broken(fmt::format("instance {} was started before post_stop was run", id));
    if (told_to_stop_.contains(id)) broken(fmt::format("instance {} was started against a stop", id));
    check_place(name);
    check_daemons(spec, name);
    check_requirements(spec, name);
    check_group(id, spec, name);
    if (spec.hook(Hook::PostStop) != nullptr) owes_post_stop_.insert(id);
}

/// What is no longer configured has its number, and with it its port, to the end.
void FakeMachine::check_place(const InstanceName& name) {
    for (const auto& other : supervisor_->jobs().find(name.job)->second.leaving_instances) {
        if (other->name().index == name.index && lives(other->id())) {
            broken(name.instance + " was started while " + other->name().instance + " has its number");
        }
    }
}

std::size_t FakeMachine::besides(InstanceId id) const {
    return static_cast<std::size_t>(std::count_if(beside_of_.begin(), beside_of_.end(),
                                                  [&](const auto& entry) { return entry.first.first == id; }));
}

const FakeMachine::Run* FakeMachine::command_of(InstanceId id) const {
    for (const auto role : {SideRole::StopCommand, SideRole::PreStop}) {
        const auto found = beside_of_.find({id, role});
        if (found == beside_of_.end()) continue;
        const Run& run = runs_.at(found->second);
        if (!run.main_gone) return &run;
    }
    return nullptr;
}

/// A stop command has done what it is for.
void FakeMachine::command_works(InstanceId id) {
    const auto main = live_of_.find(id);
    if (main == live_of_.end()) return;
    Run& run = runs_.at(main->second);
    ++run.round;
    run.status = ExitStatus::exited(0);
    plan(main->second, run.main_gone ? Step::TreeEmpty : Step::Exit, 200);
}

void FakeMachine::signal(Incarnation incarnation, int) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end() || found->second.main_gone) broken("a signal for a main process that does not exist");
}

void FakeMachine::tell_to_end(Incarnation incarnation, SignalTo to, int) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end()) return broken("a signal for a tree that is empty");
    Run& run = found->second;
    if (run.main_gone && to == SignalTo::Main) broken("a signal for a main process that does not exist");
    const bool told = run.beside == SideRole::ReadyProbe || run.beside == SideRole::PreStart;
    if (run.beside && !told) broken("a stop signal for a command");
    if (!run.beside && !run.main_gone && command_of(run.id) != nullptr)
        broken("a stop signal while the command still runs");
    if (!run.beside) check_stop_order(run.id);
    if (run.ignores_stop || run.paused) return;
    ++run.round;
    if (run.main_gone) {
        plan(incarnation, Step::TreeEmpty, 200);
    } else if (!run.launched) {
        plan(incarnation, Step::Refuse, 1);
    } else {
        run.status = ExitStatus::killed(SIGTERM);
        plan(incarnation, Step::Exit, 200);
    }
}

void FakeMachine::pause(Incarnation incarnation, bool pause) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end()) return broken("a tree is paused that is empty");
    if (found->second.paused == pause) broken("a tree is paused twice, or goes on twice");
    found->second.paused = pause;
    // Each signal that came meanwhile takes effect.
    if (!pause && !found->second.main_gone && !found->second.ignores_stop) plan(incarnation, Step::Exit, 200);
}

void FakeMachine::count_zombies(Incarnation incarnation) {
    if (!runs_.contains(incarnation)) return broken("zombies are counted of a tree that is empty");
    plan(incarnation, Step::CountZombies, 20);
}

void FakeMachine::measure(Incarnation incarnation) {
    if (!runs_.contains(incarnation)) return broken("what is measured is a tree that is empty");
    plan(incarnation, Step::Measure, 20);
}

void FakeMachine::abandon(Incarnation incarnation) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end() || !found->second.main_gone) return broken("a run is abandoned that has its main process");
    over(incarnation);
}

void FakeMachine::kill_tree(Incarnation incarnation) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end()) return;
    Run& run = found->second;
    ++run.round;
    run.leaves_others = false;
    if (run.main_gone) {
        plan(incarnation, Step::TreeEmpty, 2);
    } else if (!run.launched) {
        plan(incarnation, Step::Refuse, 1);
    } else {
        run.status = ExitStatus::killed(SIGKILL);
        plan(incarnation, Step::Exit, 2);
    }
}

void FakeMachine::arm(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint when) {
    if (!armed_.emplace(std::pair{id, kind}, generation).second) broken("a timer was armed twice");
    if (when < now_) broken("a timer was armed in the past");
    future_.emplace(when, Due{Step::Timer, 0, id, kind, generation, 0});
}

void FakeMachine::disarm(InstanceId id, TimerKind kind) {
    // Disarmed ones still fire now and then, as when both happen in one turn: the engine must drop them.
    if (armed_.erase({id, kind}) == 0) broken("a timer was disarmed that was not armed");
}

void FakeMachine::announce(const Transition& transition) {
    ++transitions_;
    if (transition.sequence != ++sequence_) broken("a transition is missing in the sequence");
    const auto before = states_.contains(transition.id) ? states_[transition.id] : State::Stopped;
    if (transition.from != before) broken("a transition begins in a state that the last one did not end in");
    if (transition.cause.empty()) broken("a transition has no cause");
    states_[transition.id] = transition.to;
    const bool owes = owes_post_stop_.contains(transition.id) && bonds_hold_;
    if (!is_live(transition.to) && owes) broken("post_stop was not run");
    if (transition.to == State::Listening) comes_later(transition.id);
    if (is_settled(transition.to)) open_.erase(transition.id);
    if (is_settled(transition.to)) to_serve_.erase(transition.id);
    check_undone(transition);
    note_member_failure(transition);
    check_health_restart(transition);
    check_one_by_one(transition);
    if (!is_live(transition.to) && lives(transition.id)) {
        broken(fmt::format("instance {} is {} while a process of it lives", transition.id, to_text(transition.to)));
    }
}

/// A oneshot that is up is run again only by a restart, and what it has done is undone before.
void FakeMachine::check_undone(const Transition& transition) {
    const auto& spec = supervisor_->find(transition.id)->spec();
    const bool was_up = transition.from == State::Exited && ready_.contains(transition.id);
    if (!was_up || spec.type != JobType::Oneshot || transition.to == State::Stopping || transition.to == State::Stopped)
        return;
    if (!spec.stop_command.empty()) broken(fmt::format("{} is run again and was not taken down", transition.instance));
    if (!transition.cause.starts_with("restart"))
        broken(fmt::format("{} is up and is run again: {}", transition.instance, transition.cause));
}

/// What replaces instances of a job one by one takes none that is ready down while another is not.
void FakeMachine::check_one_by_one(const Transition& transition) {
    const auto* instance = supervisor_->find(transition.id);
    const bool was_ready = ready_.contains(transition.id);
    instance->ready() ? void(ready_.insert(transition.id)) : void(ready_.erase(transition.id));
    // Others that go down with it have "rolling restart, with job1".
    const bool rolls = transition.cause.substr(0, transition.cause.find(';')) == kRollCause;
    const bool recycles = transition.cause.starts_with("max_lifetime");
    // What listens is ready all along, also in the next step of its stop.
    const bool begins = transition.to == State::Stopping && transition.from != State::Stopping;
    if (!begins || !was_ready || (!rolls && !recycles)) return;
    const auto& job = supervisor_->jobs().find(transition.job)->second;
    if (recycles &&
        !std::all_of(job.links.begin(), job.links.end(), [](const auto& link) { return look_at(link).met; })) {
        broken(fmt::format("{} was taken down ({}) while what it requires is not there", transition.instance,
                           transition.cause));
    }
    for (const auto& other : job.instances) {
        if (other.get() == instance || other->ready() || (recycles && is_settled(other->state()))) continue;
        broken(fmt::format("{} was taken down ({}) while {} is {} and not ready", transition.instance, transition.cause,
                           other->name().instance, to_text(other->state())));
    }
}

void FakeMachine::roll(const RollNews& news) {
    if (news.kind == RollNews::Kind::Done) ++rolls_done_;
    if ((news.kind == RollNews::Kind::Failed) == news.text.empty())
        broken("a rolling restart does not say why it ends");
}

void FakeMachine::may_be_pulled_by_rolls() {
    for (const auto& [name, job] : supervisor_->jobs()) {
        if (!supervisor_->rolls(name) || job.instances.empty()) continue;
        for (const auto id : std::set(told_to_stop_)) {
            if (supervisor_->find(id) != nullptr) may_be_pulled(id, job.instances.front()->id());
        }
    }
}

/// Runs of an interval are never closer together than that, and what is dealt with only grows while no clock is set.
void FakeMachine::scheduled(const ScheduleNews& news) {
    const std::string job(news.job);
    if (news.kind == ScheduleNews::Kind::Dropped) {
        known_runs_.erase(job);
        return;
    }
    auto& known = known_runs_[job];
    const auto& schedule = supervisor_->jobs().at(job).spec->schedule;
    if (known.dealt > news.dealt && !known.disturbed && !reconfigures_)
        broken("a run of " + job + " is dealt with twice");
    if (news.kind != ScheduleNews::Kind::Begun) {
        ++scheduled_runs_;
        const auto boot = now_.time_since_epoch() + clocks_.slept;
        const bool too_soon =
            known.boot != Duration() && boot - known.boot < schedule.interval * 9 / 10 - schedule.jitter;
        if (too_soon && news.kind != ScheduleNews::Kind::LeftOut && !reconfigures_)
            broken("two runs of " + job + " are due too close together");
        if (news.kind != ScheduleNews::Kind::LeftOut) known.boot = boot;
    }
    if (known.dealt != news.dealt) known.disturbed = false;
    known.dealt = news.dealt;
}

void FakeMachine::disturb_clocks() {
    constexpr auto kTenYears = std::chrono::hours(24 * 3652);
    const bool sleeps = draw(1) == 0;
    const auto by = sleeps ? Duration(std::chrono::seconds(draw(40)))
                           : std::chrono::duration_cast<Duration>(draw(1) == 0 ? kTenYears : -kTenYears) *
                                 static_cast<int>(1 + draw(1)) / 2;
    clocks_.wall += by;
    if (sleeps) clocks_.slept += by;
    for (auto& [job, known] : known_runs_) known.disturbed = true;
    supervisor_->clocks_set(clocks_, now_);
}

void FakeMachine::end_daemon(int, std::string_view) { daemon_ended_ = true; }

// ---- what happens

bool FakeMachine::happen() {
    while (!future_.empty()) {
        const auto next = future_.begin();
        const Due due = next->second;
        now_ = std::max(now_, next->first);
        future_.erase(next);
        if (due.step != Step::Timer && due.step != Step::Come) {
            const auto run = runs_.find(due.incarnation);
            if (run == runs_.end() || run->second.round != due.round) continue;
        }
        happen_to(due);
        // What is reported of a run that is over must change nothing.
        if (draw(15) == 0 && last_over_ != 0) supervisor_->exited(last_over_, ExitStatus::exited(1), true, now_);
        return true;
    }
    return false;
}

void FakeMachine::happen_to(const Due& due) {
    if (due.step == Step::Timer) {
        const auto armed = armed_.find({due.id, due.kind});
        const bool current = armed != armed_.end() && armed->second == due.generation;
        if (current) armed_.erase(armed);
        if (current || draw(3) == 0) supervisor_->timer_fired(due.id, due.kind, due.generation, now_);
        return;
    }
    if (due.step == Step::Come) return something_comes(due.id);
    Run& run = runs_.at(due.incarnation);
    switch (due.step) {
        case Step::Refuse:
        case Step::FailBeforeExec: {
            over(due.incarnation);
            const auto stage = due.step == Step::Refuse ? SpawnStage::Clone : SpawnStage::Exec;
            supervisor_->not_started(due.incarnation, stage, due.step == Step::Refuse ? EAGAIN : ENOENT, now_);
            return;
        }
        case Step::Launch:
            run.launched = true;
            plan(due.incarnation, draw(9) == 0 ? Step::FailBeforeExec : Step::Exec, 5);
            supervisor_->spawned(due.incarnation, static_cast<pid_t>(due.incarnation % 30000 + 2), now_);
            return;
        case Step::Exec:
            if (!run.beside) {
                if (draw(2) != 0) plan(due.incarnation, Step::Say, 2'000);
                plan(due.incarnation, Step::Exit, draw(2) == 0 ? 60'000 : 900);
            } else if (run.beside == SideRole::HealthProbe) {
                plan(due.incarnation, Step::Look, 1'000);
                if (draw(9) == 0) plan(due.incarnation, Step::Exit, 5'000);
            } else if (!run.ignores_stop) {
                plan(due.incarnation, Step::Exit, 300);
            }
            supervisor_->execed(due.incarnation, now_);
            return;
        case Step::Say: say_something(due.incarnation); return;
        case Step::Look: look_at_health(due.incarnation); return;
        case Step::Exit: report_exit(due.incarnation, run); return;
        case Step::TreeEmpty:
            over(due.incarnation);
            supervisor_->tree_empty(due.incarnation, now_);
            return;
        case Step::CountZombies: supervisor_->zombies_counted(due.incarnation, draw(4), "4711 (work)", now_); return;
        case Step::Measure: {
            TreeUsage usage;
            if (draw(9) != 0) usage.memory = draw(1 << 20);
            if (draw(9) != 0) usage.cpu = std::chrono::duration_cast<Duration>(now_.time_since_epoch()) * draw(2);
            supervisor_->usage_measured(due.incarnation, usage, now_);
            return;
        }
        case Step::Listen: listens(due.incarnation, run.id); return;
        case Step::CountConnections:
            supervisor_->connections_counted(due.incarnation,
                                             draw(9) == 0 ? std::nullopt : std::optional<std::uint64_t>(draw(1)), now_);
            return;
        case Step::Come:
        case Step::Timer: return;
    }
}

void FakeMachine::say_something(Incarnation incarnation) {
    plan(incarnation, Step::Say, 5'000);
    if (draw(3) == 0) return supervisor_->became_ready(incarnation, now_);
    Notice notice;
    notice.ready = draw(1) == 0;
    notice.reloading = draw(3) == 0;
    notice.stopping = draw(20) == 0;
    notice.alive = draw(1) == 0;
    notice.hangs = draw(40) == 0;
    if (draw(9) == 0) notice.watchdog = draw(3) == 0 ? kForever : std::chrono::milliseconds(1 + draw(4000));
    if (draw(3) == 0) notice.extend_timeout = std::chrono::seconds(draw(20));
    if (draw(3) == 0) notice.status = "at work";
    supervisor_->noticed(incarnation, std::move(notice), now_);
}

void FakeMachine::look_at_health(Incarnation incarnation) {
    plan(incarnation, Step::Look, 3'000);
    const auto verdict = static_cast<HealthVerdict>(draw(2));
    supervisor_->health_reported(incarnation, verdict, verdict == HealthVerdict::Healthy ? "" : ": no", {}, now_);
}

/// One that is unhealthy is restarted when it was ready, and not beyond its budget.
void FakeMachine::check_health_restart(const Transition& transition) {
    if (transition.to != State::Stopping || !transition.cause.starts_with("unhealthy: ")) return;
    if (!is_executing(transition.from)) return;
    ++unhealthy_ends_;
    const auto& health = supervisor_->find(transition.id)->spec().health;
    if (transition.from == State::Paused || !ready_.contains(transition.id))
        broken(fmt::format("{} was restarted for its health while it could not be looked at", transition.instance));
    if (health.action == Health::Action::None) broken("what is unhealthy was restarted against its action");
    for (const auto& other : supervisor_->jobs().find(transition.job)->second.instances) {
        if (other->id() != transition.id && other->is_mended())
            broken(fmt::format("{} was restarted for its health together with {}", transition.instance,
                               other->name().instance));
    }
    auto& times = health_restarts_[transition.id];
    times.push_back(now_);
    while (times.front() <= now_ - health.restart_limit.window) times.pop_front();
    // A limit that was lowered meanwhile holds for those that follow.
    if (!reconfigures_ && health.restart_limit.count != 0 && times.size() > health.restart_limit.count)
        broken(fmt::format("{} was restarted for its health beyond its limit", transition.instance));
}

void FakeMachine::over(Incarnation incarnation) {
    const auto id = runs_.at(incarnation).id;
    if (const auto role = runs_.at(incarnation).beside) {
        beside_of_.erase({id, *role});
    } else {
        live_of_.erase(id);
    }
    if (!lives(id) && runs_.at(incarnation).is_of_end) ++ends_of_[id];
    runs_.erase(incarnation);
    last_over_ = incarnation;
}

void FakeMachine::report_exit(Incarnation incarnation, Run& run) {
    const auto status = run.status;
    const bool tree_empty = !run.leaves_others;
    if (run.beside == SideRole::StopCommand && status.success() && draw(3) != 0) command_works(run.id);
    run.main_gone = true;
    ++run.round;
    if (tree_empty) {
        over(incarnation);
    } else {
        // The others end by themselves only sometimes.
        if (draw(1) == 0) plan(incarnation, Step::TreeEmpty, 5'000);
    }
    supervisor_->exited(incarnation, status, tree_empty, now_);
}

void FakeMachine::check_one(const Instance& instance) {
    if (instance.runs_ended() != ends_of_[instance.id()])
        broken(instance.name().instance + " has not seen every end exactly once");
    if (told_to_stop_.contains(instance.id()) && instance.ready())
        broken(instance.name().instance + " is ready against a stop");
    const bool has_process = lives(instance.id());
    // Only what was started after it is waited for.
    const bool waits = instance.taken_down() && instance.stop_held() && !has_process;
    if (!waits && has_process != is_live(instance.state())) {
        broken(fmt::format("{} is {} and its process {}", instance.name().instance, to_text(instance.state()),
                           has_process ? "lives" : "does not live"));
    }
}

void FakeMachine::check_all() {
    std::array<std::size_t, kStates> counted{};
    std::size_t instances = 0;
    for (const auto& [name, job] : supervisor_->jobs()) {
        check_links(job);
        for (const auto* instance : all_of(job)) {
            ++instances;
            check_one(*instance);
            ++counted[static_cast<std::size_t>(instance->state())];
        }
    }
    if (counted != supervisor_->count_by_state()) broken("the counts by state are wrong");
    if (instances != supervisor_->instance_count()) broken("the table of instances is wrong");
    if (supervisor_->idle() != runs_.empty()) broken("idle() is not the truth");
    const bool is_due = std::any_of(supervisor_->jobs().begin(), supervisor_->jobs().end(), [](const auto& entry) {
        const auto* timetable = entry.second.timetable.get();
        return timetable != nullptr && timetable->due() != kNever;
    });
    if (is_due != armed_.contains({0, TimerKind::Schedule})) broken("the timer of schedules is not set for a run");
    for (const auto& [key, generation] : armed_) {
        if (key.second == TimerKind::Schedule) continue;
        const auto* instance = supervisor_->find(key.first);
        if (instance == nullptr || !timer_belongs(key.second, instance->state())) {
            broken(fmt::format("timer {} is armed in state {}", static_cast<int>(key.second),
                               instance == nullptr ? "none" : to_text(instance->state())));
        }
        const bool limited = beside_of_.contains({key.first, SideRole::PostStart}) ||
                             beside_of_.contains({key.first, SideRole::ReloadCommand});
        if (key.second == TimerKind::StartTimeout && is_executing(instance->state()) && !limited) {
            broken("the time of a command is limited that is over");
        }
    }
}

}  // namespace procsup::sim
