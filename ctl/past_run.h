#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/exit_status.h"
#include "common/json.h"
#include "common/units.h"
#include "ctl/output.h"

/// Runs of jobs, as the protocol's type Run and the files of the history have them. Pure; whatever the text is, it does no harm.
namespace procsup::ctl {

struct PastRun {
    std::string name, job;
    std::string state;      ///< of one that goes on
    bool teardown = false;  ///< it is the stop_command by which a oneshot was taken down
    std::int64_t started_usec = 0;
    std::optional<std::int64_t> ended_usec;
    std::optional<ExitStatus> exit;  ///< without one that has ended was a start that failed
    std::optional<Duration> cpu;
    std::string start_cause, end_cause;
    std::int64_t lost = 0;                       ///< before it, that could not be kept
    std::pair<std::int64_t, std::int64_t> id{};  ///< the same for the same run; 0, 0: it has none
    json::Value as_it_came;

    /// Nothing: it is not one.
    static std::optional<PastRun> of(json::Value value);

    bool goes_on() const { return !ended_usec; }
    /// "exit 3", "SIGSEGV (core)", "not started", "running".
    std::string end_text() const;
    /// What it was begun for, and behind an arrow why it was ended, when that is more than end_text().
    std::string cause_text() const;
};

/// The newest runs of one job that have ended, gathered from the newest on, each once.
class JobRuns {
public:
    /// `instances`: only these; nothing: whichever there are.
    JobRuns(std::size_t most, std::optional<std::vector<std::string>> instances)
        : most_(most), instances_(std::move(instances)) {}

    bool complete() const { return runs_.size() >= most_; }
    void add(PastRun run);
    /// Lines, oldest first, all older than what was added before; `cut`: the first is not whole.
    void add_lines(std::string_view lines, bool cut);
    /// Lines that are no runs, among those that were looked at.
    std::size_t unreadable() const { return unreadable_; }
    /// Oldest first.
    std::vector<PastRun> take();

private:
    std::size_t most_;
    std::optional<std::vector<std::string>> instances_;
    std::vector<PastRun> runs_;
    std::set<std::pair<std::int64_t, std::int64_t>> known_;
    std::size_t unreadable_ = 0;
};

/// The newest `most` of the runs of several jobs, each job's oldest first: in the order in which they ended, which for runs of one
/// job is theirs, whatever the clock showed.
std::vector<PastRun> merged(std::vector<std::vector<PastRun>> jobs, std::size_t most);

/// What `procsupctl history` prints of them.
std::string runs_table(const std::vector<PastRun>& runs, std::int64_t now_usec, const Output& out);

}  // namespace procsup::ctl
