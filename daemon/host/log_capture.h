#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/fd.h"
#include "common/log_file.h"
#include "common/result.h"
#include "conf/expand.h"
#include "conf/job_spec.h"
#include "daemon/engine/instance.h"
#include "daemon/engine/ports.h"
#include "daemon/host/loggers.h"
#include "daemon/logger/protocol.h"

namespace procsup {

namespace logger {
struct StreamRecord;
}

/// The pipes of output that goes through a logger: to files, to the journal or to procsupd's own output. A pipe is made with the
/// first run of an instance and kept until the instance is forgotten, over restarts of the job and of the logger that reads it.
class LogCapture final : public LoggerUser {
public:
    /// `told` gets what goes into the daemon's own log of a job.
    using Told = std::function<void(const std::string& job, const std::string& what)>;
    LogCapture(Loggers& loggers, Told told) : loggers_(loggers), told_(std::move(told)) {}

    /// Where the files of jobs are that name no directory.
    void set_dir(std::string dir) { dir_ = std::move(dir); }
    /// Why nothing is kept of jobs that do not ask for it; empty: it is.
    void set_fault(std::string fault) { fault_ = std::move(fault); }
    /// Whether lines of jobs that do not say so go to procsupd's standard output too.
    void set_mirror(bool mirror) { mirror_ = mirror; }

    /// The pipes (kept_pipe.h) that 1 and 2 of a process of the instance are the writing ends of; they stay this object's. -1: that
    /// stream does not go through a logger. `begins_run`: it is the first process of a run, pre_start or the main one.
    Result<std::array<int, 2>> pipes_of(InstanceId id, const JobSpec& spec, const InstanceName& name, bool begins_run);
    /// A run of the instance has ended: so has the line that it was writing.
    void run_ended(InstanceId id);
    /// What is heard of a line that is awaited: it was seen, once; or why it may not be. Never from inside await_line().
    struct LineHeard {
        std::function<void()> seen;
        std::function<void(const std::string& fault)> hindered;
    };
    /// For a line that matches `expression` (PCRE2), written to either stream from now on. To be called before the run is started.
    Result<void> await_line(InstanceId id, Incarnation run, const std::string& expression, LineHeard heard);
    /// It is not awaited any more, if it was.
    void forget_line(Incarnation run);
    /// The newest run of the instance has failed: its last lines are kept.
    void keep_last_lines(InstanceId id);
    /// What the newest run of the instance has written at last: at once where no logger can be asked, never where one does not
    /// answer. What is returned is kept by who waits for it.
    using LinesFound = std::function<void(std::vector<LastLines>)>;
    std::shared_ptr<void> find_newest_lines(InstanceId id, LinesFound found);
    /// The instance is no more. What it wrote is still read.
    void forget(InstanceId id);

    /// Those that did not run yet may have files of an earlier procsupd.
    Result<LogReading> open_reading(const std::vector<const Instance*>& instances, bool follow, std::size_t writer);
    /// Has the files of these instances rotated, where something is in them.
    Result<void> rotate(const std::vector<const Instance*>& instances);
    CapturedOutput output_of(InstanceId id) const;

    void tell_all(LoggerProcess& logger) override;
    void heard(const json::Value& packet) override;

private:
    struct Kept {
        LoggerProcess* logger = nullptr;  ///< who writes it
        logger::CapturedStream settings;
        Fd pipe;
        std::string problem;
        std::uint32_t failed_run = UINT32_MAX;  ///< the newest, by its mark
        std::vector<std::string> last_lines;    ///< of that
    };
    /// Of the streams of one instance; owned by who waits for it.
    struct LinesAsked {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> open;  ///< slots, and runs by their marks
        std::vector<LastLines> lines;
        LinesFound found;
    };
    using Slots = std::vector<std::uint32_t>;
    struct AwaitedBy {
        InstanceId id = 0;
        LineHeard heard;
        bool fault_told = false;
    };

    Result<Kept*> stream_of(InstanceId id, const logger::CapturedStream& wanted, const JobSpec& spec);
    Result<Kept*> new_stream(InstanceId id, const logger::CapturedStream& wanted, const JobSpec& spec);
    Kept* taken_back(const logger::CapturedStream& wanted);
    void leave(InstanceId id, bool error);
    void let_go(Kept& stream);
    void mark_run(const Kept& stream);
    logger::CapturedStream wanted_stream(const JobSpec& spec, const InstanceName& name, bool error) const;
    /// Those that there are, of the up to two.
    std::vector<Kept*> streams_of(InstanceId id) const;
    Result<std::map<LoggerProcess*, Slots>> slots_of(const std::vector<const Instance*>& instances);
    std::uint32_t free_slot();

    void heard_problem(const json::Value& problem);
    void keep_tail(const json::Value& tail);
    void answer_lines_asked(std::uint32_t slot, std::uint32_t run, const LastLines& last);
    void heard_line(const json::Value& line);
    void line_seen(Incarnation run);
    void look_for_seen_lines(const LoggerProcess& logger);
    static void forget_line(const Kept& stream);
    static const logger::StreamRecord& memory_of(const Kept& stream);

    Loggers& loggers_;
    Told told_;
    std::string dir_;
    std::string fault_;
    bool mirror_ = false;
    std::map<std::uint32_t, Kept> streams_;  ///< by slot, which no two loggers have
    std::unordered_map<InstanceId, std::array<Kept*, 2>> of_instance_;
    std::set<std::uint32_t> removing_;  ///< whose instance is forgotten
    Slots free_slots_;
    std::unordered_map<Incarnation, AwaitedBy> awaited_lines_;
    std::vector<std::weak_ptr<LinesAsked>> lines_asked_;
};

}  // namespace procsup
