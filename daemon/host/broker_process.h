#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "common/event_loop.h"
#include "common/fd.h"
#include "daemon/engine/ports.h"

namespace procsup {

class Processes;

/// procsup-broker: started when the first client comes to its socket, and again whenever it has ended. The socket stays open here,
/// so clients wait for the next one, and are not refused.
class BrokerProcess {
public:
    /// `dir` (absolute) is for what must last; `told` gets what goes into the daemon's own log.
    BrokerProcess(EventLoop& loop, Processes& processes, std::string dir, std::function<void(const std::string&)> told);
    ~BrokerProcess();

    /// Whether there is such a program.
    static bool is_installed();

    /// Serves the clients of this listening, non-blocking socket.
    void serve(Fd listening);
    /// Has it ended; nobody is served any more.
    void finish();
    bool finished() const { return !running_; }

private:
    void await_client();
    void try_again(std::chrono::milliseconds pause);
    void start();
    void ended(const std::string& how);
    void hear();

    EventLoop& loop_;
    Processes& processes_;
    std::string dir_, program_;
    std::function<void(const std::string&)> told_;
    Fd listening_, connection_;
    std::unique_ptr<Watch> client_watch_, watch_, again_;
    bool running_ = false;
    bool finishing_ = false;
    Incarnation helper_ = 0;
    std::unique_ptr<Watch> patience_;  ///< with one that is to end
    std::string last_end_;             ///< of one that had hardly begun: told once
    TimePoint started_;
    std::chrono::milliseconds pause_{0};
};

}  // namespace procsup
