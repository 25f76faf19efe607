#include "daemon/host/timer_queue.h"

#include <utility>

namespace procsup {

TimerQueue::TimerQueue(SdEventLoop& loop, Fire fire)
    : fire_(std::move(fire)), loop_(loop), timer_(loop.make_timer([this] { fire_due(); })) {}

void TimerQueue::arm(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint when) {
    disarm(id, kind);
    armed_.emplace(Key{id, kind}, Deadline{when, generation});
    by_time_.emplace(when, id, kind);
}

void TimerQueue::disarm(InstanceId id, TimerKind kind) {
    const auto found = armed_.find({id, kind});
    if (found == armed_.end()) return;
    by_time_.erase({found->second.when, id, kind});
    armed_.erase(found);
}

void TimerQueue::fire_due() {
    set_for_.reset();
    const auto now = loop_.now();
    while (!by_time_.empty() && std::get<0>(*by_time_.begin()) <= now) {
        const auto [when, id, kind] = *by_time_.begin();
        const auto generation = armed_.at({id, kind}).generation;
        disarm(id, kind);
        fire_(id, kind, generation);
    }
}

void TimerQueue::settle() {
    if (by_time_.empty()) {
        if (set_for_) timer_->clear();
        set_for_.reset();
        return;
    }
    const auto earliest = std::get<0>(*by_time_.begin());
    // A wake-up that comes too early costs less than a system call for each deadline that was met in time.
    if (set_for_ && *set_for_ <= earliest) return;
    timer_->set(earliest);
    set_for_ = earliest;
}

}  // namespace procsup
