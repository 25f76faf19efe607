#include "daemon/host/state_store.h"

#include <algorithm>
#include <utility>

#include "daemon/logger/protocol.h"

namespace procsup {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLongestPause = std::chrono::minutes(1);

}  // namespace

void StateStore::want(const std::string& name, std::optional<std::string> content) {
    if (content && content->size() > kLongest) {
        told_("cannot keep " + dir_ + "/" + name + ": it is too long");
        return;
    }
    auto& wanted = wanted_[name];
    wanted.content = std::move(content);
    wanted.id = ++newest_;
    if (wanted.sent == 0) send(name, wanted);
}

void StateStore::send(const std::string& name, Wanted& wanted) {
    auto& logger = loggers_.for_dir(dir_);
    if (auto ready = logger.prepare(); !ready) return failed(name, wanted, ready.error().message);
    if (logger.overdue()) return failed(name, wanted, "procsup-logger does not answer: it may wait for a disk");
    wanted.sent = wanted.id;
    // One that does not run just now is told of it when it does.
    logger.tell(logger::state_packet({wanted.id, dir_, name, wanted.content}));
}

void StateStore::tell_all(LoggerProcess& logger) {
    if (wanted_.empty() || &logger != &loggers_.for_dir(dir_)) return;
    for (auto& [name, wanted] : wanted_) {
        wanted.sent = wanted.id;
        logger.tell(logger::state_packet({wanted.id, dir_, name, wanted.content}));
    }
}

void StateStore::heard(const json::Value& packet) {
    const auto* stored = packet.find("stored");
    if (stored == nullptr) return;
    const auto id = stored->int_or("id", 0);
    const auto found =
        std::find_if(wanted_.begin(), wanted_.end(), [&](const auto& entry) { return entry.second.sent == id; });
    if (id == 0 || found == wanted_.end()) return;
    auto& [name, wanted] = *found;
    wanted.sent = 0;
    std::string problem(stored->string_or("error", ""));
    if (!problem.empty()) return failed(name, wanted, std::move(problem));
    if (!wanted.problem.empty()) told_(dir_ + "/" + name + " is up to date again");
    pause_ = Duration::zero();
    wanted.problem.clear();
    if (wanted.id == id) {
        wanted_.erase(found);
    } else {
        send(name, wanted);
    }
}

void StateStore::failed(const std::string& name, Wanted& wanted, std::string problem) {
    if (wanted.problem != problem) told_("cannot keep " + dir_ + "/" + name + ": " + problem + "; it is tried again");
    wanted.problem = std::move(problem);
    if (again_) return;
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    again_ = loop_.call_at(loop_.now() + pause_, [this] { try_again(); });
}

void StateStore::try_again() {
    again_.reset();
    for (auto& [name, wanted] : wanted_) {
        if (wanted.sent == 0) send(name, wanted);
    }
}

bool StateStore::saving() const {
    return std::any_of(wanted_.begin(), wanted_.end(), [](const auto& entry) { return entry.second.sent != 0; });
}

}  // namespace procsup
