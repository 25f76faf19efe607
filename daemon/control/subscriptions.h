#pragma once

#include <list>
#include <string>
#include <vector>

#include "daemon/control/context.h"

namespace procsup {

/// Readers of state changes: each gets the states at one moment, then every change, numbered. Nobody is waited for: a
/// reader that leaves more than a bounded amount unread loses what comes next, and is told how many it has lost.
class Subscriptions {
public:
    explicit Subscriptions(ControlContext& context) : context_(context) {}

    void add(varlink::PendingCall call, std::vector<InstanceId> only);
    void on_transition(const Transition& transition);
    /// Sends what has come in this turn.
    void settle();

private:
    struct Reader {
        varlink::PendingCall call;
        std::vector<InstanceId> only;  ///< sorted; empty: all, also those that do not exist yet
        std::size_t most_unsent = 0;
        std::int64_t lost = 0;
    };
    struct Change {
        InstanceId id;
        std::string json;
    };
    void tell_loss(Reader& reader) const;
    void send(Reader& reader, const Change& change) const;

    ControlContext& context_;
    std::list<Reader> readers_;
    std::vector<Change> changes_;
    bool some_left_ = false;
    bool someone_lost_ = false;
};

}  // namespace procsup
