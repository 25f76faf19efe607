#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/control/context.h"

namespace procsup {

/// Method Run: commands run once as transient jobs, each bound to the call that asked for it: the caller is told of
/// start and end, and when it goes away first, the command is stopped (unless detached).
class Runs {
public:
    explicit Runs(ControlContext& context) : context_(context) {}

    void begin(varlink::PendingCall call);
    void changed(InstanceId id);
    void settle();
    /// Why no descriptors are taken from `peer`, who may run nothing that gets them; empty: they are.
    std::string refusal_of_descriptors(const varlink::Peer& peer) const;

private:
    struct Run {
        varlink::PendingCall call;
        InstanceId id = 0;
        bool detached = false;
        bool told_start = false;
        bool done = false;
    };
    bool may_run(const varlink::Peer& peer, const JobSpec* like) const;
    /// What is told to whom may_run() refuses it.
    std::string refusal(const varlink::Peer& peer, const JobSpec* like) const;
    bool is_full() const;
    std::string free_name();
    JobSpec spec_for(varlink::PendingCall& call, const JobSpec* like);
    /// What a daemon's life is bound to.
    struct Bond {
        InstanceId parent = 0;  ///< 0: a process
        pid_t pid = 0;
        std::string text;  ///< for JobSpec::daemon_of
    };
    std::optional<Bond> bond_for(varlink::PendingCall& call) const;
    void look_at(Run& run);
    void tell_end(Run& run, const Instance& instance);

    ControlContext& context_;
    std::unordered_map<InstanceId, Run> runs_;
    std::unordered_map<InstanceId, std::unique_ptr<Watch>> bonds_;  ///< of daemons that are bound to a process
    std::vector<InstanceId> changed_;
    std::uint64_t next_name_ = 1;
};

}  // namespace procsup
