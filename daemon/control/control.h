#pragma once

#include <memory>

#include "common/event_loop.h"
#include "common/fd.h"
#include "daemon/control/host_port.h"

namespace procsup {

/// The control interfaces io.procsupd.Manager and io.procsupd.Job on one socket: calls in, requests to the engine out,
/// answers when the engine's transitions allow them. Holds no state of jobs itself.
class Control {
public:
    Control(EventLoop& loop, Supervisor& supervisor, HostPort& host, const DaemonSpec& spec);
    ~Control();

    /// Serves a listening, non-blocking socket.
    void listen(Fd socket);
    /// Takes note of a transition; acts on it in settle(), because the engine is still at work.
    void on_transition(const Transition& transition);
    /// Takes note that an instance may say, or wait for, something else, as on_transition().
    void on_words(InstanceId id);
    /// Takes note of what has become of a rolling restart, as on_transition().
    void on_roll(const RollNews& news);
    /// Takes note that the engine was given a configuration: instances without any transition may have left with the
    /// old one.
    void on_configured();
    /// Answers whom the transitions of this turn concern. At the end of each callback of the loop.
    void settle();
    /// Sends what can be sent at once, before the daemon ends.
    void flush();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace procsup
