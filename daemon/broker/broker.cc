#include "daemon/broker/broker.h"

#include <utility>

#include "daemon/broker/interfaces.h"

namespace procsup::broker {
namespace {

/// Each that waits has a connection; root is not counted by user.
constexpr std::size_t kMostConnections = 65'536;

varlink::Limits limits() {
    varlink::Limits limits;
    limits.connections = kMostConnections;
    limits.fds_per_call = 0;
    return limits;
}

varlink::ServerInfo info(const std::string& version) {
    varlink::ServerInfo info;
    info.product = "procsup-broker";
    info.version = version;
    return info;
}

}  // namespace

Broker::Broker(EventLoop& loop, Fd listening, Token last_token, const std::string& version)
    : loop_(loop),
      disposer_(loop),
      sessions_(loop, coordinator_),
      server_(loop, info(version), limits(),
              {[](const varlink::Peer&) { return "no descriptors are taken here"; }, &disposer_}) {
    coordinator_.set_last_token(last_token);
    server_.add_interface(lock_interface(*this));
    server_.add_interface(semaphore_interface(*this));
    server_.add_interface(event_interface(*this));
    server_.add_interface(value_interface(*this));
    server_.listen(std::move(listening));
}

Broker::~Broker() = default;

void Broker::answer_later(WaitId wait, varlink::PendingCall call, std::string name, const Subject& subject) {
    call.when_gone([this, wait] {
        pending_.erase(wait);
        coordinator_.cancel(wait, loop_.now());
    });
    pending_.emplace(wait, Pending{std::move(call), std::move(name), &subject});
}

void Broker::settle() {
    if (const auto due = coordinator_.next_deadline(); due && *due <= loop_.now()) coordinator_.advance(loop_.now());
    for (auto& settled : coordinator_.take_settled()) {
        auto waiting = pending_.extract(settled.wait);
        if (waiting.empty()) continue;
        auto& [call, name, subject] = waiting.mapped();
        answer(*this, *subject, call, name, settled);
    }
    // One that is set for an earlier time than needed costs a turn; setting it anew would cost one each time.
    const auto due = coordinator_.next_deadline();
    if (!due || (timer_ && timer_at_ <= *due)) return;
    timer_at_ = *due;
    timer_ = loop_.call_at(*due, [this] { timer_.reset(); });
}

}  // namespace procsup::broker
