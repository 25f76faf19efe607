#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fd.h"
#include "common/varlink/inbox.h"
#include "common/varlink/server.h"
#include "common/varlink/test_loop.h"

namespace procsup::varlink {

/// A uid that is neither root's nor the tests'.
inline constexpr uid_t kStranger = 65534;
bool is_root();

/// A listening socket with a name that the kernel has chosen in the abstract namespace: nobody else has it, and nothing
/// is to be removed afterwards.
class TestAddress {
public:
    TestAddress();
    Fd take_listener() { return std::move(listener_); }
    /// A connected, non-blocking socket.
    Fd connect() const;
    /// As connect(), but the kernel says that the peer is kStranger: only root can do that.
    Fd connect_as_stranger() const;

private:
    Fd listener_;
    std::string name_;
};

/// A server with one interface whose methods do what a test needs, and the loop it runs on.
struct TestServer {
    explicit TestServer(Limits limits = {});

    TestAddress address;
    TestLoop loop;
    std::vector<PendingCall> kept;   ///< calls of Keep, which nobody has answered yet
    std::vector<std::string> marks;  ///< what Mark was called with
    int opened = 0;                  ///< calls of Open
    int gone = 0;                    ///< calls of Keep whose client left
    Server server;

private:
    Interface interface();
};

/// A client that sends bytes as they are, so that a test decides what comes when.
class RawClient {
public:
    explicit RawClient(TestServer& server) : RawClient(server, server.address.connect()) {}
    RawClient(TestServer& server, Fd socket) : server_(server), socket_(std::move(socket)) {}

    /// One message: JSON text, ended by NUL.
    void send(std::string_view text) { send_bytes(std::string(text) + '\0'); }
    /// As much as the socket takes at once; returns the number of bytes.
    std::size_t send_bytes(std::string_view bytes);
    void send_with_fds(std::string_view text, const std::vector<int>& with);
    void shut_down(int how);
    void close() { socket_.reset(); }

    /// Turns the loop until so many messages have come altogether; false when they do not come.
    bool wait_for(std::size_t messages);
    /// Turns the loop until the server has closed this connection.
    bool wait_for_close();
    /// Reads what is there, without turning the loop.
    void read();

    std::vector<std::string> messages;  ///< without their NUL
    std::map<std::size_t, Fd> fds;      ///< that came with messages, by the number of the message

private:
    TestServer& server_;
    Fd socket_;
    Inbox inbox_;
    bool closed_ = false;
};

}  // namespace procsup::varlink
