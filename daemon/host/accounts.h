#pragma once

#include <sys/types.h>

#include <unordered_map>

#include "daemon/engine/ports.h"

namespace procsup {

/// What was collected of each run, until that is told to the engine; and of all runs together. Nothing is kept for a run
/// of which nothing was collected yet.
class Accounts {
public:
    /// `session`: the one that the main process, now collected, was the leader of; 0 where orphans come to a keeper.
    void main_collected(Incarnation incarnation, pid_t session, Duration cpu);
    /// `incarnation` 0: whose they were is not known.
    void orphans_collected(Incarnation incarnation, const Orphaned& orphans);

    /// They were its main process before.
    void former_mains_collected(Incarnation incarnation, const Orphaned& mains);

    void killed_for_memory(Incarnation incarnation, const OomKills& kills) {
        entries_[incarnation].account.oom = kills;
    }

    /// The run whose main process led this session and was collected; 0: none.
    Incarnation of_session(pid_t session) const;
    bool has(Incarnation incarnation) const { return entries_.contains(incarnation); }
    Account of(Incarnation incarnation) const;
    /// What is collected from now on is not the run's any more.
    void close(Incarnation incarnation);

    const Orphaned& all() const { return all_; }
    std::uint64_t unattributed() const { return unattributed_; }

private:
    struct Entry {
        Account account;
        pid_t session = 0;
    };
    std::unordered_map<Incarnation, Entry> entries_;
    std::unordered_map<pid_t, Incarnation> by_session_;
    Orphaned all_;
    std::uint64_t unattributed_ = 0;
};

}  // namespace procsup
