#include "daemon/host/loggers.h"

#include <algorithm>
#include <utility>

#include "daemon/host/mounts.h"

namespace procsup {
namespace {

/// More file systems than these share the last one's.
constexpr std::size_t kMostLoggers = 16;

}  // namespace

LoggerProcess& Loggers::for_dir(const std::string& dir) {
    // Looked up once: what has locked a directory goes on writing in it, whatever is mounted later.
    auto& known = of_dir_[dir];
    if (known != nullptr) return *known;
    auto mount = mount_of(dir);
    auto& of_device = of_device_[mount.device];
    if (of_device == nullptr) {
        of_device = loggers_.size() < kMostLoggers ? &make(std::move(mount.point)) : loggers_.back().get();
    }
    return *(known = of_device);
}

LoggerProcess& Loggers::make(std::string disk) {
    const auto number = loggers_.size();
    LoggerProcess::Hooks hooks;
    hooks.begun = [this, number] {
        for (auto* user : users_) user->tell_all(*loggers_[number]);
    };
    hooks.heard = [this](const json::Value& packet) {
        for (auto* user : users_) user->heard(packet);
    };
    hooks.told = told_;
    loggers_.push_back(std::make_unique<LoggerProcess>(loop_, processes_, std::move(disk), std::move(hooks)));
    return *loggers_.back();
}

void Loggers::finish() {
    for (const auto& logger : loggers_) logger->finish();
}

bool Loggers::finished() const {
    return std::all_of(loggers_.begin(), loggers_.end(), [](const auto& logger) { return logger->finished(); });
}

}  // namespace procsup
