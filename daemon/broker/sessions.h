#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <set>
#include <unordered_map>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/result.h"
#include "common/varlink/server.h"
#include "daemon/broker/core/coordinator.h"

namespace procsup::broker {

/// For whom clients hold and wait: a connection, whose session ends with it, or a process, whose session ends with that, however it
/// ends. Either is opened with the first call that needs it. A process that is a zombie still when its end is seen, and has ended by
/// itself, is taken to be done with what it had; any other leaves it abandoned.
class Sessions {
public:
    struct Facts {
        pid_t pid = 0;  ///< of the process, or of the client's
        uid_t uid = 0;
        bool process = false;
    };
    Sessions(EventLoop& loop, Coordinator& coordinator) : loop_(loop), coordinator_(coordinator) {}
    ~Sessions();

    /// That of the connection.
    SessionId of_connection(varlink::PendingCall& call);
    /// That of a process, 0: of the one that calls. The Error has ESRCH, EPERM (of another user) or EMFILE (too many).
    Result<SessionId> of_process(varlink::PendingCall& call, pid_t pid);

    /// Of a session that there is.
    const Facts& facts(SessionId session) const { return facts_.at(session); }

private:
    class Client;
    struct Process {
        Fd pidfd;
        std::unique_ptr<Watch> watch;
        SessionId session = 0;
    };

    Client& client(varlink::PendingCall& call);
    Result<Process*> find_or_open(pid_t pid, const varlink::Peer& peer, bool& opened);
    SessionId open(const Facts& facts);
    void end(SessionId session, bool orderly);
    void end_process(pid_t pid);

    EventLoop& loop_;
    Coordinator& coordinator_;
    std::unordered_map<SessionId, Facts> facts_;
    std::unordered_map<pid_t, Process> processes_;
    std::unordered_map<uid_t, std::size_t> processes_of_;
};

}  // namespace procsup::broker
