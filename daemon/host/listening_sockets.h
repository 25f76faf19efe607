#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "conf/expand.h"
#include "daemon/disposer/disposer.h"
#include "daemon/engine/ports.h"
#include "daemon/host/provide.h"

namespace procsup {

/// The sockets that jobs listen on, held from the first start of an instance until it has stopped for good: what connects
/// between two runs waits for the next one. Instances of a job that listen on the same address have the same socket. Makes
/// none: a helper does (provide.h), and it is closed by a process that may block, as a job can have made of it what it likes.
class ListeningSockets {
public:
    explicit ListeningSockets(EventLoop& loop) : disposer_(loop) {}

    /// Those that the service manager has given to procsupd for its jobs, by their names.
    void set_inherited(std::map<std::string, std::vector<Fd>> sockets) { inherited_ = std::move(sockets); }
    /// Why a socket of `spec` that is to be there is not.
    std::optional<ProvisionFailure> fault(const JobSpec& spec) const;

    /// What other helpers must not be at work on meanwhile; empty: nothing is to be done for it.
    std::vector<std::string> work_paths(InstanceId id, const JobSpec& spec, const InstanceName& name) const;
    /// Has all that is there already, lets go of what `spec` does not say any more, and returns what a helper is to do; the
    /// sockets that it makes are those of bound().
    SocketWork take(InstanceId id, const JobSpec& spec, const InstanceName& name);
    /// As number `number` of to_bind, which take() has returned last for the instance.
    void bound(InstanceId id, PassedSocket passed);
    /// Closes what the instance alone has; the files are to be removed.
    std::vector<SocketFile> release(InstanceId id);
    bool has(InstanceId id) const { return by_instance_.contains(id); }

    /// All of `spec`, in order, that were taken; the first -1 is one that is not there.
    std::vector<int> of(const JobSpec& spec, const InstanceName& name) const;
    /// The same, as a run is to find them that begins.
    std::vector<int> for_next_run(const JobSpec& spec, const InstanceName& name);

private:
    struct Entry {
        Fd fd;
        std::optional<SocketFile> file;
        std::set<InstanceId> users;
    };
    struct Wanted {
        std::string key;
        ListeningSocket socket;  ///< expanded
        ListenAddress address;
    };
    static std::vector<Wanted> wanted_of(const JobSpec& spec, const InstanceName& name);
    /// It is there, and nobody has ended it.
    bool is_usable(const Wanted& wanted) const;
    void drop(InstanceId id, const std::string& key, std::vector<SocketFile>& files);
    void replace_file_of(const Wanted& wanted, std::vector<SocketFile>& files) const;
    void let_block(const Entry& entry) const;

    Disposer disposer_;
    std::map<std::string, std::vector<Fd>> inherited_;
    std::set<std::string> handed_on_;       ///< of these, to a run
    std::map<std::string, Entry> entries_;  ///< by job, address, and what else makes it another one
    std::map<InstanceId, std::set<std::string>> by_instance_;
    std::map<InstanceId, std::vector<std::string>> to_bind_;  ///< keys, as take() has returned them last
};

}  // namespace procsup
