// What the reaper and keepers have collected.
#include <unistd.h>

#include <utility>

#include "daemon/host/processes.h"

namespace procsup {

void Processes::about_to_collect(pid_t pid) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) {
        orphan_of_ = run_of_zombie(pid);
        return;
    }
    const auto run = runs_.find(found->second);
    if (run == runs_.end() || !run->second.tree || has_another_main(run->second)) return;
    run->second.tree->child_ended(supervisor_->kills_remainder(found->second));
}

void Processes::collected(pid_t pid, ExitStatus status, Duration cpu) {
    const auto found = by_pid_.find(pid);
    if (found == by_pid_.end()) {
        accounts_.orphans_collected(orphan_of_, {1, cpu});
        look_when_all_is_collected();
        return;
    }
    const auto incarnation = found->second;
    by_pid_.erase(found);
    const auto run = runs_.find(incarnation);
    if (run == runs_.end()) return;  // a keeper that has told of the end of everything
    if (run->second.kept) {
        keeper_lost(incarnation, run->second);
    } else if (run->second.named && run->second.named->takes_over) {
        named_main_takes_over(incarnation, run->second, cpu);
    } else {
        // What was killed with it is collected first.
        const auto& tree = run->second.tree;
        const bool empty = !tree || (!tree->was_killed() && tree->is_empty());
        main_collected(incarnation, pid, status, cpu, empty);
        look_when_all_is_collected();
    }
}

/// The run whose process a zombie was that the daemon has not started itself; 0: not known. A cgroup is asked for once a
/// session: it is a file to be opened, and a storm can be thousands.
Incarnation Processes::run_of_zombie(pid_t pid) {
    const pid_t session = getsid(pid);
    if (const auto own = by_pid_.find(session); own != by_pid_.end()) return accounted(own->second);
    if (const auto ended = accounts_.of_session(session); ended != 0) return ended;
    const auto [known, is_new] = sessions_.try_emplace(session, 0);
    if (is_new && contained_.containment) known->second = accounted(contained_.containment->run_of(pid));
    return known->second;
}

/// The run, if it is one of an instance that has not been told to have ended.
Incarnation Processes::accounted(Incarnation incarnation) const {
    const bool is_job = incarnation < kFirstHelper && (runs_.contains(incarnation) || accounts_.has(incarnation));
    return is_job ? incarnation : 0;
}

void Processes::orphans_collected(Incarnation incarnation, Orphaned orphans) {
    accounts_.orphans_collected(accounted(incarnation), orphans);
}

void Processes::former_mains_collected(Incarnation incarnation, Orphaned mains) {
    if (const auto run = accounted(incarnation); run != 0) accounts_.former_mains_collected(run, mains);
}

void Processes::main_ended(Incarnation incarnation, ExitStatus status, Duration cpu, bool empty) {
    main_collected(incarnation, 0, status, cpu, empty);
}

void Processes::main_collected(Incarnation incarnation, pid_t session, ExitStatus status, Duration cpu, bool empty) {
    if (incarnation < kFirstHelper) accounts_.main_collected(incarnation, session, cpu);
    spawner_.process_ended(incarnation);
    Run& run = runs_.at(incarnation);
    run.main = 0;
    run.named.reset();
    if (run.failure) {
        note(incarnation, *run.failure);
    } else {
        note(incarnation, NoteExited{status, empty});
    }
    note_oom_kills(incarnation, run);
    if (empty || run.failure) {
        runs_.erase(incarnation);
        return;
    }
    run.tree->await_empty();
    leftovers_.insert(incarnation);
}

void Processes::note_oom_kills(Incarnation incarnation, const Run& run) {
    if (!run.tree) return;
    if (const auto kills = run.tree->oom_kills(); kills.count > 0) accounts_.killed_for_memory(incarnation, kills);
}

/// A tree is empty when its last zombie has been collected; in a storm that never ends that is waited for only so long.
void Processes::look_when_all_is_collected() {
    constexpr auto kLongest = std::chrono::seconds(1);
    if (!collecting_since_) {
        collecting_since_ = loop_.now();
    } else if (loop_.now() - *collecting_since_ >= kLongest) {
        end_collecting();
    }
}

void Processes::all_collected() {
    if (contained_.containment) contained_.containment->all_collected();
    end_collecting();
}

void Processes::end_collecting() {
    if (std::exchange(collecting_since_, std::nullopt)) look_at_leftovers();
}

void Processes::look_at_leftovers() {
    if (collecting_since_) return;
    for (auto next = leftovers_.begin(); next != leftovers_.end();) {
        const auto incarnation = *next;
        if (!runs_.at(incarnation).tree->is_empty()) {
            ++next;
            continue;
        }
        note_oom_kills(incarnation, runs_.at(incarnation));
        note(incarnation, NoteTreeEmpty{});
        next = leftovers_.erase(next);
        runs_.erase(incarnation);
    }
    std::erase_if(abandoned_, [](const auto& left) { return left.tree->is_empty(); });
}

}  // namespace procsup
