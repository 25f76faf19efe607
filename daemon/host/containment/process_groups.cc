#include "daemon/host/containment/process_groups.h"

#include <signal.h>

#include <cerrno>
#include <utility>

namespace procsup {
namespace {

/// How often a group is looked at that has members but no leader any more: its last member may be collected by a
/// process that is not ours, of which no signal tells.
constexpr auto kCheck = std::chrono::milliseconds(100);

class ProcessGroups final : public Containment {
public:
    ProcessGroups(std::string no_cgroups, EventLoop& loop, TreeObserver& observer)
        : no_cgroups_(std::move(no_cgroups)), loop_(loop), observer_(observer) {}

    ContainmentMode mode() const override { return ContainmentMode::Group; }
    std::string place(std::string_view) const override { return {}; }
    ControllerFaults controller_faults() const override { return all_faults("no cgroups are used: " + no_cgroups_); }
    Result<std::unique_ptr<Tree>> enclose(const InstanceName& name, const std::vector<TreeLimit>& limits,
                                          Incarnation incarnation, Enclosure& enclosure) override;
    std::optional<std::string> instance_of(pid_t) const override { return std::nullopt; }
    Incarnation run_of(pid_t) const override { return 0; }
    bool clear_leftovers() override { return true; }
    Fd guarded() const override { return Fd(); }

    void await(int change) {
        awaited_ += change;
        if (awaited_ == 0) timer_.reset();
        if (awaited_ > 0 && !timer_) check_later();
    }

private:
    void check_later() {
        timer_ = loop_.call_at(loop_.now() + kCheck, [this] {
            check_later();
            observer_.look_at_leftovers();
        });
    }

    std::string no_cgroups_;
    EventLoop& loop_;
    TreeObserver& observer_;
    int awaited_ = 0;  ///< trees without a main process
    std::unique_ptr<Watch> timer_;
};

class GroupTree final : public Tree {
public:
    explicit GroupTree(ProcessGroups& groups) : groups_(groups) {}
    ~GroupTree() override {
        if (awaited_) groups_.await(-1);
    }
    void began(pid_t main) override { leader_ = main; }
    // Only while the leader is not collected its number cannot be another group's.
    void child_ended(bool kill) override {
        if (kill) ::kill(-leader_, SIGKILL);
    }
    void signal_main(int signal) override { ::kill(leader_, signal); }
    void signal_all(int signal) override {
        if (::kill(-leader_, signal) < 0 && errno == ESRCH && !awaited_) signal_main(signal);
    }
    void pause(bool pause) override { signal_all(pause ? SIGSTOP : SIGCONT); }
    void kill() override {
        // Before its setsid(2) the child is in the daemon's own group: then the signal is for it alone.
        if (leader_ > 0 && ::kill(-leader_, SIGKILL) < 0 && errno == ESRCH && !awaited_) ::kill(leader_, SIGKILL);
    }
    bool was_killed() const override { return false; }  // its zombies count as long as they are there
    // Zombies of the group count: they are collected in a moment.
    bool is_empty() override { return ::kill(-leader_, 0) < 0 && errno == ESRCH; }
    void await_empty() override {
        if (!std::exchange(awaited_, true)) groups_.await(1);
    }

private:
    ProcessGroups& groups_;
    pid_t leader_ = 0;
    bool awaited_ = false;
};

Result<std::unique_ptr<Tree>> ProcessGroups::enclose(const InstanceName&, const std::vector<TreeLimit>&, Incarnation,
                                                     Enclosure&) {
    return std::unique_ptr<Tree>(std::make_unique<GroupTree>(*this));
}

}  // namespace

std::unique_ptr<Containment> contain_by_process_groups(std::string no_cgroups, EventLoop& loop,
                                                       TreeObserver& observer) {
    return std::make_unique<ProcessGroups>(std::move(no_cgroups), loop, observer);
}

}  // namespace procsup
