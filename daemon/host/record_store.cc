#include "daemon/host/record_store.h"

#include <algorithm>
#include <utility>

#include "common/packet_socket.h"
#include "daemon/logger/protocol.h"

namespace procsup {
namespace {

/// A job that ends a thousand times a second costs eight writes: whole batches do not wait.
constexpr auto kBetweenWrites = std::chrono::milliseconds(200);
constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLongestPause = std::chrono::minutes(1);
/// Of names in one packet, which is bounded.
constexpr std::size_t kMostNames = 64 * 1024;

}  // namespace

void RecordStore::add(const std::string& name, std::string record) {
    pending_.add(name, std::move(record));
    added_ = true;
}

void RecordStore::settle() {
    // After the first attempts nothing is due until there is more to write: a disk that is only read costs nothing.
    if (!problem_.empty() && added_ && loop_.now() >= again_at_) try_again();
    if (pending_.sendable().empty() || (later_ && !pending_.is_pressing())) return;
    send_all();
    later_ = loop_.call_at(loop_.now() + kBetweenWrites, [this] { later_.reset(); });
}

void RecordStore::finish() {
    later_.reset();
    if (!std::exchange(finishing_, true)) try_again();
    if (!pending_.sendable().empty()) send_all();
}

void RecordStore::try_again() {
    added_ = false;
    again_.reset();
    pending_.release();
}

void RecordStore::send_all() {
    auto& logger = loggers_.for_dir(dir_);
    if (auto ready = logger.prepare(); !ready || logger.overdue()) {
        failing_.insert(pending_.sendable().begin(), pending_.sendable().end());
        pending_.hold_all();
        return failed(ready ? "procsup-logger does not answer: it may wait for a disk" : ready.error().message);
    }
    tell_names(logger);
    const auto names = pending_.sendable();
    for (const auto& name : names) {
        const auto id = ++newest_;
        auto lines = pending_.send(name, id);
        // One that does not run just now is told of it when it does.
        logger.tell(logger::records_packet({id, dir_, name, std::move(lines)}));
    }
}

/// Only when there is something to write, so that nobody needs a logger for it alone.
void RecordStore::tell_names(LoggerProcess& logger) {
    if (std::exchange(names_told_, true)) return;
    logger::UsedRecords used{dir_, {}, true};
    std::size_t bytes = 0;
    for (auto& name : used_()) {
        bytes += name.size();
        used.names.push_back(std::move(name));
        if (bytes < kMostNames) continue;
        logger.tell(logger::used_packet(used));
        used.names.clear();
        bytes = 0;
    }
    used.more = false;
    logger.tell(logger::used_packet(used));
}

void RecordStore::tell_all(LoggerProcess& logger) {
    if (!pending_.under_way() || &logger != &loggers_.for_dir(dir_)) return;
    for (auto& [id, name, lines] : pending_.sent()) {
        logger.tell(logger::records_packet({id, dir_, std::move(name), std::move(lines)}));
    }
}

void RecordStore::heard(const json::Value& packet) {
    const auto* recorded = packet.find("recorded");
    if (recorded == nullptr) return;
    const auto id = recorded->int_or("id", 0);
    std::string problem(recorded->string_or("error", ""));
    const auto name = problem.empty() ? pending_.written(id) : pending_.hold(id);
    if (name.empty()) return;
    if (!problem.empty()) {
        failing_.insert(name);
        return failed(std::move(problem));
    }
    if (failing_.erase(name) == 0 || !failing_.empty()) return;
    told_("the history of runs is kept in " + dir_ + " again");
    problem_.clear();
    pause_ = Duration::zero();
}

void RecordStore::failed(std::string problem) {
    if (problem_.empty()) {
        told_("cannot keep the history of runs: " + problem +
              "; it is tried again, and until then only procsupd's memory has the newest");
    }
    problem_ = std::move(problem);
    if (loop_.now() < again_at_) return;
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    again_at_ = loop_.now() + pause_;
    if (pause_ < kLongestPause) again_ = loop_.call_at(again_at_, [this] { try_again(); });
}

Result<LogReading> RecordStore::open(const std::vector<std::string>& names) {
    // Who has removed the obstacle and looks sees at once that it is gone.
    try_again();
    auto& logger = loggers_.for_dir(dir_);
    if (auto ready = logger.prepare(); !ready) return ready.error();
    auto ends = packet_socket_pair();
    if (!ends) return ends.error();
    const auto told = logger.tell_giving(logger::history_packet({dir_, names}), std::move(ends->second));
    if (!told) return told.error();
    return LogReading{std::move(ends->first), 1, logger.disk()};
}

}  // namespace procsup
