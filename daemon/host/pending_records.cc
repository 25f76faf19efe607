#include "daemon/host/pending_records.h"

#include <algorithm>
#include <utility>

namespace procsup {

std::string PendingRecords::Record::whole() const {
    return lost == 0 ? text : "{\"lost\":" + std::to_string(lost) + "," + text.substr(1);
}

void PendingRecords::add(const std::string& name, std::string record) {
    auto& queue = queues_[name];
    queue.bytes += record.size();
    bytes_ += record.size();
    queue.records.push_back({std::move(record)});
    if (queue.sent == 0 && !held_.contains(name)) make_sendable(name, queue);
    while (queue.bytes > kMostOfName && queue.can_drop()) drop_oldest(queue);
    while (bytes_ > kMost) {
        // One that ends all the time must not cost the others their history.
        const auto most = std::max_element(queues_.begin(), queues_.end(), [](const auto& a, const auto& b) {
            return std::pair(a.second.can_drop(), a.second.bytes) < std::pair(b.second.can_drop(), b.second.bytes);
        });
        if (!most->second.can_drop()) return;
        drop_oldest(most->second);
    }
}

void PendingRecords::make_sendable(const std::string& name, const Queue& queue) {
    sendable_.insert(name);
    pressing_ = pressing_ || queue.bytes >= kBatch;
}

void PendingRecords::drop_oldest(Queue& queue) {
    const auto oldest = queue.records.begin() + static_cast<std::ptrdiff_t>(queue.sent);
    std::next(oldest)->lost += oldest->lost + 1;
    queue.bytes -= oldest->text.size();
    bytes_ -= oldest->text.size();
    queue.records.erase(oldest);
}

std::string PendingRecords::send(const std::string& name, std::int64_t id) {
    auto& queue = queues_.at(name);
    std::size_t bytes = 0;
    while (queue.sent < queue.records.size() && (queue.sent == 0 || bytes < kBatch)) {
        bytes += queue.records[queue.sent++].text.size();
    }
    queue.id = id;
    ids_.emplace(id, name);
    sendable_.erase(name);
    pressing_ = pressing_ && !sendable_.empty();
    return lines_of(queue);
}

std::string PendingRecords::lines_of(const Queue& queue) {
    std::string lines;
    for (std::size_t i = 0; i < queue.sent; ++i) lines += queue.records[i].whole() + "\n";
    return lines;
}

std::string PendingRecords::written(std::int64_t id) {
    auto name = taken(id);
    if (name.empty()) return name;
    auto& queue = queues_.at(name);
    for (; queue.sent > 0; --queue.sent) {
        queue.bytes -= queue.records.front().text.size();
        bytes_ -= queue.records.front().text.size();
        queue.records.pop_front();
    }
    if (queue.records.empty()) {
        queues_.erase(name);
    } else {
        make_sendable(name, queue);
    }
    return name;
}

std::string PendingRecords::hold(std::int64_t id) {
    auto name = taken(id);
    if (name.empty()) return name;
    queues_.at(name).sent = 0;
    held_.insert(name);
    return name;
}

/// Whose batch this was, which is under way no more.
std::string PendingRecords::taken(std::int64_t id) {
    const auto found = ids_.find(id);
    if (found == ids_.end()) return {};
    auto name = std::move(found->second);
    ids_.erase(found);
    return name;
}

void PendingRecords::hold_all() {
    held_.merge(sendable_);
    pressing_ = false;
}

void PendingRecords::release() { sendable_.merge(held_); }

std::vector<PendingRecords::Batch> PendingRecords::sent() const {
    std::vector<Batch> batches;
    for (const auto& [id, name] : ids_) batches.push_back({id, name, lines_of(queues_.at(name))});
    return batches;
}

std::vector<std::string> PendingRecords::of(const std::string& name) const {
    std::vector<std::string> records;
    const auto found = queues_.find(name);
    if (found == queues_.end()) return records;
    for (const auto& record : found->second.records) records.push_back(record.whole());
    return records;
}

}  // namespace procsup
