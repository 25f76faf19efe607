#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "daemon/engine/ports.h"

namespace procsup {

/// The sockets of instances that listen: tells when something has come to one. They may be those of several.
class DemandWatch {
public:
    struct Listening {
        int fd = -1;       ///< in `came`, of the watch itself: epoll(7) takes each once, and several can share a socket
        std::string what;  ///< for people: "http at 127.0.0.1:8080"
    };
    using Came = std::function<void(InstanceId id, const Listening& socket)>;

    DemandWatch(EventLoop& loop, Came came) : loop_(loop), came_(std::move(came)) {}

    /// `came` is called as long as there is something at one of `sockets`, until end() or rest(). False: there are no descriptors for
    /// that, and it rests.
    bool begin(InstanceId id, std::vector<Listening> sockets);
    void end(InstanceId id);
    /// Looks away, until go_on().
    void rest(InstanceId id);
    /// At all that rest; false: at some it could not, and they rest on.
    bool go_on();

private:
    struct Watched {
        std::vector<Listening> sockets;
        std::vector<Fd> own;                          ///< of the same sockets
        std::vector<std::unique_ptr<Watch>> watches;  ///< none: it rests
    };
    bool look(InstanceId id);

    EventLoop& loop_;
    Came came_;
    std::map<InstanceId, Watched> watched_;
    std::set<InstanceId> resting_;
};

}  // namespace procsup
