#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/varlink/inbox.h"
#include "common/varlink/server.h"

namespace procsup::varlink {

class Registry;

/// What all connections of one uid hold together.
struct Usage {
    std::size_t connections = 0;
    std::size_t bytes = 0;
};

/// Closes the socket of a client, by the rules where something is left in it that nobody has received.
void close_client(Fd socket, const DescriptorRules& rules);

/// One client. Owns its socket, what it has sent and what it is still to be sent; has at most one call pending and
/// begins the next only when that has been answered and the answer has left. Told of events by the loop and of answers
/// by PendingCall; tells `ended` (in which it may be destroyed) only from the loop's callbacks, never from within an
/// answer. Never blocks.
class Connection {
public:
    Connection(EventLoop& loop, const Registry& registry, const Limits& limits, const DescriptorRules& rules, Fd socket,
               Peer peer, std::shared_ptr<Usage> usage, std::function<void()> ended);
    /// The pending call is cut off without `when_gone`.
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// False when the loop could not watch the socket.
    bool watched() const { return watch_ != nullptr; }

    // For PendingCall.
    void send_reply(std::string message);
    /// `fd` goes with the message, if it is one.
    void end_call(std::string message, Fd fd = {});
    bool client_is_there() const { return !broken_ && !output_dead_; }
    std::size_t unsent() const { return output_.size() - sent_; }
    void keep(std::shared_ptr<void> object) { kept_ = std::move(object); }
    void* kept() const { return kept_.get(); }

    /// Sends what can be sent without blocking.
    void flush();

private:
    /// The descriptor of a message that waits in the output; there is at most one at a time.
    struct Attached {
        Fd fd;
        std::size_t begin = 0;  // of the message in the output
        std::size_t end = 0;
    };

    void on_ready(std::uint32_t events);
    void on_turn();
    void read();
    void serve();
    bool can_begin_call() const;
    void begin_call(std::string_view message);
    /// Ends the connection with an error of the service; nothing more is read.
    void refuse(const std::string& error, std::string_view why);
    void append(std::string message, Fd fd = {});
    bool congested() const;
    ssize_t send_some();
    void after_answer();
    bool finished();
    void settle();
    void update_watch();
    void charge();
    void end();

    EventLoop& loop_;
    const Registry& registry_;
    const Limits& limits_;
    const DescriptorRules& rules_;
    Fd socket_;
    std::shared_ptr<const Peer> peer_;  // shared with its calls, which may outlive it
    std::shared_ptr<Usage> usage_;      // shared by all connections of the uid
    std::size_t charged_ = 0;
    std::function<void()> ended_;

    Inbox inbox_;
    std::string output_;
    std::size_t sent_ = 0;
    Attached attached_;
    std::shared_ptr<void> kept_;
    PendingCall::State* pending_ = nullptr;  // owned by those who will answer
    std::size_t pending_cost_ = 0;

    std::uint32_t events_;
    bool reading_ = true;  // is EPOLLIN wanted?
    bool end_of_input_ = false;
    bool output_dead_ = false;  // the client takes no more answers
    bool refused_ = false;      // nothing more is read; ends when the refusal has left
    bool broken_ = false;       // ends in the next turn
    bool serving_ = false;      // in serve(): answers are gathered and sent together

    std::unique_ptr<Watch> watch_;
    std::unique_ptr<Watch> next_turn_;
};

}  // namespace procsup::varlink
