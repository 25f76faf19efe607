#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/event_loop.h"
#include "common/units.h"
#include "daemon/host/loggers.h"

namespace procsup {

/// What has to outlive procsupd: small files below its state directory, each of which is there with its old content or with its
/// new one, also after a power failure. A logger puts them on the disk, so that one that hangs holds up nobody; what cannot be
/// written is tried again until it can.
class StateStore final : public LoggerUser {
public:
    /// `told` gets what goes into the daemon's own log.
    StateStore(EventLoop& loop, Loggers& loggers, std::function<void(const std::string&)> told)
        : loop_(loop), loggers_(loggers), told_(std::move(told)) {}

    void set_dir(std::string dir) { dir_ = std::move(dir); }
    const std::string& dir() const { return dir_; }

    /// `name` is a path below the directory. At most kLongest bytes; the newest content counts.
    void put(const std::string& name, std::string content) { want(name, std::move(content)); }
    void remove(const std::string& name) { want(name, std::nullopt); }
    /// Something is on its way to the disk. What could not be written the last time is not.
    bool saving() const;

    void tell_all(LoggerProcess& logger) override;
    void heard(const json::Value& packet) override;

    static constexpr std::size_t kLongest = 64 * 1024;

private:
    struct Wanted {
        std::optional<std::string> content;  ///< nothing: no such file
        std::int64_t id = 0;                 ///< of this content
        std::int64_t sent = 0;  ///< what is on its way: one at a time, as two could be written in the other order
        std::string problem;
    };

    void want(const std::string& name, std::optional<std::string> content);
    void send(const std::string& name, Wanted& wanted);
    void failed(const std::string& name, Wanted& wanted, std::string problem);
    void try_again();

    EventLoop& loop_;
    Loggers& loggers_;
    std::function<void(const std::string&)> told_;
    std::string dir_;
    std::map<std::string, Wanted> wanted_;  ///< by name, until it is on the disk
    std::int64_t newest_ = 0;
    Duration pause_{0};
    std::unique_ptr<Watch> again_;
};

}  // namespace procsup
