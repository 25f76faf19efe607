#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/result.h"

namespace procsup {

class Processes;

/// Keeps a procsup-guard running: the process that ends all jobs when the daemon has died. It is started again when it ends;
/// `failed` is told when it cannot be started, which is tried again from time to time.
class Guard {
public:
    /// `group` is the directory of the cgroup to empty, `lock` what the guard holds open.
    Guard(EventLoop& loop, Processes& processes, Fd group, const Fd& lock, std::function<void(std::string)> failed);

    /// The daemon ends in order: when the guard ends now, that is as it should be.
    void retire() { retired_ = true; }

private:
    void start();
    void ended(const std::string& how);

    EventLoop& loop_;
    Processes& processes_;
    Fd group_;
    const Fd& lock_;
    std::function<void(std::string)> failed_;
    std::string program_;
    Fd pipe_;  ///< its end tells the guard
    std::unique_ptr<Watch> again_;
    bool retired_ = false;
};

}  // namespace procsup
