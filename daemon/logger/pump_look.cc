// Lines that procsupd awaits: they are looked for before anything of what was taken is written, or dropped.
#include <algorithm>

#include "daemon/logger/pump.h"

namespace procsup::logger {
namespace {

/// Batches that are looked through for longer than a turn. Streams beyond wait with their pipes full, and leave the others to those
/// of which no line is awaited.
constexpr std::ptrdiff_t kMostLooking = 8;

/// For how many turns what is dropped is looked at: its job may not be kept waiting.
constexpr int kTurnsForDropped = 8;

}  // namespace

bool Pump::awaits(std::uint32_t slot) const { return hooks_.lookout != nullptr && hooks_.lookout->awaits(slot); }

Phase Pump::first_phase(const Batch& batch) const { return awaits(batch.slot) ? Phase::Looking : Phase::Writing; }

bool Pump::may_look(const Stream& stream) const {
    if (!awaits(stream.settings.slot)) return true;
    if (!hooks_.lookout->has_time()) return false;
    if (!some_wait_) return true;
    const auto looking = std::count_if(memory_.batches.begin(), memory_.batches.end(), [](const auto& batch) {
        return batch.phase.load(std::memory_order_relaxed) == Phase::Looking;
    });
    return looking < kMostLooking;
}

/// False: not yet.
bool Pump::is_looked_through(Batch& batch) {
    if (batch.phase.load(std::memory_order_relaxed) != Phase::Looking) return true;
    if (hooks_.lookout != nullptr && !hooks_.lookout->look(batch.slot, batch.begin, {batch.data, batch.size})) {
        some_wait_ = true;
        return false;
    }
    batch.enter(Phase::Writing);
    return true;
}

void Pump::look_at_dropped(const Stream& stream, std::uint64_t begin, std::string_view data) const {
    if (!awaits(stream.settings.slot)) return;
    for (int turn = 0; turn < kTurnsForDropped; ++turn) {
        hooks_.lookout->begin_round();
        if (hooks_.lookout->look(stream.settings.slot, begin, data)) return;
    }
}

}  // namespace procsup::logger
