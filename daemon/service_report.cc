#include "daemon/service_report.h"

#include <utility>

namespace procsup {
namespace {

/// The service manager is told of changes in states at most this often.
constexpr auto kPause = std::chrono::milliseconds(200);
/// While a stop goes on, so much more time is asked for at each turn.
constexpr auto kMoreTime = std::chrono::seconds(5);

}  // namespace

ServiceReport::ServiceReport(SdEventLoop& loop, ServiceManager& service, std::function<std::string()> text)
    : loop_(loop), service_(service), text_(std::move(text)) {
    feed_watchdog();
}

/// From the loop itself, at half the interval: what stops the loop stops the answers.
void ServiceReport::feed_watchdog() {
    const auto interval = service_.watchdog_interval();
    if (interval == std::chrono::microseconds::zero()) return;
    service_.alive();
    watchdog_timer_ = loop_.call_at(loop_.now() + interval / 2, [this] { feed_watchdog(); });
}

void ServiceReport::changed() {
    if (!service_.present() || status_timer_) return;
    status_timer_ = loop_.call_at(loop_.now() + kPause, [this] {
        status_timer_.reset();
        tell();
    });
}

void ServiceReport::tell() {
    if (!stopping_) {
        service_.status(text_());
        return;
    }
    service_.stopping(text_());
    service_.extend_timeout(kMoreTime);
    // Until the last has ended, so that the service manager knows that the stop goes on.
    changed();
}

void ServiceReport::stopping(const std::string& why) {
    stopping_ = true;
    service_.stopping(why);
    changed();
}

void ServiceReport::settle() {
    if (retry_timer_ || !service_.retry()) return;
    retry_timer_ = loop_.call_at(loop_.now() + kPause, [this] {
        retry_timer_.reset();
        settle();
    });
}

}  // namespace procsup
