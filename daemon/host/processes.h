#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/engine/supervisor.h"
#include "daemon/host/accounts.h"
#include "daemon/host/child.h"
#include "daemon/host/connection.h"
#include "daemon/host/containment/containment.h"
#include "daemon/host/demand_watch.h"
#include "daemon/host/job_pipes.h"
#include "daemon/host/provisions.h"
#include "daemon/host/ready_channels.h"
#include "daemon/host/reaper.h"
#include "daemon/host/spawner.h"
#include "daemon/host/unenforced.h"

namespace procsup {

class LogCapture;

/// The engine's ProcessBackend on real processes. Joins what the spawner and the reaper report into the
/// order the engine was promised, and hands it over in deliver(), never from inside a request. Also runs the daemon's own
/// short-lived helpers, so that there is one place where children are known.
class Processes final : public ProcessBackend,
                        public LaunchObserver,
                        public ChildEndObserver,
                        public TreeObserver,
                        private ReadyObserver {
public:
    explicit Processes(SdEventLoop& loop);

    /// What jobs get as $PROCSUPD_SOCKET.
    void set_socket_path(std::string path) { spawner_.set_socket_path(std::move(path)); }

    bool claim_realtime() { return spawner_.claim_realtime(); }

    Result<void> reserve_fds() { return spawner_.reserve_fds(); }
    /// How the processes of jobs are held together, from now on; before the first job is started. The Error says why it
    /// cannot be as `wanted`.
    Result<void> contain(ContainmentMode wanted, const ContainmentPlace& place);
    /// Has the controllers enabled that limits of these jobs need; before they are configured.
    void enable_controllers_for(const Configured& jobs);
    Containment* containment() const { return contained_.containment.get(); }
    /// Held open by every keeper.
    void set_keeper_lock(const Fd& lock) { spawner_.set_keeper_lock(lock); }
    const std::string& containment_reason() const { return contained_.reason; }
    /// Begins to collect children. `supervisor` gets all events from now on.
    Result<void> start(Supervisor& supervisor);

    /// The descriptors with which the next run of job `job` is started; used once.
    void attach_streams(const std::string& job, StandardFds fds);
    void forget_streams(const std::string& job);

    /// Runs a helper of the daemon. `ended` gets its exit status, or the Error that it could not be started. A lasting one ends
    /// by itself when the daemon has gone, and is not killed before.
    using HelperEnded = std::function<void(Result<ExitStatus>)>;
    Incarnation run_helper(JobSpec spec, StandardFds fds, HelperEnded ended) {
        return run_helper(std::move(spec), std::move(fds), std::move(ended), false);
    }
    Incarnation run_lasting_helper(JobSpec spec, StandardFds fds, HelperEnded ended) {
        return run_helper(std::move(spec), std::move(fds), std::move(ended), true);
    }
    /// SIGKILL to the helper with this number, if it is still there; `ended` follows.
    void kill_helper(Incarnation helper);
    /// Where what jobs write is captured; must outlive this object.
    void set_log_capture(LogCapture& capture) { log_capture_ = &capture; }

    /// What is laid out for jobs before they run.
    Provisions& provisions() { return provisions_; }
    void set_runtime_dir(const std::string& path, std::vector<std::string> own_dirs) {
        spawner_.set_runtime_dir(path);
        provisions_.open(path, std::move(own_dirs));
        ready_channels_.set_runtime_dir(path);
    }

    // ProcessBackend
    void spawn(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) override;
    void listen(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) override;
    void count_connections(InstanceId id, Incarnation incarnation) override;
    void spawn_beside(InstanceId id, Incarnation incarnation, const SideOrder& order) override;
    void signal(Incarnation incarnation, int signal) override;
    void tell_to_end(Incarnation incarnation, SignalTo to, int signal) override;
    void kill_tree(Incarnation incarnation) override;
    void pause(Incarnation incarnation, bool pause) override;
    void abandon(Incarnation incarnation) override;
    void forget(InstanceId id) override;
    void forget_job(const std::string& name) override;
    void count_zombies(Incarnation incarnation) override { zombie_counter_(runs_.at(incarnation).id, incarnation); }
    /// Who answers count_zombies(), at once or later, by zombies_counted().
    void zombies_counted(Incarnation incarnation, std::uint32_t count, std::string neglected_by) {
        note(incarnation, NoteZombies{count, std::move(neglected_by)});
    }
    void measure(Incarnation incarnation) override { measurer_(runs_.at(incarnation).id, incarnation); }
    /// Who answers measure(), at once or later, by usage_measured().
    void usage_measured(Incarnation incarnation, const TreeUsage& usage) { note(incarnation, NoteUsage{usage}); }
    void set_measurer(std::function<void(InstanceId, Incarnation)> measurer) { measurer_ = std::move(measurer); }
    void set_zombie_counter(std::function<void(InstanceId, Incarnation)> counter) {
        zombie_counter_ = std::move(counter);
    }

    /// The instance does not listen any more.
    void left_listening(InstanceId id);
    /// What has served a connection, or was to, has settled.
    void connection_over(InstanceId place);

    /// All that the daemon has started itself and not collected.
    std::vector<pid_t> own_children() const;
    /// Those of them that hold or are processes of an instance: of its run, and of what earlier runs left behind.
    std::vector<pid_t> children_for(InstanceId id) const;

    /// The processes that the daemon or a keeper has made for runs of an instance, and for its commands beside them.
    std::vector<pid_t> first_processes_of(InstanceId id) const;

    /// SIGKILL to what no run holds: what was abandoned, and orphans that came to the daemon. Whether there was any, or a
    /// keeper that is about to end; what these leave behind comes to the daemon in its turn.
    bool end_strays();
    /// SIGKILL to the daemon's own helpers; whether there is still one.
    bool end_helpers();

    /// Hands everything that has happened to the engine. At the end of each callback of the loop.
    void deliver();

    /// The incarnation whose main process, session or descendant `pid` is; nothing when it is none.
    struct Owner {
        InstanceId id = 0;
        bool main = false;
    };
    std::optional<Owner> who_is(pid_t pid) const;

    /// What the run uses, as far as that is known at once; with a look at its processes, should they be `few`.
    TreeUsage usage_of(Incarnation incarnation, bool few) const;
    /// As Tree::droppable_memory().
    std::uint64_t droppable_memory_of(Incarnation incarnation) const;
    const Accounts& accounts() const { return accounts_; }
    /// What can be enforced, from the next start on; before, everything is taken for that.
    void set_abilities(Abilities abilities) { unenforced_.set_abilities(std::move(abilities)); }
    const Unenforced& unenforced() const { return unenforced_; }
    /// Told of what a job was refused but runs without, for the log.
    void set_on_shortfall(std::function<void(const JobSpec&, std::string)> told) { on_shortfall_ = std::move(told); }

    // LaunchObserver
    Result<Enclosure> enclose(Incarnation incarnation, const InstanceName& name) override;
    void launched(Incarnation incarnation, pid_t child) override;
    void created(Incarnation incarnation, pid_t pid) override;
    void launch_refused(Incarnation incarnation, SpawnStage stage, int os_error) override;
    void executed(Incarnation incarnation, std::uint32_t unmet) override;
    void failed_before_exec(Incarnation incarnation, const ChildFailure& failure) override;

    // ChildEndObserver
    void about_to_collect(pid_t pid) override;
    void collected(pid_t pid, ExitStatus status, Duration cpu) override;
    void all_collected() override;

    // TreeObserver
    NextMain next_main(Incarnation incarnation) override;
    void goes_on(Incarnation incarnation, pid_t main) override;
    void main_ended(Incarnation incarnation, ExitStatus status, Duration cpu, bool empty) override;
    void orphans_collected(Incarnation incarnation, Orphaned orphans) override;
    void former_mains_collected(Incarnation incarnation, Orphaned mains) override;
    void look_at_leftovers() override;

private:
    /// Helpers are numbered from here, so that no incarnation of the engine is ever mistaken for one.
    static constexpr Incarnation kFirstHelper = Incarnation{1} << 62;

    struct NoteRefused {
        SpawnStage stage;
        int os_error;
        std::string text{};  ///< as for Supervisor::not_started()
    };

    /// A process that a run has named as its main one while the first one lives.
    struct NamedMain {
        pid_t pid = 0;
        Fd handle{};  ///< a pidfd
        std::unique_ptr<Watch> end{};
        bool takes_over = false;  ///< the first one has ended
    };
    /// From the order to launch it until none of its processes is left.
    struct Run {
        InstanceId id = 0;  ///< 0: a helper
        const JobSpec* spec = nullptr;
        pid_t child = 0;                     ///< of the daemon: the main process, or its keeper
        pid_t main = 0;                      ///< 0: none yet, or none any more
        bool kept = false;                   ///< the daemon's child for it is a keeper
        std::unique_ptr<JobSpec> side_spec;  ///< of what runs beside another run
        std::string refusal{};               ///< why it is not launched
        std::optional<NoteRefused> failure;
        std::unique_ptr<Tree> tree;  ///< of a helper: none
        std::optional<NamedMain> named{};
        bool refusal_told = false;  ///< that something it was sent by others, or has said, was not taken
    };
    struct Helper {
        std::unique_ptr<JobSpec> spec;
        InstanceName name;
        HelperEnded ended;
        bool lasting = false;
    };
    struct NoteLaunched {
        pid_t pid;
    };
    struct NoteExecuted {};
    struct NoteExited {
        ExitStatus status;
        bool tree_empty;
    };
    struct NoteTreeEmpty {};
    struct NoteReady {};
    struct NoteHindered {
        std::string how;
        std::string said;
    };
    struct NoteHealth {
        HealthVerdict verdict;
        std::string how;
        std::string said;
    };
    struct NoteZombies {
        std::uint32_t count;
        std::string neglected_by;
    };
    struct NoteUsage {
        TreeUsage usage;
    };
    struct NoteListens {
        InstanceId id;
        std::vector<DemandWatch::Listening> sockets;
    };
    struct NoteConnections {
        std::optional<std::uint64_t> count;
    };
    struct Note {
        Incarnation incarnation;
        std::variant<NoteLaunched, NoteRefused, NoteExecuted, NoteExited, NoteTreeEmpty, NoteReady, NoteHindered,
                     NoteHealth, Notice, NoteZombies, NoteUsage, NoteListens, NoteConnections>
            what;
    };

    void note(Incarnation incarnation, decltype(Note::what) what);
    Incarnation run_helper(JobSpec spec, StandardFds fds, HelperEnded ended, bool lasting);
    Result<std::array<int, 2>> pipes_of(InstanceId id, const JobSpec& spec, const InstanceName& name,
                                        bool begins_run) const;
    bool await_ready_line(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name);
    void forget_readiness(Incarnation incarnation);
    void launch_run(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name);
    void refuse(Incarnation incarnation, SpawnStage stage, int os_error, std::string text);
    // ReadyObserver
    void said_ready(Incarnation incarnation) override;
    void hindered(Incarnation incarnation, std::string how, std::string said) override;
    void looked_at_health(Incarnation incarnation, HealthVerdict verdict, std::string how, std::string said) override;
    void said(Incarnation incarnation, pid_t sender, uid_t uid, const Notice& notice) override;
    Result<void> open_ready_channel(LaunchOrder& order);
    Result<void> pack_sockets(LaunchOrder& order);
    // process_listen.cc
    void listens(Incarnation incarnation, const NoteListens& what, TimePoint now);
    void came(InstanceId id, const DemandWatch::Listening& socket);
    void accept_from(InstanceId listener, int socket);
    void cannot_accept(InstanceId listener, int error);
    void take_nothing_for_a_while(InstanceId listener, const std::string& why);
    void look_again_later();
    void hand_over_connection(InstanceId id, LaunchOrder& order);
    std::string why_not_heard(const Run& run, pid_t sender, uid_t uid) const;
    /// Once a run: it may say more of the kind. Whether it was told.
    bool tell_refusal(Run& run, const std::string& text);
    // Main processes that runs name
    std::string name_main(Incarnation incarnation, Run& run, pid_t pid);
    void named_main_ended(Incarnation incarnation);
    void unname_main(Incarnation incarnation);
    static bool has_another_main(Run& run);
    void named_main_takes_over(Incarnation incarnation, Run& run, Duration cpu);
    void hand_over(const Note& note, TimePoint now);
    void helper_noted(const Note& note);
    bool cancelled(Incarnation incarnation);
    Incarnation run_of_zombie(pid_t pid);
    Incarnation accounted(Incarnation incarnation) const;
    void main_collected(Incarnation incarnation, pid_t session, ExitStatus status, Duration cpu, bool empty);
    class StrayTree;
    bool kill_strays();
    void look_when_all_is_collected();
    void end_collecting();
    void keeper_lost(Incarnation incarnation, Run& run);
    std::optional<Owner> owner(Incarnation incarnation, pid_t pid) const;
    std::optional<Owner> by_family(pid_t pid) const;
    std::optional<int> oom_score_for(const JobSpec& spec) const;
    void note_controllers();
    void note_oom_kills(Incarnation incarnation, const Run& run);
    Result<void> accept_refused_limits(Run& run, const Enclosure& enclosure);
    bool refuse_unenforceable(Incarnation incarnation, const JobSpec& spec);
    void launch_beside(InstanceId id, Incarnation incarnation, const SideOrder& beside);
    SandboxOrder sandbox_order(const JobSpec& spec, Incarnation beside) const;
    static NoteRefused refusal(const JobSpec& spec, const ChildFailure& failure);

    SdEventLoop& loop_;
    Spawner spawner_;
    Reaper reaper_;
    Supervisor* supervisor_ = nullptr;
    LogCapture* log_capture_ = nullptr;
    JobPipes job_pipes_;
    Provisions provisions_;
    ReadyChannels ready_channels_;
    std::string probe_program_;
    ChosenContainment contained_;
    std::unordered_map<Incarnation, Run> runs_;
    std::unordered_map<pid_t, Incarnation> by_pid_;  ///< the daemon's own children
    std::set<Incarnation> leftovers_;                ///< runs whose main process is gone, and others are not
    struct Abandoned {
        InstanceId id = 0;
        pid_t child = 0;
        std::unique_ptr<Tree> tree;
    };
    std::vector<Abandoned> abandoned_;  ///< of orphans = "ignore"
    /// Since when there are zombies that wait to be collected; some may be of trees in which nothing lives any more.
    std::optional<TimePoint> collecting_since_;
    std::map<std::string, StandardFds, std::less<>> attached_;
    std::map<InstanceId, Connection> connections_;  ///< by what is to serve them, until that is launched
    DemandWatch demand_{loop_, [this](InstanceId id, const auto& socket) { came(id, DemandWatch::Listening(socket)); }};
    std::unique_ptr<Watch> listen_pause_;  ///< until what rests looks again
    std::map<Incarnation, Helper> helpers_;
    Incarnation next_helper_ = kFirstHelper;
    std::vector<Note> notes_;
    Accounts accounts_;
    Incarnation orphan_of_ = 0;  ///< of the zombie that is about to be collected
    /// Of sessions that no main process leads, by cgroup; in this turn alone, as a number may go to another session.
    std::unordered_map<pid_t, Incarnation> sessions_;
    Unenforced unenforced_;
    bool protected_ = false;  ///< the daemon's own oom_score_adj is below 0
    std::function<void(const JobSpec&, std::string)> on_shortfall_;
    std::function<void(InstanceId, Incarnation)> zombie_counter_, measurer_;
};

}  // namespace procsup
