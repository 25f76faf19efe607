#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/varlink/server.h"
#include "daemon/broker/calls.h"
#include "daemon/broker/core/coordinator.h"
#include "daemon/broker/sessions.h"
#include "daemon/disposer/disposer.h"

namespace procsup::broker {

/// Serves the coordinator to clients. Whatever a turn of the loop has settled is told by settle(), at its end.
class Broker {
public:
    /// Tokens begin behind `last_token`.
    Broker(EventLoop& loop, Fd listening, Token last_token, const std::string& version);
    ~Broker();

    void settle();

    // For the interfaces.
    Coordinator& coordinator() { return coordinator_; }
    Sessions& sessions() { return sessions_; }
    TimePoint now() const { return loop_.now(); }
    /// Answers the call when the wait is settled. `name` in full; the subject lasts.
    void answer_later(WaitId wait, varlink::PendingCall call, std::string name, const Subject& subject);

private:
    struct Pending {
        varlink::PendingCall call;
        std::string name;
        const Subject* subject;
    };

    EventLoop& loop_;
    Disposer disposer_;  ///< of what clients send
    Coordinator coordinator_;
    Sessions sessions_;
    std::unordered_map<WaitId, Pending> pending_;
    std::unique_ptr<Watch> timer_;
    TimePoint timer_at_;
    varlink::Server server_;  ///< its clients have sessions: it goes before them
};

}  // namespace procsup::broker
