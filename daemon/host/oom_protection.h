#pragma once

#include "common/fd.h"
#include "common/result.h"

namespace procsup {

/// The daemon's own protection from the OOM killer: an oom_score_adj below 0 (proc(5)), which systemd gave it. It is not for what
/// it starts, and is inherited; so the daemon goes without while it starts something. Not each child on its own: what shares
/// memory with the daemon shares its score (a write reaches all of them), and a copy of the memory costs more than the launch.
class OomProtection {
public:
    /// The Error says why children will have it too.
    Result<void> find();
    /// Going back to it takes no privilege (a process may return to the lowest that a privileged one has set).
    void stand_back(bool back);

private:
    void put(int score);

    Fd file_;  ///< open where the daemon is protected
    int score_ = 0;
    bool standing_back_ = false;
};

}  // namespace procsup
