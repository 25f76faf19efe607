#pragma once

#include <deque>

#include "daemon/engine/configuration_change.h"
#include "daemon/engine/ports.h"

namespace procsup {

/// The configuration in force and a few that were before it, for going back. Jobs that did not change are the same objects in
/// all of them. Gone when the daemon ends: the next one begins with the files.
class Configurations {
public:
    struct One {
        Configured jobs;
        TimePoint since;  ///< read from the files
    };
    static constexpr std::size_t kMostKept = 5;

    /// What the files say is in force; `changed`: it is not what was so before.
    void applied(Configured jobs, TimePoint now, bool changed);
    /// What going back would put in force; null: there is nothing.
    const One* before() const { return before_.empty() ? nullptr : &before_.back(); }
    /// That is in force.
    void went_back();

    const One& in_force() const { return in_force_; }
    /// The files were not applied since: they are newer.
    bool rolled_back() const { return rolled_back_; }
    std::size_t kept() const { return before_.size(); }

private:
    One in_force_;
    std::deque<One> before_;  // the newest last
    bool any_ = false;
    bool rolled_back_ = false;
};

}  // namespace procsup
