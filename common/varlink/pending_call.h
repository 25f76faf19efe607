#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/varlink/server.h"

namespace procsup::varlink {

/// What the copies of a PendingCall share. `connection` is null once the call was answered or its client has gone;
/// the connection clears it, so that neither side can reach the other after its end.
struct PendingCall::State {
    State(Connection* from, std::shared_ptr<const Peer> caller, Call received, std::vector<Fd> with)
        : connection(from), peer(std::move(caller)), call(std::move(received)), fds(std::move(with)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    /// Answers with an error when nobody has.
    ~State();

    Connection* connection;
    std::shared_ptr<const Peer> peer;  // shared with the connection, which may end first
    Call call;
    std::vector<Fd> fds;
    std::function<void()> gone;
};

/// The text of an io.systemd.System error: what the operating system or the server itself could not do.
std::string system_error_message(int os_error, std::string_view message);

}  // namespace procsup::varlink
