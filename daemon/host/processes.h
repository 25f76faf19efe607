#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/engine/supervisor.h"
#include "daemon/host/child.h"
#include "daemon/host/reaper.h"
#include "daemon/host/spawner.h"

namespace procsup {

/// The engine's ProcessBackend on real processes, in process groups. Joins what the spawner and the reaper report into the
/// order the engine was promised, and hands it over in deliver(), never from inside a request. Also runs the daemon's own
/// short-lived helpers, so that there is one place where children are known.
class Processes final : public ProcessBackend, public LaunchObserver, public ChildEndObserver {
public:
    explicit Processes(SdEventLoop& loop);

    /// What jobs get as $PROCSUPD_SOCKET.
    void set_surroundings(LaunchSurroundings surroundings) { spawner_.set_surroundings(std::move(surroundings)); }

    bool claim_realtime() { return spawner_.claim_realtime(); }

    Result<void> reserve_fds() { return spawner_.reserve_fds(); }
    /// Begins to collect children. `supervisor` gets all events from now on.
    Result<void> start(Supervisor& supervisor);

    /// The descriptors with which the next run of job `job` is started; used once.
    void attach_streams(const std::string& job, StandardFds fds);
    void forget_streams(const std::string& job);

    /// Runs a helper of the daemon. `ended` gets its exit status, or the Error that it could not be started.
    using HelperEnded = std::function<void(Result<ExitStatus>)>;
    void run_helper(JobSpec spec, StandardFds fds, HelperEnded ended);

    // ProcessBackend
    void spawn(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) override;
    void signal_group(Incarnation incarnation, int signal) override;
    void signal_main(Incarnation incarnation, int signal) override;
    void kill_tree(Incarnation incarnation) override;

    /// Hands everything that has happened to the engine. At the end of each callback of the loop.
    void deliver();

    /// The incarnation whose main process, session or descendant `pid` is; nothing when it is none.
    struct Owner {
        InstanceId id = 0;
        bool main = false;
    };
    std::optional<Owner> who_is(pid_t pid) const;

    std::uint64_t orphans_collected() const { return orphans_; }
    /// Told of what a job was refused but runs without, for the log.
    void set_on_shortfall(std::function<void(const JobSpec&, std::string)> told) { on_shortfall_ = std::move(told); }

    // LaunchObserver
    void launched(Incarnation incarnation, pid_t pid) override;
    void launch_refused(Incarnation incarnation, SpawnStage stage, int os_error) override;
    void executed(Incarnation incarnation) override;
    void failed_before_exec(Incarnation incarnation, SpawnStage stage, int os_error) override;

    // ChildEndObserver
    void about_to_collect(pid_t pid) override;
    void collected(pid_t pid, ExitStatus status) override;

private:
    struct Process {
        Incarnation incarnation = 0;
        InstanceId id = 0;
        const JobSpec* spec = nullptr;
        std::optional<ChildFailure> failure;
    };
    struct Helper {
        std::unique_ptr<JobSpec> spec;
        InstanceName name;
        HelperEnded ended;
    };
    struct NoteLaunched {
        pid_t pid;
    };
    struct NoteRefused {
        SpawnStage stage;
        int os_error;
    };
    struct NoteExecuted {};
    struct NoteExited {
        ExitStatus status;
        bool tree_empty;
    };
    struct NoteTreeEmpty {};
    struct Note {
        Incarnation incarnation;
        std::variant<NoteLaunched, NoteRefused, NoteExecuted, NoteExited, NoteTreeEmpty> what;
    };

    void note(Incarnation incarnation, decltype(Note::what) what) { notes_.push_back({incarnation, std::move(what)}); }
    void hand_over(const Note& note, TimePoint now);
    void helper_noted(const Note& note);
    void group_left(Incarnation incarnation, pid_t group);
    void look_at_leftover_groups();
    void look_again_later();
    void set_oom_score(pid_t pid, const JobSpec& spec, int score);

    SdEventLoop& loop_;
    Spawner spawner_;
    Reaper reaper_;
    Supervisor* supervisor_ = nullptr;
    std::unordered_map<pid_t, Process> by_pid_;
    std::unordered_map<Incarnation, pid_t> pid_of_;
    std::unordered_map<Incarnation, Process> launching_;  ///< ordered, no process yet
    /// Groups whose leader has been collected while others of the group lived.
    std::map<Incarnation, pid_t> leftover_groups_;
    std::unique_ptr<Watch> leftover_timer_;
    std::map<std::string, StandardFds, std::less<>> attached_;
    std::map<Incarnation, Helper> helpers_;
    Incarnation next_helper_;
    std::vector<Note> notes_;
    std::uint64_t orphans_ = 0;
    bool protected_ = false;  ///< the daemon's own oom_score_adj is below 0
    std::function<void(const JobSpec&, std::string)> on_shortfall_;
};

}  // namespace procsup
