#include "daemon/host/demand_watch.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <utility>

#include "daemon/host/child.h"

namespace procsup {

bool DemandWatch::begin(InstanceId id, std::vector<Listening> sockets) {
    end(id);
    watched_[id].sockets = std::move(sockets);
    return look(id);
}

void DemandWatch::end(InstanceId id) {
    watched_.erase(id);
    resting_.erase(id);
}

void DemandWatch::rest(InstanceId id) {
    const auto found = watched_.find(id);
    if (found == watched_.end()) return;
    found->second.watches.clear();
    found->second.own.clear();
    resting_.insert(id);
}

bool DemandWatch::go_on() {
    bool all = true;
    for (const auto id : std::exchange(resting_, {})) all = look(id) && all;
    return all;
}

bool DemandWatch::look(InstanceId id) {
    auto& watched = watched_.at(id);
    for (auto socket : watched.sockets) {
        Fd own(fcntl(socket.fd, F_DUPFD_CLOEXEC, kFirstKeptFd));
        socket.fd = own.get();
        // A copy: what it tells may end the watch.
        auto watch = !own ? nullptr
                          : loop_.watch_fd(socket.fd, EPOLLIN, Priority::Client,
                                           [this, id, socket](std::uint32_t) { came_(id, socket); });
        if (!watch) {
            rest(id);
            return false;
        }
        watched.own.push_back(std::move(own));
        watched.watches.push_back(std::move(watch));
    }
    return true;
}

}  // namespace procsup
