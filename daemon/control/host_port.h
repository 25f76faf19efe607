#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/log_file.h"
#include "common/result.h"
#include "conf/enforcement.h"
#include "daemon/engine/supervisor.h"

namespace procsup {

/// What clients may learn of the daemon that is not the engine's.
struct DaemonFacts {
    std::string version;
    pid_t pid = 0;
    std::string runtime_dir;
    std::string config;
    std::vector<std::string> lower_configs;  ///< directories over which that stands
    TimePoint started;
    bool realtime = false;                     ///< runs before other processes
    std::string containment;                   ///< the mode in use, see ContainmentMode
    std::string containment_reason;            ///< why it is that one
    bool no_new_privileges = false;            ///< what jobs get that do not say
    std::vector<std::string> config_problems;  ///< of the newest configuration, when it was refused
    TimePoint config_since;                    ///< that in force was read
    bool rolled_back = false;                  ///< since then the files were not applied
    std::size_t older_configs = 0;             ///< to which it can be gone back
    Orphaned orphans;                          ///< collected since the start
    std::uint64_t orphans_unattributed = 0;    ///< of which it is not known whose they were
    std::uint64_t log_lines_dropped = 0;
    std::chrono::microseconds longest_callback{0};
};

/// The runs of jobs that are over.
struct PastRuns {
    std::vector<std::string> records;  ///< JSON, that are perhaps not in files yet
    Fd files;                          ///< a connection over which the files come; empty: there are none
    std::string directory;             ///< of the files
    std::string problem;               ///< why nothing is kept in files at present; empty: it is
};

struct ProcessOwner {
    InstanceId id = 0;
    bool main = false;
};

/// What becomes of a signal that a process is sent. Handled: by a function of its own, or it holds the signal back to take it in
/// its own time; or that cannot be found out.
enum class SignalFate { Handled, Ignored, Default };

/// To which configuration the daemon is to go, and how.
struct ChangeOrder {
    enum class To { Files, Before };  ///< Before: the one that was in force before the last change
    To to = To::Files;
    Restarts restarts = Restarts::Now;
    bool only_plan = false;
};
/// There is none before.
struct NothingBefore {};
/// What was changed, or would be; or the problems for which nothing was.
using ChangeOutcome = std::variant<ConfigurationChange, std::vector<std::string>, NothingBefore>;
using ChangeDone = std::function<void(ChangeOutcome)>;

/// What control/ needs of the daemon around it; the one implementation is Daemon. Every call is on the loop's thread.
class HostPort {
public:
    virtual ~HostPort() = default;
    virtual DaemonFacts facts() const = 0;
    /// The file that says that there is no such job; empty: none does.
    virtual std::string masked_by(std::string_view job) const = 0;
    /// The wall clock's time at a point of the monotonic clock; for display.
    virtual WallTime wall_time(TimePoint when) const = 0;
    /// Changes all of the configuration or nothing, one order after the other; `done` is called in a later turn where files have to
    /// be read.
    virtual void change_configuration(const ChangeOrder& order, ChangeDone done) = 0;
    /// Begins to end the daemon at the end of this turn.
    virtual void shut_down(std::string cause) = 0;
    virtual const Abilities& abilities() const = 0;
    /// Which settings of a job are not in force, or would not be if it ran.
    virtual std::vector<Shortfall> not_enforced(const JobSpec& spec) const = 0;
    virtual CapturedOutput captured_output(InstanceId id) const = 0;
    /// Gets what the newest run of an instance has written at last: at once where nothing can be known of that, else in a later
    /// turn, or never, where a logger does not answer. What is returned is kept as long as that is waited for.
    using LinesFound = std::function<void(std::vector<LastLines>)>;
    virtual std::shared_ptr<void> newest_lines(InstanceId id, LinesFound found) = 0;
    virtual std::optional<ProcessOwner> who_is(pid_t pid) const = 0;
    virtual SignalFate fate_of(pid_t pid, int signal) const = 0;
    /// Which processes belong to which of these instances, as the result of io.procsupd.Job.Tree; `all`: they are all there
    /// are. Answered in a later turn.
    virtual void list_processes(const std::vector<const Instance*>& instances, bool all,
                                std::function<void(Result<std::string>)> listed) = 0;
    /// Gets what instances use that have processes; the Error says why it is not all that there is to know.
    using Measured = std::function<void(std::vector<InstanceUsage>, Result<void>)>;
    /// Answers with what is known at once, or, where their processes have to be looked at, in a later turn within `patience`.
    virtual void measure(const std::vector<const Instance*>& instances, Duration patience, Measured measured) = 0;
    /// Calls `ended` once when the process has ended, unless the Watch goes first. Only a process of `uid`, where that is given;
    /// the Error says why it cannot be.
    virtual Result<std::unique_ptr<Watch>> watch_process(pid_t pid, std::optional<uid_t> uid,
                                                         std::function<void()> ended) = 0;
    /// Descriptors that the next run of job `job` gets as 0, 1 and 2.
    virtual void attach_streams(const std::string& job, std::array<Fd, 3> fds) = 0;
    /// Closes what clients have sent.
    virtual FdCloser& closer() = 0;
    /// Closes what attach_streams() was given for a run that was not started.
    virtual void discard_streams(const std::string& job) = 0;
    /// A connection over which a reader is told of the files of these instances that the logger numbered `writer` writes.
    virtual Result<LogReading> open_logs(const std::vector<const Instance*>& instances, bool follow,
                                         std::size_t writer) = 0;
    virtual PastRuns past_runs(const std::vector<std::string>& jobs) = 0;
    /// Makes the output of these instances go to new files.
    virtual Result<void> rotate_logs(const std::vector<const Instance*>& instances) = 0;
};

}  // namespace procsup
