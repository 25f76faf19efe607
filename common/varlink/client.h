#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/fd.h"
#include "common/varlink/inbox.h"
#include "common/varlink/message.h"

namespace procsup::varlink {

/// A blocking client for command-line programs: one connection, one call at a time.
class Client {
public:
    /// Connects to a Unix socket; the Error has os_error ENOENT, ECONNREFUSED, EACCES… as connect(2) says.
    static Result<Client> connect(const std::string& path);

    /// Sends a call with optional descriptors and waits for its (first) reply. No time-out of its own:
    /// a server that ends closes the connection, which is an Error (os_error ECONNRESET).
    Result<Reply> call(std::string_view method, std::string_view parameters, std::span<const int> fds = {});

    /// Sends a call with `more`; `on_reply` is called for each reply and says whether to go on. Returns the
    /// last reply seen. Ending a stream before its last reply closes the connection.
    Result<Reply> call_more(std::string_view method, std::string_view parameters,
                            const std::function<bool(const Reply&)>& on_reply, std::span<const int> fds = {});

    /// Sends a call that has no reply.
    Result<void> send_oneway(std::string_view method, std::string_view parameters);

    // The two halves of a call, for a program that also watches other descriptors.
    Result<void> send(std::string_view method, std::string_view parameters, bool more, std::span<const int> fds = {});
    /// Reads what is there without blocking; a message when one is complete.
    Result<std::optional<Reply>> receive();
    int fd() const { return socket_.get(); }
    /// Whether the server has closed the connection without having read the last call whole: nothing was done.
    bool call_unread() const { return call_unread_; }

private:
    explicit Client(Fd socket) : socket_(std::move(socket)) {}

    Result<void> send_message(const std::string& message, std::span<const int> fds);
    Result<Reply> begin(std::string_view method, std::string_view parameters, bool more, std::span<const int> fds);
    Result<Reply> wait();

    Fd socket_;
    Inbox inbox_;
    bool call_unread_ = false;
};

}  // namespace procsup::varlink
