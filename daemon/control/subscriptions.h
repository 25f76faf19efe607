#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/control/context.h"

namespace procsup {

/// Readers of state changes: each gets the states at one moment, then every change, numbered. Nobody is waited for: a
/// reader that leaves more than a bounded amount unread loses what comes next, and is told how many it has lost. Who asks for it is
/// also told what instances say of themselves and wait for, as that is now and then: what is said in between is not.
class Subscriptions {
public:
    explicit Subscriptions(ControlContext& context) : context_(context) {}

    void add(varlink::PendingCall call, std::vector<InstanceId> only);
    void on_transition(const Transition& transition);
    void on_words(InstanceId id);
    /// Sends what has come in this turn.
    void settle();

private:
    struct Reader {
        varlink::PendingCall call;
        std::vector<InstanceId> only;  ///< sorted; empty: all, also those that do not exist yet
        std::size_t most_unsent = 0;
        std::int64_t lost = 0;
        bool words = false;  ///< it has asked for these too
    };
    /// As readers know them.
    struct Words {
        std::string awaits, status;
    };
    struct Change {
        InstanceId id;
        std::string json;
    };
    void send_changes();
    void send_words();
    void send_words(InstanceId id);
    void tell_loss(Reader& reader) const;
    void send(Reader& reader, const Change& change) const;

    ControlContext& context_;
    std::list<Reader> readers_;
    std::vector<Change> changes_;
    std::set<InstanceId> has_words_;     ///< not told yet
    std::map<InstanceId, Words> words_;  ///< that were told
    std::unique_ptr<Watch> words_rest_;  ///< until then nothing is told of them
    bool some_left_ = false;
    bool someone_lost_ = false;
};

}  // namespace procsup
