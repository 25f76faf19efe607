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
        int fd = -1;       ///< as given; looked at by a descriptor of its own, as epoll(7) takes each once
        std::string what;  ///< for people: "http at 127.0.0.1:8080"
    };
    using Came = std::function<void(InstanceId id, const Listening& socket)>;

    DemandWatch(EventLoop& loop, Came came) : loop_(loop), came_(std::move(came)) {}

    /// `came` is called as long as there is something at one of `sockets`, until end() or rest().
    void begin(InstanceId id, std::vector<Listening> sockets);
    void end(InstanceId id);
    /// Looks away, until go_on().
    void rest(InstanceId id);
    void go_on(InstanceId id);
    void all_go_on();

private:
    struct Watched {
        std::vector<Listening> sockets;
        std::vector<Fd> own;                          ///< the same ones
        std::vector<std::unique_ptr<Watch>> watches;  ///< none: it rests
    };

    EventLoop& loop_;
    Came came_;
    std::map<InstanceId, Watched> watched_;
    std::set<InstanceId> resting_;
};

}  // namespace procsup
