#include "daemon/logger/memory.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>

namespace procsup::logger {

static_assert(std::atomic<Phase>::is_always_lock_free);

bool Batch::is_sound() const {
    const auto where = phase.load(std::memory_order_acquire);
    if (where > Phase::Writing || slot >= kMostStreams || size > kSize) return false;
    return where < Phase::Looking || (progress().consumed <= size && progress().line.is_sound());
}

void StreamRecord::clear() {
    line = {};
    taken = 0;
    marks.~RunMarks();
    new (&marks) RunMarks{};
    marks_seen = 0;
    losses = {};
}

std::uint64_t Memory::written_to(std::uint32_t slot, int pipe, int staging) const {
    constexpr int kTries = 16;
    for (int tried = 1;; ++tried) {
        const auto taken = streams[slot].taken.load(std::memory_order_acquire);
        int waiting = 0;
        ioctl(pipe, FIONREAD, &waiting);
        const auto moving = on_its_way(slot, staging);
        const bool settled = moving == 0 && streams[slot].taken.load(std::memory_order_acquire) == taken;
        // A logger that was killed moves nothing any more: what it had taken is where it was.
        if (settled || tried >= kTries) return taken + static_cast<std::uint64_t>(waiting) + moving;
    }
}

/// Bytes of the stream that have left its pipe and do not count as taken.
std::uint64_t Memory::on_its_way(std::uint32_t slot, int staging) const {
    for (const auto& batch : batches) {
        const auto phase = batch.phase.load(std::memory_order_acquire);
        const bool taken = streams[slot].taken.load(std::memory_order_acquire) > batch.begin;
        if (batch.slot != slot || taken) continue;
        if (phase == Phase::Reading) return batch.size;
        if (phase != Phase::Filling) continue;
        int staged = 0;
        ioctl(staging, FIONREAD, &staged);
        return static_cast<std::uint64_t>(staged);
    }
    return 0;
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
    // A dump would make a page of every hole.
    madvise(place, sizeof(Memory), MADV_DONTDUMP);
    return static_cast<Memory*>(place);
}

}  // namespace procsup::logger
