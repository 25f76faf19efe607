// Which batches there are: there is one for each stream that waits, and they are few.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/logger/pump.h"

namespace procsup::logger {

/// A batch is kept for the first stream of each directory: a full disk has room for all of a directory, or for nothing. So it is
/// with the journal and with procsupd's own output.
bool Pump::may_take(Stream& stream) {
    if (!some_wait_) return true;
    std::size_t waiting = 0;
    const std::string* reason = nullptr;
    for (const auto& batch : memory_.batches) {
        const auto phase = batch.phase.load(std::memory_order_relaxed);
        if (phase == Phase::Idle) continue;
        ++waiting;
        if (phase == Phase::Looking) continue;
        const Stream* const other = hooks_.find(batch.slot);
        if (other != nullptr && other->sink.place() == stream.sink.place()) reason = &other->problem;
    }
    if (waiting < memory_.batches.size() / 2 || (reason == nullptr && waiting < memory_.batches.size())) return true;
    // What is only held up is no problem.
    if (reason != nullptr && reason->empty()) return false;
    stream.problem = reason != nullptr ? fmt::format("other output waits for {}: {}", stream.sink.place(), *reason)
                                       : "too many directories cannot be written to";
    return false;
}

Batch* Pump::idle_batch() {
    const auto found = std::find_if(memory_.batches.begin(), memory_.batches.end(), [](const auto& batch) {
        return batch.phase.load(std::memory_order_relaxed) == Phase::Idle;
    });
    return found != memory_.batches.end() ? &*found : nullptr;
}

Batch* Pump::waiting_batch(std::uint32_t slot) {
    const auto found = std::find_if(memory_.batches.begin(), memory_.batches.end(), [&](const auto& batch) {
        return batch.phase.load(std::memory_order_relaxed) != Phase::Idle && batch.slot == slot;
    });
    return found != memory_.batches.end() ? &*found : nullptr;
}

void Pump::look_for_waiting() {
    some_wait_ = std::any_of(memory_.batches.begin(), memory_.batches.end(), [](const auto& batch) {
        return batch.phase.load(std::memory_order_relaxed) != Phase::Idle;
    });
}

bool Pump::has_waiting(const Stream& stream) const {
    return some_wait_ && std::any_of(memory_.batches.begin(), memory_.batches.end(), [&](const auto& batch) {
               return batch.phase.load(std::memory_order_relaxed) != Phase::Idle && batch.slot == stream.settings.slot;
           });
}

}  // namespace procsup::logger
