#include "daemon/host/containment/cgroups.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include "daemon/host/child.h"
#include "daemon/host/containment/cgroup_controllers.h"

namespace procsup {
namespace {

/// Keeps a job's name from being that of a file of the group above, such as "cgroup.procs".
constexpr std::string_view kSuffix = ".job";
/// In no instance's name.
constexpr char kNumberMark = '~';

/// Where the next daemon finds what this one leaves when it dies.
std::string record_of(std::string_view runtime_dir) { return std::string(runtime_dir) + "/cgroup"; }

class Cgroups final : public Containment {
public:
    Cgroups(std::string name, CgroupRoot root, std::optional<CgroupRoot> previous, Fd changes, EventLoop& loop,
            TreeObserver& observer);
    ~Cgroups() override;

    ContainmentMode mode() const override { return ContainmentMode::Cgroup; }
    std::string place(std::string_view instance) const override {
        return root.path() + "/" + std::string(instance) + std::string(kSuffix);
    }
    ControllerFaults controller_faults() const override { return faults_; }
    void enable(ControllerSet wanted) override;
    Result<std::unique_ptr<Tree>> enclose(const InstanceName& name, const std::vector<TreeLimit>& limits,
                                          Incarnation incarnation, Enclosure& enclosure) override;
    std::optional<std::string> instance_of(pid_t pid) const override;
    Incarnation run_of(pid_t pid) const override;
    void all_collected() override { ++collections_; }
    bool clear_leftovers() override { return root.clear() && (!previous_ || previous_->clear()); }
    Fd guarded() const override { return root.directory(); }

    /// Watches for the end of the last process of a group; the watch goes with the group.
    void watch(const std::string& group);
    /// No run uses the group any more: it is removed when there is nothing else to do, unless the next run comes first.
    void retire(const std::string& group, bool killed);

    ControllerSet enabled() const { return enabled_; }
    bool has(Controller controller) const { return (enabled_ & bit_of(controller)) != 0; }

    const CgroupRoot root;

private:
    void forget_changes();

    std::string name_;
    ControllerFaults faults_ = root.controller_faults();
    ControllerSet enabled_ = 0;
    std::optional<CgroupRoot> previous_;  ///< of an earlier daemon that was started in another group
    EventLoop& loop_;
    Fd changes_;  ///< inotify(7)
    std::unique_ptr<Watch> changes_watch_;
    /// A zombie of the run before may be in a group that is used again, until there was a moment without any.
    struct Use {
        Incarnation run;
        std::optional<std::uint64_t> again_since;  ///< as of collections_
    };
    std::map<std::string, Use> in_use_;
    std::map<std::string, Use> retired_;  ///< by their last runs
    std::uint64_t collections_ = 0;
    std::unique_ptr<Watch> removal_;
};

class CgroupTree final : public Tree {
public:
    CgroupTree(Cgroups& groups, std::string group, bool used_before)
        : groups_(groups), group_(std::move(group)), used_before_(used_before) {}
    ~CgroupTree() override { groups_.retire(group_, killed_); }
    void began(pid_t main) override {
        main_ = main;
        // Not before the launch, which would wait for it: the kernel sums up what all CPUs have counted.
        if (used_before_) cpu_before_ = read_cpu_time(groups_.root.descriptor(), group_).value_or(Duration());
    }
    void main_is(pid_t child) override { main_ = child; }
    bool holds(pid_t pid) const override { return groups_.root.group_of(pid) == group_; }
    void signal_main(int signal) override { ::kill(main_, signal); }
    void signal_all(int signal) override { groups_.root.signal(group_, signal); }
    void pause(bool pause) override { groups_.root.freeze(group_, pause); }
    void child_ended(bool kill) override {
        if (!is_empty() && kill) this->kill();
    }
    void kill() override {
        killed_ = true;
        groups_.root.kill(group_);
    }
    bool was_killed() const override { return killed_; }
    bool is_empty() override {
        // Once empty it stays so: only its own processes can make more of them.
        if (!empty_) empty_ = !groups_.root.is_populated(group_);
        return empty_;
    }
    void await_empty() override { groups_.watch(group_); }
    TreeUsage usage(bool few) const override {
        auto usage = read_usage(groups_.root.descriptor(), group_, groups_.enabled());
        if (few && !usage.complete()) add_usage_of_few(groups_.root.descriptor(), group_, usage);
        if (usage.cpu) *usage.cpu -= cpu_before_;
        return usage;
    }
    std::uint64_t droppable_memory() const override {
        return groups_.has(Controller::Memory) ? read_droppable_memory(groups_.root.descriptor(), group_) : 0;
    }
    OomKills oom_kills() const override {
        return groups_.has(Controller::Memory) ? read_oom_kills(groups_.root.descriptor(), group_) : OomKills{};
    }

private:
    Cgroups& groups_;
    std::string group_;
    bool used_before_;
    Duration cpu_before_{};  ///< CPU time of earlier runs in the group
    pid_t main_ = 0;
    bool empty_ = false;
    bool killed_ = false;
};

Cgroups::Cgroups(std::string name, CgroupRoot claimed, std::optional<CgroupRoot> previous, Fd changes, EventLoop& loop,
                 TreeObserver& observer)
    : root(std::move(claimed)),
      name_(std::move(name)),
      previous_(std::move(previous)),
      loop_(loop),
      changes_(std::move(changes)) {
    changes_watch_ = loop_.watch_fd(changes_.get(), EPOLLIN, Priority::Exit, [this, &observer](std::uint32_t) {
        forget_changes();
        observer.look_at_leftovers();
    });
}

Cgroups::~Cgroups() {
    unlink(record_of(name_).c_str());
    root.remove();
    if (previous_) previous_->remove();
}

void Cgroups::forget_changes() {
    alignas(inotify_event) std::array<char, 4096> events;
    while (read(changes_.get(), events.data(), events.size()) > 0) {
    }
}

void Cgroups::enable(ControllerSet wanted) {
    for (std::size_t i = 0; i < kControllerNames.size(); ++i) {
        const auto controller = static_cast<Controller>(i);
        if ((wanted & bit_of(controller)) == 0 || has(controller) || !faults_[i].empty()) continue;
        if (const auto done = enable_controller(root.descriptor(), controller); !done) {
            faults_[i] = done.error().message;
        } else {
            enabled_ |= bit_of(controller);
        }
    }
}

Result<std::unique_ptr<Tree>> Cgroups::enclose(const InstanceName& name, const std::vector<TreeLimit>& limits,
                                               Incarnation incarnation, Enclosure& enclosure) {
    // What an earlier run was allowed to leave behind keeps its group.
    auto group = name.instance + std::string(kSuffix);
    for (int number = 2; in_use_.contains(group); ++number) {
        group = name.instance + kNumberMark + std::to_string(number) + std::string(kSuffix);
    }
    const bool again = retired_.erase(group) > 0;
    auto opened = root.open_empty(group);
    if (!opened) return opened.error();
    enclosure.cgroup = std::move(*opened);
    enclosure.refused = put_limits(enclosure.cgroup.get(), limits, enabled_);
    in_use_[group] = {incarnation, again ? std::optional(collections_) : std::nullopt};
    return std::unique_ptr<Tree>(std::make_unique<CgroupTree>(*this, std::move(group), again));
}

std::optional<std::string> Cgroups::instance_of(pid_t pid) const {
    auto group = root.group_of(pid);
    if (!group || !group->ends_with(kSuffix)) return std::nullopt;
    group->resize(std::min(group->find(kNumberMark), group->size() - kSuffix.size()));
    return group;
}

Incarnation Cgroups::run_of(pid_t pid) const {
    const auto group = root.group_of(pid);
    if (!group) return 0;
    for (const auto* groups : {&in_use_, &retired_}) {
        const auto found = groups->find(*group);
        if (found == groups->end()) continue;
        return found->second.again_since == collections_ ? 0 : found->second.run;
    }
    return 0;
}

void Cgroups::watch(const std::string& group) {
    // Late by up to 12 ms: most ends are known earlier, from the orphan that was collected.
    inotify_add_watch(changes_.get(), (root.path() + "/" + group + "/cgroup.events").c_str(), IN_MODIFY);
}

void Cgroups::retire(const std::string& group, bool killed) {
    // See CgroupRoot::kill(): the next run needs another one of that name. With a controller it would have the limits and counters
    // of this one.
    if (killed || enabled_ != 0) root.remove(group);
    retired_.insert(in_use_.extract(group));
    if (removal_) return;
    removal_ = loop_.call_each_turn(Priority::Idle, [this] {
        for (const auto& [name, last_run] : std::exchange(retired_, {})) root.remove(name);
        removal_.reset();
    });
}

/// Where the last daemon with this runtime directory had its groups; from now on, where this one has them.
std::optional<CgroupRoot> exchange_record(std::string_view runtime_dir, const std::string& path) {
    const auto record = record_of(runtime_dir);
    std::string before;
    std::getline(std::ifstream(record), before);
    std::ofstream(record) << path << "\n";
    return before.empty() || before == path ? std::nullopt : CgroupRoot::find(before);
}

}  // namespace

Result<std::unique_ptr<Containment>> contain_by_cgroups(const ContainmentPlace& place, EventLoop& loop,
                                                        TreeObserver& observer) {
    auto root = CgroupRoot::claim(place.runtime_dir, place.delegated);
    if (!root) return root.error();
    Fd changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (changes) changes.reset(fcntl(changes.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!changes) return os_failure("watch cgroups", errno);
    auto previous = exchange_record(place.runtime_dir, root->path());
    return std::unique_ptr<Containment>(std::make_unique<Cgroups>(
        place.runtime_dir, std::move(*root), std::move(previous), std::move(changes), loop, observer));
}

}  // namespace procsup
