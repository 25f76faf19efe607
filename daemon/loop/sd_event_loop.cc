#include "daemon/loop/sd_event_loop.h"

#include <systemd/sd-event.h>
#include <time.h>

#include <cerrno>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace procsup {
namespace {

// 0 would mean 250 ms (sd_event_add_time(3)).
constexpr std::uint64_t kAccuracyUSec = 1000;

TimePoint monotonic_now() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return TimePoint(std::chrono::microseconds(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

std::uint64_t to_usec(TimePoint when) {
    const auto count = when.time_since_epoch().count();
    return count > 0 ? static_cast<std::uint64_t>(count) : 1;
}

}  // namespace

/// One sd-event source with its callback. sd-event keeps a raw pointer to it, and its own reference to the
/// sd_event_source while it dispatches, so a callback may destroy the Source it runs in: the callback is held by
/// a shared_ptr for that moment.
class SdEventLoop::Source final : public Watch, public SdEventLoop::Timer {
public:
    Source(SdEventLoop& loop, const char* what) : loop_(loop), what_(what) {}
    ~Source() override {
        if (source_ == nullptr) return;
        sd_event_source_set_enabled(source_, SD_EVENT_OFF);
        sd_event_source_unref(source_);
    }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    void set_events(std::uint32_t events) override {
        if (sd_event_source_get_io_fd(source_) >= 0) sd_event_source_set_io_events(source_, events);
    }
    void set(TimePoint when) override {
        sd_event_source_set_time(source_, to_usec(when));
        sd_event_source_set_enabled(source_, SD_EVENT_ONESHOT);
    }
    void clear() override { sd_event_source_set_enabled(source_, SD_EVENT_OFF); }

    sd_event_source** slot() { return &source_; }
    void ready_with(std::function<void(std::uint32_t)> callback) {
        callback_ = std::make_shared<std::function<void(std::uint32_t)>>(std::move(callback));
    }
    void configure(Priority priority, int enabled) {
        sd_event_source_set_priority(source_, static_cast<int>(priority));
        sd_event_source_set_enabled(source_, enabled);
        sd_event_source_set_description(source_, what_);
    }

    // A negative return would silently disable the source, so every handler returns 0.
    static int on_io(sd_event_source*, int, std::uint32_t revents, void* self) {
        return static_cast<Source*>(self)->call(revents);
    }
    static int on_time(sd_event_source*, std::uint64_t, void* self) { return static_cast<Source*>(self)->call(0); }
    static int on_defer(sd_event_source*, void* self) { return static_cast<Source*>(self)->call(0); }
    static int on_signal(sd_event_source*, const struct signalfd_siginfo*, void* self) {
        return static_cast<Source*>(self)->call(0);
    }

private:
    int call(std::uint32_t revents) {
        const auto callback = callback_;  // outlives this object if the callback destroys it
        auto& loop = loop_;
        loop.dispatched(what_, [&] { (*callback)(revents); });
        return 0;
    }

    SdEventLoop& loop_;
    const char* what_;
    sd_event_source* source_ = nullptr;
    // Shared only for the duration of a call, see above.
    std::shared_ptr<std::function<void(std::uint32_t)>> callback_;
};

Result<std::unique_ptr<SdEventLoop>> SdEventLoop::create() {
    std::unique_ptr<SdEventLoop> loop(new SdEventLoop);
    if (const int error = sd_event_new(&loop->event_); error < 0) return os_failure("create the event loop", -error);
    return loop;
}

SdEventLoop::~SdEventLoop() {
    after_callback_ = nullptr;
    sd_event_unref(event_);
}

void SdEventLoop::dispatched(const char* what, const std::function<void()>& callback) {
    const auto begun = monotonic_now();
    try {
        if (before_callback_) before_callback_(begun);
        callback();
        if (after_callback_) after_callback_();
    } catch (const std::exception& error) {
        if (on_failure_) on_failure_(std::string(what) + ": " + error.what());
        sd_event_exit(event_, EXIT_FAILURE);
    }
    longest_ = std::max(longest_, monotonic_now() - begun);
}

std::unique_ptr<Watch> SdEventLoop::watch_fd(int fd, std::uint32_t events, Priority priority,
                                             std::function<void(std::uint32_t)> ready) {
    auto source = std::make_unique<Source>(*this, "fd");
    if (sd_event_add_io(event_, source->slot(), fd, events, &Source::on_io, source.get()) < 0) return nullptr;
    source->ready_with(std::move(ready));
    source->configure(priority, SD_EVENT_ON);
    return source;
}

std::unique_ptr<Watch> SdEventLoop::call_at(TimePoint when, std::function<void()> due) {
    auto source = std::make_unique<Source>(*this, "timer");
    if (sd_event_add_time(event_, source->slot(), CLOCK_MONOTONIC, to_usec(when), kAccuracyUSec, &Source::on_time,
                          source.get()) < 0) {
        return nullptr;
    }
    source->ready_with([due = std::move(due)](std::uint32_t) { due(); });
    source->configure(Priority::Timer, SD_EVENT_ONESHOT);
    return source;
}

std::unique_ptr<SdEventLoop::Timer> SdEventLoop::make_timer(std::function<void()> due) {
    auto source = std::make_unique<Source>(*this, "timers");
    if (sd_event_add_time(event_, source->slot(), CLOCK_MONOTONIC, 1, kAccuracyUSec, &Source::on_time, source.get()) <
        0) {
        return nullptr;
    }
    source->ready_with([due = std::move(due)](std::uint32_t) { due(); });
    source->configure(Priority::Timer, SD_EVENT_OFF);
    return source;
}

std::unique_ptr<Watch> SdEventLoop::call_each_turn(Priority priority, std::function<void()> step) {
    auto source = std::make_unique<Source>(*this, "step");
    if (sd_event_add_defer(event_, source->slot(), &Source::on_defer, source.get()) < 0) return nullptr;
    source->ready_with([step = std::move(step)](std::uint32_t) { step(); });
    source->configure(priority, SD_EVENT_ON);
    return source;
}

std::unique_ptr<Watch> SdEventLoop::watch_signal(int signal, Priority priority, std::function<void()> arrived) {
    auto source = std::make_unique<Source>(*this, "signal");
    if (sd_event_add_signal(event_, source->slot(), signal, &Source::on_signal, source.get()) < 0) return nullptr;
    source->ready_with([arrived = std::move(arrived)](std::uint32_t) { arrived(); });
    source->configure(priority, SD_EVENT_ON);
    return source;
}

TimePoint SdEventLoop::now() const {
    // Not sd_event_now(): its time is that of the wake-up, and a delay measured from there would be too short
    // after a long callback.
    return monotonic_now();
}

Result<int> SdEventLoop::run() {
    const int code = sd_event_loop(event_);
    if (code < 0) return os_failure("run the event loop", -code);
    return code;
}

void SdEventLoop::end(int code) { sd_event_exit(event_, code); }

}  // namespace procsup
