#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/result.h"
#include "daemon/disposer/disposer.h"
#include "daemon/engine/instance_health.h"
#include "daemon/engine/ports.h"

namespace procsup {

/// Gets what jobs say of themselves; called from the loop, so it only takes note.
class ReadyObserver {
public:
    virtual ~ReadyObserver() = default;
    /// A line has come by the descriptor of the run.
    virtual void said_ready(Incarnation incarnation) = 0;
    /// Why it is not ready yet, to follow what is waited for: ", which …", ": cannot …".
    /// `said` is what the command of a probe has written last, as a job's log is for who may operate the job; empty: nothing.
    virtual void hindered(Incarnation incarnation, std::string how, std::string said) = 0;
    /// What a probe that looks at its health has found: why its last look has failed ("cannot connect to …"), and `said` as of
    /// hindered(); empty where it has not.
    virtual void looked_at_health(Incarnation incarnation, HealthVerdict verdict, std::string how,
                                  std::string said) = 0;
    /// A datagram has come from process `sender` of user `uid`, by what the kernel says (unix(7), SCM_CREDENTIALS).
    virtual void said(Incarnation incarnation, pid_t sender, uid_t uid, const Notice& notice) = 0;
};

/// The two ways in which a run can say that it is ready: a pipe, of which the job has one end, and a datagram socket below the
/// runtime directory. Both are made for each run, so nothing that an earlier one has said is taken for the present one's. What is
/// sent is read a few at a time, with rests that become longer: who floods its socket holds up itself. Descriptors that come along
/// are never taken. And a pipe by which the probe of a run says what is in the way, which the job's user may write to as well.
class ReadyChannels {
public:
    ReadyChannels(EventLoop& loop, ReadyObserver& observer) : loop_(loop), observer_(observer), disposer_(loop) {}

    /// Where sockets are made from now on; what an earlier daemon has left there is removed. Empty: they have no path.
    void set_runtime_dir(const std::string& path);

    /// The job's end of a new pipe.
    Result<Fd> open_pipe(Incarnation incarnation);
    /// The same for the lines of a probe, which are heard until it is closed.
    Result<Fd> open_reports(Incarnation incarnation);
    /// Of a probe that looks at its health.
    Result<Fd> open_health_reports(Incarnation incarnation);
    /// What the job gets as $NOTIFY_SOCKET. Only its user, where it has one of its own, may send there.
    Result<std::string> open_socket(Incarnation incarnation, const JobSpec& spec);
    void close(Incarnation incarnation);

private:
    struct Channel {
        Fd fd;
        std::string path{};  ///< of a socket; empty: it has none
        std::unique_ptr<Watch> watch{};
        std::unique_ptr<Watch> rest{};
        bool is_taken = false;  ///< its next message, by the disposer
        Duration next_rest{};   ///< longer with each, until there was nothing to read
    };
    enum class Next { Datagram, Descriptors, Nothing };
    using Read = void (ReadyChannels::*)(Incarnation incarnation, Channel& channel);
    Result<Fd> open_pipe(Incarnation incarnation, Read read);
    void read_pipe(Incarnation incarnation, Channel& channel);
    void read_reports(Incarnation incarnation, Channel& channel);
    void read_health_reports(Incarnation incarnation, Channel& channel);
    template <typename Take>
    void read_newest_report(Incarnation incarnation, Channel& channel, const Take& take);
    void read_socket(Incarnation incarnation, Channel& channel);
    Next read_datagram(Incarnation incarnation, const Fd& socket);
    void rest(Channel& channel);
    void let_go_of_next(Incarnation incarnation, Channel& channel);
    Result<std::string> bind_socket(const Fd& socket, Incarnation incarnation, const JobSpec& spec) const;

    EventLoop& loop_;
    ReadyObserver& observer_;
    Disposer disposer_;
    std::string dir_;
    std::unordered_map<Incarnation, Channel> channels_;
};

}  // namespace procsup
