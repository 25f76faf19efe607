#pragma once

#include <sys/resource.h>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/fd.h"
#include "daemon/engine/ports.h"
#include "daemon/host/child.h"
#include "daemon/host/containment/containment.h"
#include "daemon/host/credential_files.h"
#include "daemon/host/fork_filter.h"
#include "daemon/host/launch_text.h"
#include "daemon/host/realtime.h"
#include "daemon/host/sandbox_layout.h"
#include "daemon/loop/sd_event_loop.h"

namespace procsup {

/// Descriptors that become 0, 1 and 2 of a process, instead of what its job says.
using StandardFds = std::array<Fd, 3>;

/// What is launched. `spec` and `name` must stay as they are until the launch has been reported on.
struct LaunchOrder {
    Incarnation incarnation = 0;
    Incarnation invocation = 0;  ///< of the run that it belongs to; 0: it is one itself
    const JobSpec* spec = nullptr;
    const InstanceName* name = nullptr;
    std::optional<StandardFds> fds;
    std::optional<int> oom_score;     ///< none: the daemon's
    bool has_daemons_rights = false;  ///< also those that exec hands on: of its helpers
    SandboxOrder sandbox;
    Fd ready_pipe;                ///< what becomes its descriptor of readiness; with sockets, where they come from
    bool has_ready_pipe = false;  ///< behind the sockets
    std::size_t socket_count = 0;
    std::string remote_address, remote_port;  ///< of the client that it serves; empty: there is none of TCP
    std::string notify_socket;                ///< its $NOTIFY_SOCKET; empty: it has none
    std::array<int, 2> pipes{-1, -1};  ///< kept pipes (kept_pipe.h) whose writing ends are 1 and 2 otherwise; -1: none
};

/// What becomes of a launch. Called also from inside launch(), so it only takes note.
class LaunchObserver {
public:
    virtual ~LaunchObserver() = default;
    /// The launch begins: what holds its process. Not before, so that those that wait own nothing of the system.
    virtual Result<Enclosure> enclose(Incarnation incarnation, const InstanceName& name) = 0;
    /// The daemon has a child for it: the process, or its keeper.
    virtual void launched(Incarnation incarnation, pid_t child) = 0;
    /// The process exists; a keeper tells only some time after it was launched.
    virtual void created(Incarnation incarnation, pid_t pid) = 0;
    /// No process was created.
    virtual void launch_refused(Incarnation incarnation, SpawnStage stage, int os_error) = 0;
    /// Its program runs; `unmet` as in ChildPlan.
    virtual void executed(Incarnation incarnation, std::uint32_t unmet) = 0;
    /// The process ends without having run its program.
    virtual void failed_before_exec(Incarnation incarnation, const ChildFailure& failure) = 0;
};

/// Creates processes. A child shares the daemon's memory and descriptor table until it has its own (clone3 with CLONE_VM and
/// CLONE_FILES on a stack of its own, without CLONE_VFORK): nothing is copied, children overlap, and a child that
/// hangs on a dead file system holds up nobody. One whose memory is limited, or that gets a score for the OOM killer, has a copy
/// (ChildPlan::own_memory). Where clone3 is refused it is a plain fork. At most kOverlap launches are under way at once; those that
/// hang soon do not count. Owns the stacks, the status pipes and the reserved low
/// descriptors; signals, exits and the meaning of it all are the caller's.
class Spawner {
public:
    Spawner(SdEventLoop& loop, LaunchObserver& observer);
    ~Spawner();
    Spawner(const Spawner&) = delete;
    Spawner& operator=(const Spawner&) = delete;

    /// What processes get as $PROCSUPD_SOCKET.
    void set_socket_path(std::string path) { socket_path_ = std::move(path); }
    /// Below it is what instances have as $CREDENTIALS_DIRECTORY.
    void set_runtime_dir(const std::string& path) {
        runtime_dir_ = path;
        credentials_ = path + "/" + kCredentials + "/";
    }
    /// Where permitted, the daemon runs before all processes that it starts.
    bool claim_realtime() { return realtime_.claim(); }
    /// Takes the low descriptors that children need; once, while they are free.
    Result<void> reserve_fds();

    void launch(LaunchOrder order);
    /// Takes a launch back that has no process yet; false when it has one (or never was).
    bool cancel(Incarnation incarnation);
    /// A child's process has ended: reports now what its status pipe says.
    void process_ended(Incarnation incarnation);
    /// The process of a launch whose keeper has ended; 0: there is none.
    pid_t process_of(Incarnation incarnation);
    /// Held open by every keeper.
    void set_keeper_lock(const Fd& lock);
    /// Closes what only children need that have a descriptor table of their own by now; for the rest it will wait, some
    /// microseconds and never for a file system, before the loop sleeps. At the end of each callback of the loop.
    void settle();

    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Slot;
    static constexpr std::size_t kOverlap = 16;
    static constexpr std::size_t kMaxSlots = 256;
    static constexpr std::size_t kLowFds = 9;  ///< reserved groups of descriptors
    static constexpr std::size_t kFdsEach = kFdsOfAChild;

    void pump();
    void start(LaunchOrder order);
    Slot* free_slot();
    void prepare(Slot& slot, LaunchOrder& order);
    void prepare_streams(Slot& slot, LaunchOrder& order);
    Result<void> prepare_filter(Slot& slot, const LaunchOrder& order);
    bool open_status_pipe(Slot& slot);
    long create_process(Slot& slot, const Enclosure& enclosure);
    bool prepare_keeper(Slot& slot, const LaunchOrder& order, const Enclosure& enclosure);
    void tell_created(Slot& slot);
    void settle(Slot& slot);
    void settle_all();
    void read_status(Slot& slot, bool ended);
    void release(Slot& slot);

    SdEventLoop& loop_;
    LaunchObserver& observer_;
    std::string runtime_dir_;
    std::string credentials_;  ///< with a slash: the directories of the instances follow
    std::string socket_path_;  ///< of the control socket: every process is told
    Realtime realtime_;
    ForkFilter fork_filter_;
    std::string invocation_prefix_;
    rlimit original_open_files_{};
    Fd null_;
    bool inherits_capabilities_ = false;  ///< ChildRights
    bool drops_privileges_ = false;       ///< what keepers hold must stay where the daemon can signal it
    int keeper_lock_fd_ = -1;             ///< a reserved number; -1: none
    int first_low_fd_ = 0;                ///< of the reserved ones; 0: none are
    std::vector<std::unique_ptr<Slot>> slots_;
    std::array<Slot*, kLowFds> low_fds_{};  ///< who uses each group of reserved descriptors
    std::size_t next_low_ = 0;
    std::size_t in_flight_ = 0;
    bool clone3_works_ = true;
    std::deque<LaunchOrder> waiting_;
    std::unique_ptr<Watch> look_again_;
    std::unique_ptr<Watch> settle_rest_;
};

}  // namespace procsup
