#include "daemon/logger/memory.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace procsup::logger {

static_assert(std::atomic<Phase>::is_always_lock_free);

bool Batch::is_sound() const {
    const auto where = phase.load(std::memory_order_acquire);
    if (where > Phase::Writing || slot >= kMostStreams || size > kSize) return false;
    return where != Phase::Writing || (progress().consumed <= size && progress().line.is_sound());
}

void StreamRecord::clear() {
    this->~StreamRecord();
    new (this) StreamRecord{};
}

std::uint64_t Memory::written_to(std::uint32_t slot, int pipe, int staging) const {
    constexpr int kTries = 16;
    const auto is_moving = [slot](const Batch& batch) {
        const auto phase = batch.phase.load(std::memory_order_acquire);
        return (phase == Phase::Filling || phase == Phase::Reading) && batch.slot == slot;
    };
    for (int tried = 1;; ++tried) {
        const auto taken = streams[slot].taken.load(std::memory_order_acquire);
        int waiting = 0, staged = 0;
        ioctl(pipe, FIONREAD, &waiting);
        const bool moving = std::any_of(batches.begin(), batches.end(), is_moving);
        if (moving && tried >= kTries) ioctl(staging, FIONREAD, &staged);
        const bool settled = !moving && streams[slot].taken.load(std::memory_order_acquire) == taken;
        if (settled || tried >= kTries) return taken + static_cast<std::uint64_t>(waiting + staged);
    }
}

Result<Fd> Memory::create() {
    // Pages that were never written take no memory.
    Fd file(memfd_create("procsup-logger", MFD_CLOEXEC));
    if (!file || ftruncate(file.get(), sizeof(Memory)) < 0)
        return os_failure("make the memory of procsup-logger", errno);
    return file;
}

Result<Memory*> Memory::map(const Fd& file) {
    void* const place = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (place == MAP_FAILED) return os_failure("map the memory of procsup-logger", errno);
    return static_cast<Memory*>(place);
}

}  // namespace procsup::logger
