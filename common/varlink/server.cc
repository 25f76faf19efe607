#include "common/varlink/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>
#include <utility>

#include "common/varlink/connection.h"
#include "common/varlink/pending_call.h"
#include "common/varlink/registry.h"

namespace procsup::varlink {
namespace {

/// Clients taken in one turn of the loop.
constexpr int kAcceptsPerTurn = 16;
constexpr auto kAcceptPause = std::chrono::seconds(1);
/// Connections beyond the limit that only root gets, so that it can still look after a machine full of clients.
constexpr std::size_t kReservedForRoot = 16;

std::vector<gid_t> peer_groups(int socket) {
    std::vector<gid_t> groups(32);
    for (;;) {
        auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        const bool ok = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0;
        // ERANGE says how much room there must be.
        if (!ok && (errno != ERANGE || size <= groups.size() * sizeof(gid_t))) return {};
        groups.resize(size / sizeof(gid_t));
        if (ok) return groups;
    }
}

std::optional<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
    return Peer{credentials.uid, credentials.gid, credentials.pid, peer_groups(socket)};
}

bool out_of_resources(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

/// The listening sockets and the connections. A connection removes itself through its `ended` callback.
class Server::Impl {
public:
    Impl(EventLoop& loop, ServerInfo info, Limits limits, DescriptorRules rules)
        : loop_(loop), registry_(std::move(info)), limits_(limits), rules_(std::move(rules)) {}

    Registry& registry() { return registry_; }

    void listen(Fd socket) {
        auto& listener = listeners_.emplace_back();
        listener.socket = std::move(socket);
        listener.watch = loop_.watch_fd(listener.socket.get(), EPOLLIN, Priority::Client,
                                        [this, number = listener.socket.get()](std::uint32_t) { accept_from(number); });
    }

    ~Impl() { stop_listening(); }

    /// Of those who have not been accepted yet, something may lie unread too.
    void stop_listening() {
        resume_.reset();
        for (auto& listener : listeners_) {
            listener.watch.reset();
            if (rules_.closer != nullptr) rules_.closer->close(listener.socket.release());
        }
        listeners_.clear();
    }

    void flush() {
        for (auto& connection : connections_) connection->flush();
    }

    std::size_t connection_count() const { return connections_.size(); }
    std::size_t refused_count() const { return refused_; }

private:
    struct Listener {
        Fd socket;
        std::unique_ptr<Watch> watch;  // ends before the socket closes
    };

    void accept_from(int listener) {
        for (int accepted = 0; accepted < kAcceptsPerTurn; ++accepted) {
            Fd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (!socket) {
                if (out_of_resources(errno)) pause();
                return;
            }
            // Else what is sent as out-of-band data is skipped by a look, and dropped with its descriptors by what follows.
            constexpr int kYes = 1;
            (void)::setsockopt(socket.get(), SOL_SOCKET, SO_OOBINLINE, &kYes, sizeof(kYes));
            add(std::move(socket));
        }
    }

    /// The waiting client would wake the loop for ever, as accept(2) cannot take it.
    void pause() {
        for (auto& listener : listeners_) listener.watch->set_events(0);
        resume_ = loop_.call_at(loop_.now() + kAcceptPause, [this] {
            for (auto& listener : listeners_) listener.watch->set_events(EPOLLIN);
        });
    }

    void add(Fd socket) {
        auto peer = peer_of(socket.get());
        if (!peer) return close_client(std::move(socket), rules_);
        const auto uid = peer->uid;
        const auto known = usages_.find(uid);
        const auto usage = known != usages_.end() ? known->second : std::make_shared<Usage>();
        if (!has_room(uid, *usage)) return refuse(std::move(socket));
        usages_[uid] = usage;
        const auto place = connections_.emplace(connections_.end());
        auto ended = [this, place, uid] { remove(place, uid); };
        *place = std::make_unique<Connection>(loop_, registry_, limits_, rules_, std::move(socket), std::move(*peer),
                                              usage, std::move(ended));
        if (!(*place)->watched()) remove(place, uid);
    }

    bool has_room(uid_t uid, const Usage& usage) const {
        if (uid == 0) return connections_.size() < limits_.connections + kReservedForRoot;
        return connections_.size() < limits_.connections && usage.connections < limits_.connections_per_uid;
    }

    /// Tells the client why, as far as its socket takes it at once.
    void refuse(Fd socket) {
        ++refused_;
        const auto message = system_error_message(EUSERS, "there are too many connections");
        // Best effort: a client that is refused is owed nothing more.
        (void)::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        close_client(std::move(socket), rules_);
    }

    void remove(std::list<std::unique_ptr<Connection>>::iterator place, uid_t uid) {
        connections_.erase(place);
        const auto usage = usages_.find(uid);
        if (usage != usages_.end() && usage->second->connections == 0) usages_.erase(usage);
    }

    EventLoop& loop_;
    Registry registry_;
    const Limits limits_;
    const DescriptorRules rules_;
    std::unordered_map<uid_t, std::shared_ptr<Usage>> usages_;  // of uids with connections
    std::list<std::unique_ptr<Connection>> connections_;
    std::list<Listener> listeners_;
    std::unique_ptr<Watch> resume_;
    std::size_t refused_ = 0;
};

Server::Server(EventLoop& loop, ServerInfo info, Limits limits, DescriptorRules rules)
    : impl_(std::make_unique<Impl>(loop, std::move(info), limits, std::move(rules))) {}
Server::~Server() = default;

void Server::add_interface(Interface interface) { impl_->registry().add(std::move(interface)); }
void Server::listen(Fd socket) { impl_->listen(std::move(socket)); }
void Server::stop_listening() { impl_->stop_listening(); }
void Server::flush() { impl_->flush(); }
std::size_t Server::connection_count() const { return impl_->connection_count(); }
std::size_t Server::refused_count() const { return impl_->refused_count(); }

}  // namespace procsup::varlink
