#include "daemon/engine/supervisor.h"

#include <signal.h>

#include <algorithm>
#include <utility>

namespace procsup {
namespace {

/// Shell-style match with * and ?; linear but for the last *, so no pattern can blow it up.
bool matches_glob(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

/// By its name also one is meant that serves nobody at the moment.
void add_place_called(const Job& job, std::string_view name, std::vector<InstanceId>& ids) {
    if (!job.connections) return;
    for (const auto& place : job.connections->places) {
        if (name == place->name().instance) ids.push_back(place->id());
    }
}

}  // namespace

Supervisor::Supervisor(ProcessBackend& backend, Timers& timers, Announcer& announcer, std::uint32_t seed)
    : backend_(backend), timers_(timers), announcer_(announcer), random_(seed) {}

// ---- requests

void Supervisor::reset(InstanceId id, std::string cause, TimePoint now) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) {
        deliver(*found->second.instance, ResetRequested{std::move(cause)}, now);
    }
}

bool Supervisor::pause(InstanceId id, std::string cause, TimePoint now) {
    const auto* instance = find(id);
    if (instance == nullptr || instance->state() != State::Running) return false;
    deliver(*by_id_.at(id).instance, PauseRequested{std::move(cause)}, now);
    return true;
}

bool Supervisor::resume(InstanceId id, std::string cause, TimePoint now) {
    const auto* instance = find(id);
    if (instance == nullptr || instance->state() != State::Paused) return false;
    deliver(*by_id_.at(id).instance, ResumeRequested{std::move(cause)}, now);
    return true;
}

bool Supervisor::signal(InstanceId id, int signal) {
    const auto* instance = find(id);
    if (instance == nullptr || instance->pid() == 0) return false;
    backend_.signal(instance->incarnation(), signal);
    return true;
}

const SideRun* Supervisor::signal_command(InstanceId id, int signal) {
    const auto* instance = find(id);
    if (instance == nullptr || instance->pid() != 0) return nullptr;
    for (const auto& side : instance->sides()) {
        if (!side.stands_alone() || side.pid == 0) continue;
        backend_.signal(side.incarnation, signal);
        return &side;
    }
    return nullptr;
}

bool Supervisor::reload(InstanceId id, std::string cause, TimePoint now) {
    const auto* instance = find(id);
    if (instance == nullptr || !is_executing(instance->state())) return false;
    if (instance->spec().reload_command.empty()) return signal(id, instance->spec().reload_signal);
    if (!instance->is_up() || instance->state() == State::Paused || instance->adopted()) return false;
    deliver(*by_id_.at(id).instance, ReloadRequested{std::move(cause)}, now);
    return true;
}

std::uint32_t Supervisor::check_health(InstanceId id, TimePoint now) {
    const auto* instance = find(id);
    if (instance == nullptr || instance->health() == nullptr || instance->state() == State::Paused) return 0;
    deliver(*by_id_.at(id).instance, HealthCheckRequested{}, now);
    return instance->health_checks().begun;
}

void Supervisor::kill_all() {
    hurries_ = true;
    for (const auto& [id, member] : by_id_) {
        const auto& instance = *member.instance;
        if (!is_live(instance.state())) continue;
        backend_.kill_tree(instance.incarnation());
        for (const auto& side : instance.sides()) backend_.kill_tree(side.incarnation);
    }
}

bool Supervisor::kills_remainder(Incarnation incarnation) const {
    const auto found = by_incarnation_.find(incarnation);
    if (found == by_incarnation_.end()) return true;
    const auto* side = found->second->side(incarnation);
    return side != nullptr ? found->second->ends_side(*side) : found->second->remainder() == Orphans::Kill;
}

// ---- facts

bool Supervisor::is_beside(Incarnation incarnation) const {
    const auto found = by_incarnation_.find(incarnation);
    return found != by_incarnation_.end() && found->second->side(incarnation) != nullptr;
}

void Supervisor::spawned(Incarnation incarnation, pid_t pid, TimePoint now) {
    if (is_beside(incarnation)) {
        by_incarnation_.at(incarnation)->side_spawned(incarnation, pid);
    } else {
        deliver(incarnation, Spawned{pid}, now);
    }
}

void Supervisor::not_started(Incarnation incarnation, SpawnStage stage, int os_error, TimePoint now, std::string text) {
    if (is_beside(incarnation)) {
        deliver_beside(incarnation, SideNotStarted{incarnation, stage, os_error, std::move(text)}, true, now);
    } else {
        deliver_last(incarnation, NotStarted{stage, os_error, std::move(text)}, now);
    }
}

void Supervisor::listens(Incarnation incarnation, TimePoint now) { deliver_last(incarnation, Listens{}, now); }

void Supervisor::demanded(InstanceId id, std::string cause, TimePoint now) {
    if (const auto found = by_id_.find(id); found != by_id_.end())
        deliver(*found->second.instance, Demanded{std::move(cause)}, now);
}

void Supervisor::connections_counted(Incarnation incarnation, std::optional<std::uint64_t> count, TimePoint now) {
    deliver(incarnation, ConnectionsCounted{count}, now);
}

void Supervisor::execed(Incarnation incarnation, TimePoint now) {
    if (!is_beside(incarnation)) deliver(incarnation, Execed{}, now);
}

void Supervisor::exited(Incarnation incarnation, ExitStatus status, bool tree_empty, TimePoint now,
                        const Account& account) {
    if (is_beside(incarnation)) {
        deliver_beside(incarnation, SideExited{incarnation, status, tree_empty}, tree_empty, now);
    } else if (tree_empty) {
        deliver_last(incarnation, Exited{status, true, account}, now);
    } else {
        if (const auto found = by_incarnation_.find(incarnation); found != by_incarnation_.end()) {
            touched_.push_back(found->second->id());
        }
        deliver(incarnation, Exited{status, false, account}, now);
    }
}

void Supervisor::tree_empty(Incarnation incarnation, TimePoint now, const Account& account) {
    if (is_beside(incarnation)) {
        deliver_beside(incarnation, SideTreeEmpty{incarnation}, true, now);
    } else {
        deliver_last(incarnation, TreeEmpty{account}, now);
    }
}

void Supervisor::became_ready(Incarnation incarnation, TimePoint now) { deliver(incarnation, BecameReady{}, now); }

void Supervisor::readiness_hindered(Incarnation incarnation, std::string how, TimePoint now, std::string said) {
    deliver(incarnation, ReadinessHindered{std::move(how), std::move(said)}, now);
    announce_words(incarnation);
}

void Supervisor::noticed(Incarnation incarnation, Notice notice, TimePoint now) {
    const bool has_words = notice.status.has_value();
    deliver(incarnation, Noticed{std::move(notice)}, now);
    if (has_words) announce_words(incarnation);
}

void Supervisor::announce_words(Incarnation incarnation) {
    const auto found = by_incarnation_.find(incarnation);
    if (found != by_incarnation_.end()) announcer_.says(found->second->id());
}

void Supervisor::health_reported(Incarnation side, HealthVerdict verdict, std::string words, std::string said,
                                 TimePoint now) {
    deliver(side, HealthReported{side, verdict, std::move(words), std::move(said)}, now);
    announce_words(side);
}

void Supervisor::zombies_counted(Incarnation incarnation, std::uint32_t count, std::string neglected_by,
                                 TimePoint now) {
    deliver(incarnation, ZombiesCounted{count, std::move(neglected_by)}, now);
}

void Supervisor::usage_measured(Incarnation incarnation, const TreeUsage& usage, TimePoint now) {
    deliver(incarnation, UsageMeasured{usage}, now);
    announce_words(incarnation);
}

void Supervisor::timer_fired(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint now) {
    if (kind == TimerKind::Schedule) return schedule_timer_fired(generation, now);
    if (kind == TimerKind::RollStep) return roll_timer_fired(id, generation, now);
    if (const auto found = by_id_.find(id); found != by_id_.end()) {
        deliver(*found->second.instance, TimerFired{kind, generation}, now);
    }
}

// ---- routing

void Supervisor::deliver(Incarnation incarnation, const Event& event, TimePoint now) {
    // The one place where events of an older incarnation are dropped: it is no longer in the table.
    const auto found = by_incarnation_.find(incarnation);
    if (found != by_incarnation_.end()) deliver(*found->second, event, now);
}

void Supervisor::deliver_beside(Incarnation side, const Event& event, bool last, TimePoint now) {
    const auto id = by_incarnation_.at(side)->id();
    last ? deliver_last(side, event, now) : deliver(side, event, now);
    announcer_.says(id);
}

void Supervisor::deliver_last(Incarnation incarnation, const Event& event, TimePoint now) {
    const auto found = by_incarnation_.find(incarnation);
    if (found == by_incarnation_.end()) return;
    Instance& instance = *found->second;
    by_incarnation_.erase(found);
    deliver(instance, event, now);
}

void Supervisor::deliver(Instance& instance, const Event& event, TimePoint now) {
    // A port answers by events in a later turn, never from inside, so one buffer is enough.
    actions_.clear();
    instance.handle(event, now, random_, *this, actions_);
    for (const auto& action : actions_) perform(instance, action, now);
    settle(now);
}

void Supervisor::settle(TimePoint now) {
    if (settling_) return;
    settling_ = true;
    while (!touched_.empty() || !member_failures_.empty()) {
        if (!member_failures_.empty()) {
            const auto failure = std::move(member_failures_.back());
            member_failures_.pop_back();
            member_failed(failure, now);
            continue;
        }
        const auto id = touched_.back();
        touched_.pop_back();
        const auto* instance = find(id);
        if (instance == nullptr) continue;
        settle_bonds(*instance, now);
        settle_places(*instance, now);
        settle_links(*instance, now);
        settle_group(*instance, now);
        settle_roll(*instance, now);
        settle_recycling(*instance, now);
        settle_mending(*instance, now);
        settle_schedule(*instance, now);
    }
    settling_ = false;
}

void Supervisor::perform(Instance& instance, const Action& action, TimePoint now) {
    if (const auto* spawn = std::get_if<SpawnAction>(&action)) {
        if (!spawn->prepared) instance.set_incarnation(next_incarnation_++);
        by_incarnation_.emplace(instance.incarnation(), &instance);
        backend_.spawn(instance.id(), instance.incarnation(), instance.spec(), instance.name());
    } else if (std::holds_alternative<ListenAction>(action)) {
        instance.set_incarnation(next_incarnation_++);
        by_incarnation_.emplace(instance.incarnation(), &instance);
        backend_.listen(instance.id(), instance.incarnation(), instance.spec(), instance.name());
    } else if (std::holds_alternative<CountConnectionsAction>(action)) {
        backend_.count_connections(instance.id(), instance.incarnation());
    } else if (const auto* told = std::get_if<TellToEndAction>(&action)) {
        backend_.tell_to_end(instance.incarnation(), told->to, told->signal);
    } else if (const auto* pause = std::get_if<PauseAction>(&action)) {
        backend_.pause(instance.incarnation(), pause->pause);
    } else if (std::holds_alternative<CountZombiesAction>(action)) {
        backend_.count_zombies(instance.incarnation());
    } else if (std::holds_alternative<MeasureAction>(action)) {
        backend_.measure(instance.incarnation());
    } else if (std::holds_alternative<AbandonAction>(action)) {
        by_incarnation_.erase(instance.incarnation());
        backend_.abandon(instance.incarnation());
    } else if (std::holds_alternative<KillTreeAction>(action)) {
        backend_.kill_tree(instance.incarnation());
    } else if (const auto* beside = std::get_if<SpawnBesideAction>(&action)) {
        spawn_beside(instance, beside->role, now);
    } else if (const auto* tell = std::get_if<TellBesideAction>(&action)) {
        backend_.tell_to_end(tell->side, SignalTo::Main, SIGTERM);
    } else if (const auto* kill = std::get_if<KillBesideAction>(&action)) {
        backend_.kill_tree(kill->side);
    } else if (const auto* arm = std::get_if<ArmAction>(&action)) {
        timers_.arm(instance.id(), arm->kind, arm->generation, arm->when);
    } else if (const auto* disarm = std::get_if<DisarmAction>(&action)) {
        timers_.disarm(instance.id(), disarm->kind);
    } else if (const auto* announce = std::get_if<AnnounceAction>(&action)) {
        note_transition(instance, *announce, now);
    } else if (const auto* end = std::get_if<EndDaemonAction>(&action)) {
        announcer_.end_daemon(end->code, instance.name().instance + ": " + instance.cause());
    }
}

void Supervisor::spawn_beside(Instance& instance, SideRole role, TimePoint now) {
    if (role == SideRole::PreStart) instance.set_incarnation(next_incarnation_++);
    const auto incarnation = next_incarnation_++;
    instance.add_side(role, incarnation, now);
    by_incarnation_.emplace(incarnation, &instance);
    SideOrder order{instance.spec(), instance.name(), role, instance.incarnation(), instance.pid()};
    if (role == SideRole::PreStop) order.outcome.cause = instance.cause_before(Instance::kRunningPreStop);
    if (role == SideRole::PostStop || role == SideRole::OnFailed) order.outcome = instance.outcome();
    backend_.spawn_beside(instance.id(), incarnation, order);
}

void Supervisor::note_transition(Instance& instance, const AnnounceAction& change, TimePoint now) {
    --by_state_[static_cast<std::size_t>(change.from)];
    ++by_state_[static_cast<std::size_t>(change.to)];
    touched_.push_back(instance.id());
    if (auto* job = job_of(instance)) job->standing = standing_of(*job);
    note_member_failure(instance, change.to);
    // Its text may have become that of a daemon since it was counted.
    const bool counts = !is_settled(change.to) && instance.spec().daemon_of.empty();
    if (counts != instance.counted()) unsettled_ += counts ? 1 : std::size_t(-1);
    instance.set_counted(counts);
    live_ += is_live(change.to) ? 1 : 0;
    live_ -= is_live(change.from) ? 1 : 0;
    const auto& name = instance.name();
    const auto* run = change.ends_run ? &*instance.last_run() : nullptr;
    const auto* past = change.ends_start ? instance.past_run() : nullptr;
    announcer_.announce({++sequence_, instance.id(), name.instance, name.job, change.from, change.to, instance.cause(),
                         now, instance.pid(), run, past});
    if (!is_settled(change.to)) return;
    if (const auto* job = job_of(instance)) {
        note_place(*job, instance);
        const bool ends = job->transient || job->leaving || !job->leaving_instances.empty() ||
                          (job->connections && !job->spec->accepts());
        if (ends) ending_jobs_.push_back(name.job);
    }
}

// ---- looking

const Instance* Supervisor::find(InstanceId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second.instance;
}

Job* Supervisor::job_of(const Instance& instance) {
    const auto found = by_id_.find(instance.id());
    return found == by_id_.end() ? nullptr : found->second.job;
}

const Job* Supervisor::job_of(const Instance& instance) const {
    return const_cast<Supervisor*>(this)->job_of(instance);
}

std::vector<InstanceId> Supervisor::select(std::string_view pattern, Surplus surplus) const {
    std::vector<InstanceId> ids;
    if (const auto* group = find_group(pattern)) {
        for (const auto* member : group->members) {
            for (const auto id : select(member->spec->name, surplus)) ids.push_back(id);
        }
        return ids;
    }
    const bool with = surplus == Surplus::With;
    const auto job_name = pattern.substr(0, pattern.find('@'));
    if (pattern.find_first_of("*?") == std::string_view::npos) {
        const auto job = jobs_.find(job_name);
        if (job == jobs_.end()) return ids;
        const bool several = job->second.instances.size() > 1;
        for (const auto& instance : job->second.instances) {
            const auto& name = instance->name();
            // One of several that is called as the job has no name that only it has.
            const bool first = several && name.instance == name.job && pattern.substr(job_name.size()) == "@0";
            if (pattern == job_name || pattern == name.instance || first) ids.push_back(instance->id());
        }
        if (with && pattern == job_name) {
            for (const auto* place : busy_places_of(job->second)) ids.push_back(place->id());
        }
        add_place_called(job->second, pattern, ids);
        for (const auto& instance : job->second.leaving_instances) {
            // One that was the only one is called as the job, which is meant then.
            if (pattern == job_name ? with : pattern == instance->name().instance) ids.push_back(instance->id());
        }
        return ids;
    }
    for (const auto& [name, job] : jobs_) {
        const bool whole = matches_glob(pattern, name);
        for (const auto& instance : job.instances) {
            if (whole || matches_glob(pattern, instance->name().instance)) ids.push_back(instance->id());
        }
        for (const auto* place : busy_places_of(job)) {
            if (whole ? with : matches_glob(pattern, place->name().instance)) ids.push_back(place->id());
        }
        if (!with) continue;
        for (const auto& instance : job.leaving_instances) {
            if (whole || matches_glob(pattern, instance->name().instance)) ids.push_back(instance->id());
        }
    }
    return ids;
}

}  // namespace procsup
