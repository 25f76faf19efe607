#include "daemon/host/demand_watch.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <utility>

#include "daemon/host/child.h"

namespace procsup {

void DemandWatch::begin(InstanceId id, std::vector<Listening> sockets) {
    end(id);
    auto& watched = watched_[id];
    watched.sockets = std::move(sockets);
    for (auto& socket : watched.sockets) {
        watched.own.emplace_back(fcntl(socket.fd, F_DUPFD_CLOEXEC, kFirstKeptFd));
        socket.fd = watched.own.back().get();
    }
    go_on(id);
}

void DemandWatch::end(InstanceId id) {
    watched_.erase(id);
    resting_.erase(id);
}

void DemandWatch::rest(InstanceId id) {
    const auto found = watched_.find(id);
    if (found == watched_.end()) return;
    found->second.watches.clear();
    resting_.insert(id);
}

void DemandWatch::all_go_on() {
    for (const auto id : std::exchange(resting_, {})) go_on(id);
}

void DemandWatch::go_on(InstanceId id) {
    const auto found = watched_.find(id);
    if (found == watched_.end() || !found->second.watches.empty()) return;
    for (const auto& socket : found->second.sockets) {
        // A copy: what it tells may end the watch.
        found->second.watches.push_back(loop_.watch_fd(socket.fd, EPOLLIN, Priority::Client,
                                                       [this, id, socket](std::uint32_t) { came_(id, socket); }));
    }
}

}  // namespace procsup
