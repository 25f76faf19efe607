#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/configurations.h"
#include "daemon/control/control.h"
#include "daemon/control/host_port.h"
#include "daemon/disposer/disposer.h"
#include "daemon/engine/supervisor.h"
#include "daemon/host/broker_process.h"
#include "daemon/host/clock_watch.h"
#include "daemon/host/guard.h"
#include "daemon/host/loader.h"
#include "daemon/host/log_capture.h"
#include "daemon/host/own_log.h"
#include "daemon/host/processes.h"
#include "daemon/host/record_store.h"
#include "daemon/host/runtime_dir.h"
#include "daemon/host/service_manager.h"
#include "daemon/host/state_store.h"
#include "daemon/host/timer_queue.h"
#include "daemon/host/tree_lister.h"
#include "daemon/host/wall_clock.h"
#include "daemon/loop/sd_event_loop.h"
#include "daemon/options.h"
#include "daemon/remembered_runs.h"
#include "daemon/remembered_stops.h"
#include "daemon/run_history.h"
#include "daemon/service_report.h"
#include "daemon/shutdown.h"

namespace procsup {

/// One running procsupd: owns the loop, the engine and everything between them, from the first load of the configuration
/// until no process is left. Its after_callback() is the one place where what happened in a turn is carried on: facts to
/// the engine, transitions to clients and to the service manager, timers to the loop.
class Daemon final : public Announcer, public HostPort {
public:
    explicit Daemon(Options options);
    ~Daemon() override;

    /// Runs to the end; the program's exit code.
    int run();

    // Announcer
    void announce(const Transition& transition) override;
    void says(InstanceId id) override;
    void roll(const RollNews& news) override;
    void scheduled(const ScheduleNews& news) override;
    void end_daemon(int code, std::string_view cause) override;

    // HostPort
    DaemonFacts facts() const override;
    std::string masked_by(std::string_view job) const override;
    WallTime wall_time(TimePoint when) const override;
    void change_configuration(const ChangeOrder& order, ChangeDone done) override;
    void shut_down(std::string cause) override;
    CapturedOutput captured_output(InstanceId id) const override;
    std::shared_ptr<void> newest_lines(InstanceId id, LinesFound found) override;
    const Abilities& abilities() const override;
    std::vector<Shortfall> not_enforced(const JobSpec& spec) const override;
    std::optional<ProcessOwner> who_is(pid_t pid) const override;
    SignalFate fate_of(pid_t pid, int signal) const override;
    void measure(const std::vector<const Instance*>& instances, Duration patience, Measured measured) override;
    void list_processes(const std::vector<const Instance*>& instances, bool all,
                        std::function<void(Result<std::string>)> listed) override;
    Result<std::unique_ptr<Watch>> watch_process(pid_t pid, std::optional<uid_t> uid,
                                                 std::function<void()> ended) override;
    FdCloser& closer() override { return *disposer_; }
    void attach_streams(const std::string& job, std::array<Fd, 3> fds) override;
    void discard_streams(const std::string& job) override;
    Result<LogReading> open_logs(const std::vector<const Instance*>& instances, bool follow,
                                 std::size_t writer) override;
    Result<void> rotate_logs(const std::vector<const Instance*>& instances) override;
    PastRuns past_runs(const std::vector<std::string>& jobs) override;

private:
    using LoadResult = std::variant<Configuration, std::vector<Problem>>;

    Result<void> set_up();
    void watch_signals();
    void first_load(LoadResult result);
    Result<void> claim_runtime_dir();
    Result<void> serve_coordination();
    Result<void> open_for_business(const DaemonSpec& spec);
    void start_jobs_alone();
    void tell_log_fault(std::string fault);
    void loaded_again(LoadResult result, const ChangeOrder& order, const ChangeDone& done);
    void go_back(const ChangeOrder& order, const ChangeDone& done);
    ConfigurationChange take_over(const Configured& jobs, Restarts restarts);
    void after_callback();
    void begin_shutdown();
    void count_zombies(InstanceId id, Incarnation incarnation);
    void measure_one(InstanceId id, Incarnation incarnation);
    void note_failure(const Instance& instance);
    bool tells_failure_of(std::string_view job);
    void end(int code);
    std::string status_text() const;

    Options options_;
    OwnLog log_;
    ServiceManager service_;
    Fd inherited_socket_;
    std::unique_ptr<SdEventLoop> loop_;
    std::optional<RuntimeDir> runtime_dir_;
    std::unique_ptr<Disposer> disposer_;  ///< of what clients have sent
    std::unique_ptr<Processes> processes_;
    std::unique_ptr<Loggers> loggers_;
    std::unique_ptr<LogCapture> log_capture_;
    std::unique_ptr<StateStore> store_;
    std::unique_ptr<RecordStore> records_;
    std::unique_ptr<BrokerProcess> broker_;
    std::unique_ptr<Guard> guard_;
    std::unique_ptr<TreeLister> tree_lister_;
    std::unique_ptr<TimerQueue> timers_;
    std::unique_ptr<Supervisor> supervisor_;
    std::unique_ptr<Loader> loader_;
    std::unique_ptr<RememberedStops> stops_;
    std::unique_ptr<RememberedRuns> runs_;
    std::unique_ptr<ClockWatch> clock_watch_;
    std::unique_ptr<RunHistory> history_;
    std::unique_ptr<Shutdown> shutdown_;
    std::unique_ptr<ServiceReport> report_;
    std::unique_ptr<Control> control_;
    std::vector<std::unique_ptr<Watch>> signals_;
    std::unique_ptr<Watch> leftovers_timer_;

    DaemonSpec spec_;
    std::optional<std::vector<JobSpec>> waiting_jobs_;  ///< until nothing of an earlier daemon is left
    std::optional<TimePoint> leftovers_seen_;
    Configurations configurations_;
    std::vector<std::string> config_problems_;
    TimePoint started_;
    std::map<std::string, TimePoint, std::less<>> failures_told_;  ///< of connections, by job
    mutable WallClock wall_clock_;
    bool realtime_ = false;  ///< runs before other processes
    bool ending_ = false;
};

}  // namespace procsup
