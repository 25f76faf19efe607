#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/host/listening_sockets.h"
#include "daemon/host/provide.h"
#include "daemon/loop/sd_event_loop.h"

namespace procsup {

class HelperOutput;
class Processes;

/// What jobs find when they start: their directories, their credentials, and the sockets that are listened on for them. Laid out before each run by a helper, and removed
/// by one: credentials when the run is over, runtime directories when its instance has stopped for good and nobody else
/// has them. Only one helper is at work for an instance, and at a directory, what is in it and what it is in, at a time: no removal
/// meets what a later run was given, and nobody finds what is half made. Only some are at work for all of them, but for those that
/// hang: the others wait in turn.
/// Instances that have nothing of it are not known here, and cost nothing.
class Provisions {
public:
    Provisions(SdEventLoop& loop, Processes& processes);
    ~Provisions();

    /// What an earlier daemon has left below `runtime_dir` is removed, before anything else is laid out. `own_dirs` are the
    /// daemon's and become no job's.
    void open(const std::string& runtime_dir, std::vector<std::string> own_dirs);
    /// Which sockets there are; made here.
    ListeningSockets& sockets() { return sockets_; }
    /// Told of what could not be removed.
    void set_on_failure(std::function<void(const std::string&)> told) { on_failure_ = std::move(told); }

    /// Nothing: all is there.
    using Provided = std::function<void(std::optional<ProvisionFailure>)>;
    /// `spec` and `name` must stay as they are until `provided` was called or cancel() returned true.
    void provide(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name,
                 Provided provided);
    /// Ends what is under way for `incarnation`; `provided` is not called. False: nothing is.
    bool cancel(InstanceId id, Incarnation incarnation);
    /// A run of the instance is over; `for_good`: no other will follow by itself.
    void run_over(InstanceId id, bool for_good);
    /// The instance is to have nothing of it any more, and goes on.
    void needs_nothing(InstanceId id);
    bool at_work() const { return !begun_.empty() || !waiting_.empty(); }

private:
    struct Order {
        Incarnation incarnation = 0;
        const JobSpec* spec = nullptr;
        const InstanceName* name = nullptr;
        Provided provided;
    };
    /// Of one instance.
    struct Stand {
        std::string instance;
        bool credentials = false;          ///< may be there
        std::vector<JobDir> runtime_dirs;  ///< may be there; expanded
        std::unique_ptr<HelperOutput> helper;
        TimePoint begun;                 ///< of the helper
        std::vector<std::string> paths;  ///< that it is at work on
        std::optional<Order> current;    ///< what the helper lays out, unless it was cancelled
        std::optional<Order> next;
        bool remove_credentials = false;
        bool remove_dirs = false;
        Fd channel;                            ///< over which the helper passes sockets
        std::vector<SocketFile> socket_files;  ///< to be removed
        /// It is in `waiting_`: for this path, or, when that is empty, for any helper to end.
        std::optional<std::string> waits_for;
    };

    void settle(InstanceId id);
    void settle_waiting();
    void wait(InstanceId id, Stand& stand, const std::string& path);
    void look_again();
    bool is_busy() const;
    bool is_taken(const std::string& path) const;
    std::optional<std::string> taken_of(const std::vector<std::string>& paths) const;
    bool needs_helper(InstanceId id, const Stand& stand) const;
    std::vector<std::string> paths_of_order(InstanceId id, const Stand& stand) const;
    void release_sockets(InstanceId id, Stand& stand);
    void receive_sockets(InstanceId id, Stand& stand);
    void has_all(InstanceId id, Stand& stand);
    void lay_out(InstanceId id, Stand& stand, std::vector<std::string> paths);
    void remove(InstanceId id, Stand& stand, const ToRemove& what);
    std::vector<JobDir> take_dirs(Stand& stand, const JobSpec& spec, const InstanceName& name);
    void forget_dirs(Stand& stand, const std::vector<JobDir>& dirs);
    std::vector<JobDir> release_dirs(Stand& stand);
    void clear();
    void run_helper(Stand& stand, const std::string& request, std::vector<std::string> paths, bool lasting,
                    std::function<void(const Result<std::string>&)> done);
    std::optional<ProvisionFailure> own_dir_fault(const JobSpec& spec, const InstanceName& name) const;
    void tell(const Result<std::string>& answer, const std::string& of) const;

    SdEventLoop& loop_;
    Processes& processes_;
    ListeningSockets sockets_;
    std::string runtime_dir_;
    std::vector<std::string> own_dirs_;
    std::function<void(const std::string&)> on_failure_;
    Stand clearing_;  ///< its helper removes what an earlier daemon has left
    std::map<InstanceId, Stand> stands_;
    std::multiset<std::string> used_;   ///< the runtime directories of all of them
    std::multiset<TimePoint> begun_;    ///< of the helpers at work
    std::multiset<std::string> taken_;  ///< what they are at work on
    std::deque<InstanceId> waiting_;    ///< for one of them to end
    std::unique_ptr<Watch> look_again_;
};

}  // namespace procsup
