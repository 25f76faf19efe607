#pragma once

#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/varlink/message.h"
#include "common/varlink/server_fixture.h"
#include "common/varlink/test_loop.h"
#include "daemon/control/control.h"
#include "daemon/engine/engine_fakes.h"

namespace procsup {

using varlink::is_root;
using varlink::kStranger;

struct FakeCloser final : FdCloser {
    void close(int number) override {
        ::close(number);
        ++closed;
    }
    int closed = 0;
};

/// The daemon around the control box, as lists of what was asked of it.
struct FakeHost final : HostPort {
    DaemonFacts facts() const override { return known; }
    std::string masked_by(std::string_view job) const override {
        return job == "old" ? "/etc/procsupd/jobs.d/old.toml" : "";
    }
    /// The wall clock shows 1,000,000 s more than the monotonic one.
    WallTime wall_time(TimePoint when) const override {
        return WallTime(when.time_since_epoch()) + std::chrono::seconds(1000000);
    }
    void change_configuration(const ChangeOrder& order, ChangeDone done) override {
        orders.push_back(order);
        changes.push_back(std::move(done));
    }
    void shut_down(std::string cause) override { shutdowns.push_back(std::move(cause)); }
    Abilities able;
    const Abilities& abilities() const override { return able; }
    std::vector<Shortfall> not_enforced(const JobSpec& spec) const override { return shortfalls(spec, able); }
    CapturedOutput output;
    CapturedOutput captured_output(InstanceId) const override { return output; }
    std::shared_ptr<void> newest_lines(InstanceId id, LinesFound found) override;
    /// What newest_lines() finds at once; nothing: a logger that hangs.
    std::optional<std::vector<LastLines>> newest = std::vector<LastLines>();
    std::vector<InstanceId> newest_of;
    std::optional<ProcessOwner> who_is(pid_t pid) const override;
    SignalFate fate = SignalFate::Handled;
    SignalFate fate_of(pid_t, int) const override { return fate; }
    void measure(const std::vector<const Instance*>& instances, Duration patience, Measured measured) override;
    void list_processes(const std::vector<const Instance*>& instances, bool all,
                        std::function<void(Result<std::string>)> listed) override;
    Result<std::unique_ptr<Watch>> watch_process(pid_t pid, std::optional<uid_t> uid,
                                                 std::function<void()> ended) override;
    FdCloser& closer() override { return descriptors; }
    void attach_streams(const std::string& job, std::array<Fd, 3> fds) override;
    void discard_streams(const std::string& job) override { attached.erase(job); }
    Result<LogReading> open_logs(const std::vector<const Instance*>& instances, bool follow,
                                 std::size_t writer) override;
    Result<void> rotate_logs(const std::vector<const Instance*>& instances) override;
    PastRuns past_runs(const std::vector<std::string>& jobs) override;

    FakeCloser descriptors;
    DaemonFacts known;
    TreeUsage used;                  ///< by each instance that is live
    Error unmeasured;                ///< what measure() adds, if it has a message
    std::vector<Duration> patience;  ///< of each measure()
    std::vector<ChangeOrder> orders;
    std::vector<ChangeDone> changes;  ///< whose outcomes are waited for
    std::vector<std::string> shutdowns;
    std::vector<std::string> listed;  ///< "web db", "web db and all else"
    Result<std::string> processes{std::string(R"({"trees":[],"strays":{"processes":[],"omitted":0}})")};
    std::vector<std::string> logs;          ///< "open web db", "follow web", "rotate web"
    Error no_logs;                          ///< what open_logs() and rotate_logs() fail with, if it has a message
    PastRuns past;                          ///< what past_runs() answers, without its files
    std::vector<std::string> past_runs_of;  ///< "db web"
    std::map<pid_t, ProcessOwner> owners;
    std::map<pid_t, std::pair<uid_t, std::function<void()>>> watched;  ///< with whose they are
    std::map<std::string, std::array<Fd, 3>> attached;
};

/// The control box with the real engine and a real server; the machine below the engine is played by the test, which
/// says what has become of each process. Time passes only by pass().
class ControlBox final : public Announcer {
public:
    explicit ControlBox(std::vector<JobSpec> jobs = {}, const DaemonSpec& spec = {});

    // Announcer
    void announce(const Transition& transition) override;
    void says(InstanceId id) override;
    void roll(const RollNews& news) override;
    void end_daemon(int code, std::string_view cause) override { engine.end_daemon(code, cause); }

    const Instance& instance(std::string_view name) const;
    /// Another configuration takes effect.
    void configure(std::vector<JobSpec> jobs);
    /// Carries on everything that can be carried on without time passing.
    void turn();
    void pass(Duration by);

    // What becomes of the present run of an instance.
    void executes(std::string_view name, pid_t pid = 100);
    void ends(std::string_view name, ExitStatus status, const Account& account = {});
    void cannot_start(std::string_view name, SpawnStage stage, int os_error);
    void timer_fires(std::string_view name, TimerKind kind);

    TestLoop loop;
    FakeHost host;
    EngineFakes engine;
    std::vector<std::string> records;  ///< of the runs that are over
    Supervisor supervisor;
    varlink::TestAddress address;
    std::unique_ptr<Control> control;
};

/// One reply, with its members by path.
struct Answer {
    std::string error;  ///< empty: success
    bool continues = false;
    json::Value parameters;
    Fd fd;

    /// The member at "outcomes.0.state": a string as it is, anything else as JSON; "null" when there is none.
    std::string operator[](std::string_view path) const;
    std::size_t count(std::string_view path) const;
};

/// A client of a ControlBox; everything it gets is in `answers`.
class ControlClient {
public:
    explicit ControlClient(ControlBox& box) : ControlClient(box, box.address.connect()) {}
    /// A client that the kernel knows by another uid; only root can make one.
    static ControlClient as_stranger(ControlBox& box);

    /// Sends a call of io.procsupd.`method` and turns the loop.
    void send(std::string_view method, std::string_view parameters, bool more = false,
              const std::vector<int>& fds = {});
    /// As send(); the one answer that has come by then. It is a failure of the test when there is none.
    Answer call(std::string_view method, std::string_view parameters, bool more = false,
                const std::vector<int>& fds = {});
    /// As call(), for bytes as they are.
    Answer call_raw(std::string bytes, const std::vector<int>& fds = {});
    /// The answers that have come and were not taken yet, in order.
    std::vector<Answer> take();
    /// The only one of them.
    Answer take_one();
    void leave();

private:
    ControlClient(ControlBox& box, Fd socket) : box_(box), socket_(std::move(socket)) {}
    void send_raw(std::string bytes, const std::vector<int>& fds);

    ControlBox& box_;
    Fd socket_;
    varlink::Inbox inbox_;
};

/// A job that starts only when it is told to.
JobSpec job(std::string name, std::vector<std::string> instances = {});

}  // namespace procsup
