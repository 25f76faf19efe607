#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/varlink/message.h"

namespace procsup::varlink {

/// Who is at the other end, as the kernel says (SO_PEERCRED, SO_PEERGROUPS); never what the client says.
struct Peer {
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t pid = 0;
    std::vector<gid_t> groups;
};

class Connection;

/// One call that waits for its answer. Copies refer to the same call; it may be kept and answered in a later
/// turn. A call that nobody keeps and nobody has answered is answered with an error, so that no client hangs.
/// When the client goes away first, answers are dropped and `when_gone` is called.
class PendingCall {
public:
    const Call& call() const;
    const json::Value& parameters() const { return call().parameters; }
    const Peer& peer() const;
    /// The descriptors that came with the call (SCM_RIGHTS); they leave with the caller of this function.
    std::vector<Fd> take_fds();
    /// False once the client is known to have gone or the call was answered.
    bool alive() const;

    /// Ends the call. `parameters` is the JSON text of an object, or empty.
    void reply(std::string_view parameters = {});
    /// As reply(); the descriptor goes to the client with it (SCM_RIGHTS).
    void reply(std::string_view parameters, Fd fd);
    /// One of several replies; only for calls with `more` (for others it is a programming error).
    void reply_continues(std::string_view parameters);
    /// Ends the call with an error. `name` in full; `message` and `hint` are for people.
    void fail(std::string_view name, std::string_view message, std::string_view hint = {});
    /// As fail(), with the error's own members (JSON text of an object).
    void fail_with(std::string_view name, std::string_view parameters);
    void fail_invalid_parameter(std::string_view parameter);

    /// Bytes that wait to be sent to this client; a stream that finds more than it likes here drops
    /// and counts instead of sending.
    std::size_t unsent() const;
    /// Called at most once, when the client is gone before the call has ended.
    void when_gone(std::function<void()> gone);

    /// What the service keeps for this client, whatever it is: it is let go of when the client has gone, after when_gone, or
    /// when the server is destroyed. Does nothing for a client that has gone.
    void keep(std::shared_ptr<void> object);
    /// What was kept in this or an earlier call of the client; null: nothing, or the client has gone.
    void* kept() const;

    struct State;  // internal
    explicit PendingCall(std::shared_ptr<State> state);

private:
    // Shared by the copies; the connection only knows of it, and either may end first.
    std::shared_ptr<State> state_;
};

/// A named group of methods with its description in the Varlink interface language. Methods that the table
/// has and the description lacks, or the other way round, are a programming error found by add_interface. An empty
/// handler answers MethodNotImplemented. Parameters are compared with the description before a handler is called, so
/// it finds only members it knows, of the types it expects, and all that are not nullable.
struct Interface {
    std::string name;         ///< "io.procsupd.Manager"
    std::string description;  ///< the text of the .varlink file
    using Handler = std::function<void(PendingCall)>;
    std::unordered_map<std::string, Handler> methods;
};

struct ServerInfo {
    std::string vendor = "procsupd";
    std::string product;
    std::string version;
    std::string url = "https://procsupd.example";
};

struct Limits {
    std::size_t connections = 4096;
    std::size_t connections_per_uid = 1024;  ///< root is not counted against it
    std::size_t message = kMaxMessage;       ///< bytes in or out
    std::size_t unsent_stream = 1u << 20;    ///< what streams should keep within
    std::size_t fds_per_call = 8;
    /// Bytes of calls and answers held for all connections of one uid beyond 64 KiB each; root is not counted.
    std::size_t held_per_uid = 64u << 20;
};

/// What becomes of the descriptors that clients send: closing the last one blocks for as long as its sender likes (socket(7),
/// SO_LINGER), and so does closing a socket in which one lies unread.
struct DescriptorRules {
    /// Asked when a client sends some: why none are taken from it; empty, and without such a function: they are.
    std::function<std::string(const Peer&)> refusal;
    /// Closes them, and such sockets; nullptr: they are closed as any others. Lives longer than the server and all that it gave.
    FdCloser* closer = nullptr;
};

/// Serves Varlink on listening sockets: accepts, reads calls, looks methods up in a static table, answers
/// org.varlink.service itself, and bounds everything a client can make it hold. One call at a time a
/// connection, pipelined calls in order; a half-closed client still gets its answers; a client that
/// hangs up while its call is pending is noticed. Runs out of descriptors: accepting pauses for one second.
class Server {
public:
    Server(EventLoop& loop, ServerInfo info, Limits limits = {}, DescriptorRules rules = {});
    ~Server();

    void add_interface(Interface interface);
    /// Serves connections of this listening, non-blocking socket.
    void listen(Fd socket);
    /// Stops accepting; connections stay until their clients leave or the server is destroyed.
    void stop_listening();
    /// Tries once to send what waits, without blocking; for the last replies before the program ends.
    void flush();

    std::size_t connection_count() const;
    /// Connections refused because of a limit, since the start.
    std::size_t refused_count() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace procsup::varlink
