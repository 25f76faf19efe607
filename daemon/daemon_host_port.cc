// What clients may know and ask of the daemon.
#include <unistd.h>

#include <utility>

#include "conf/job_text.h"
#include "daemon/daemon.h"
#include "daemon/host/process_end.h"
#include "daemon/host/process_status.h"

namespace procsup {

CapturedOutput Daemon::captured_output(InstanceId id) const { return log_capture_->output_of(id); }

std::shared_ptr<void> Daemon::newest_lines(InstanceId id, LinesFound found) {
    return log_capture_->find_newest_lines(id, std::move(found));
}

const Abilities& Daemon::abilities() const { return processes_->unenforced().abilities(); }

std::vector<Shortfall> Daemon::not_enforced(const JobSpec& spec) const { return processes_->unenforced().of(spec); }

std::string Daemon::masked_by(std::string_view job) const {
    for (const auto& masked : spec_.masked) {
        if (masked.job == job) return masked.file;
    }
    return {};
}

DaemonFacts Daemon::facts() const {
    DaemonFacts facts;
    facts.version = PROCSUP_VERSION;
    facts.pid = getpid();
    facts.runtime_dir = runtime_dir_ ? runtime_dir_->path() : std::string();
    facts.config = options_.config.paths.front();
    facts.lower_configs.assign(options_.config.paths.begin() + 1, options_.config.paths.end());
    facts.started = started_;
    facts.realtime = realtime_;
    if (const auto* containment = processes_->containment()) {
        facts.containment = word_of(containment->mode());
        facts.containment_reason = processes_->containment_reason();
        facts.no_new_privileges = containment->mode() == ContainmentMode::Keeper && geteuid() != 0;
    }
    facts.config_problems = config_problems_;
    facts.config_since = configurations_.in_force().since;
    facts.rolled_back = configurations_.rolled_back();
    facts.older_configs = configurations_.kept();
    facts.orphans = processes_->accounts().all();
    facts.orphans_unattributed = processes_->accounts().unattributed();
    facts.log_lines_dropped = log_.dropped();
    facts.longest_callback = loop_->longest_callback();
    return facts;
}

std::optional<ProcessOwner> Daemon::who_is(pid_t pid) const {
    const auto owner = processes_->who_is(pid);
    if (!owner) return std::nullopt;
    return ProcessOwner{owner->id, owner->main};
}

SignalFate Daemon::fate_of(pid_t pid, int signal) const {
    const auto status = status_of(pid);
    const auto bit = std::uint64_t{1} << (signal - 1);
    if (!status || ((status->caught | status->blocked) & bit) != 0) return SignalFate::Handled;
    return (status->ignored & bit) != 0 ? SignalFate::Ignored : SignalFate::Default;
}

void Daemon::measure(const std::vector<const Instance*>& instances, Duration patience, Measured measured) {
    tree_lister_->measure(instances, patience, std::move(measured));
}

void Daemon::list_processes(const std::vector<const Instance*>& instances, bool all,
                            std::function<void(Result<std::string>)> listed) {
    tree_lister_->list(instances, all, std::move(listed));
}

Result<std::unique_ptr<Watch>> Daemon::watch_process(pid_t pid, std::optional<uid_t> uid, std::function<void()> ended) {
    return procsup::watch_process(*loop_, pid, uid, std::move(ended));
}

void Daemon::attach_streams(const std::string& job, std::array<Fd, 3> fds) {
    processes_->attach_streams(job, std::move(fds));
}

void Daemon::discard_streams(const std::string& job) { processes_->forget_streams(job); }

Result<LogReading> Daemon::open_logs(const std::vector<const Instance*>& instances, bool follow, std::size_t writer) {
    return log_capture_->open_reading(instances, follow, writer);
}

Result<void> Daemon::rotate_logs(const std::vector<const Instance*>& instances) {
    return log_capture_->rotate(instances);
}

PastRuns Daemon::past_runs(const std::vector<std::string>& jobs) { return history_->past_runs(jobs); }

WallTime Daemon::wall_time(TimePoint when) const {
    const auto wall = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    return wall_clock_.at(when, loop_->now(), wall);
}

}  // namespace procsup
