#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/json.h"
#include "daemon/host/logger_process.h"

namespace procsup {

/// Who has something written by loggers. Both are called on the loop's thread, for every logger there is.
class LoggerUser {
public:
    virtual ~LoggerUser() = default;
    /// A new one knows nothing yet.
    virtual void tell_all(LoggerProcess& logger) = 0;
    /// A packet of one (daemon/logger/protocol.h), which may be for somebody else.
    virtual void heard(const json::Value& packet) = 0;
};

/// A procsup-logger for each file system that something is written on, so that one that hangs holds up no other.
class Loggers {
public:
    /// `told` gets what goes into the daemon's own log.
    Loggers(EventLoop& loop, Processes& processes, std::function<void(const std::string&)> told)
        : loop_(loop), processes_(processes), told_(std::move(told)) {}

    /// Before the first is asked for; tells in the order of these calls.
    void add_user(LoggerUser& user) { users_.push_back(&user); }
    /// Who writes in `dir` (absolute), for good.
    LoggerProcess& for_dir(const std::string& dir);

    /// Has everything written that they were given, and them ended.
    void finish();
    bool finished() const;

private:
    LoggerProcess& make(std::string disk);

    EventLoop& loop_;
    Processes& processes_;
    std::function<void(const std::string&)> told_;
    std::vector<LoggerUser*> users_;
    std::vector<std::unique_ptr<LoggerProcess>> loggers_;
    std::map<std::string, LoggerProcess*> of_dir_, of_device_;
};

}  // namespace procsup
