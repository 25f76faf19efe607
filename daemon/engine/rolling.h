#pragma once

#include <string>
#include <vector>

#include "daemon/engine/instance.h"

namespace procsup {

/// For whom something is done. What others have stopped is not started again for somebody who may not operate it.
struct OnBehalf {
    std::optional<uid_t> owner{};  ///< may operate no jobs but those of this user; absent: all
    bool by_itself = false;        ///< nobody has asked for it

    static OnBehalf nobody() { return {{}, true}; }
    bool may_operate(const JobSpec& spec) const { return !by_itself && (!owner || spec.owner == owner); }
};

/// A rolling restart of a job that is under way: its instances are restarted one after the other, the next when the one
/// before is up again, and none that is ready while another is not. The Supervisor carries it on (rolling.cc).
struct Roll {
    std::string cause;
    OnBehalf whom;
    std::vector<InstanceId> left;  ///< to come, the next one first
    InstanceId current = 0;        ///< is being restarted; 0: none
    std::uint64_t runs_ended = 0;  ///< of that one, when its new run begins
    std::uint32_t timer = 0;       ///< the generation of its RollStep; 0: not armed
};

/// What has become of an instance that a rolling restart has restarted or waits for.
struct RollVerdict {
    enum class Kind { Wait, Up, Failed };
    Kind kind = Kind::Wait;
    TimePoint look_again = kNever;  ///< of Wait: when time alone may have changed it
    std::string why{};              ///< of Failed
};

/// `runs_ended`: of `instance`, when the run began that is waited for; `parent` is what it is a daemon of, or null.
RollVerdict judge_roll(const Instance& instance, std::uint64_t runs_ended, const Instance* parent, TimePoint now);

}  // namespace procsup
