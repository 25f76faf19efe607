#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/host/service_manager.h"
#include "daemon/loop/sd_event_loop.h"

namespace procsup {

/// Keeps the service manager told, for as long as it lives: that the loop turns (watchdog), how the jobs are, and, while
/// they are being stopped, that it takes time. Not more often than it can be read. The parts must outlive it.
class ServiceReport {
public:
    /// `text`: how the jobs are, in one line.
    ServiceReport(SdEventLoop& loop, ServiceManager& service, std::function<std::string()> text);

    /// How the jobs are has changed.
    void changed();
    /// From now on everything is being stopped.
    void stopping(const std::string& why);
    /// What was not taken is sent again; at the end of each turn.
    void settle();

private:
    void feed_watchdog();
    void tell();

    SdEventLoop& loop_;
    ServiceManager& service_;
    std::function<std::string()> text_;
    bool stopping_ = false;
    std::unique_ptr<Watch> status_timer_;
    std::unique_ptr<Watch> watchdog_timer_;
    std::unique_ptr<Watch> retry_timer_;
};

}  // namespace procsup
