#include "daemon/host/spawner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/host/child.h"
#include "daemon/host/launch_slot.h"

namespace procsup {
namespace {

/// While more launches than this are under way, their first steps are what the daemon waits for.
constexpr std::size_t kFew = 2;
/// A launch that takes longer no longer keeps others waiting: its directory or program is on a file system that hangs.
constexpr auto kHangs = std::chrono::milliseconds(100);

void wait_until_cleared(std::atomic<std::uint32_t>& word) {
    while (word.load(std::memory_order_acquire) != 0) {
        syscall(SYS_futex, &word, FUTEX_WAIT, 1, nullptr, nullptr, 0);
    }
}

}  // namespace

Spawner::Spawner(SdEventLoop& loop, LaunchObserver& observer) : loop_(loop), observer_(observer) {
    std::uint64_t random = 0;
    // Never blocks after boot, and a short read only makes the ids of one daemon less unlike those of another.
    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    invocation_prefix_ = fmt::format("{:016x}", random);
    // Clients and, later, jobs' descriptors are many; programs that use select(2) want the limit they were given.
    getrlimit(RLIMIT_NOFILE, &original_open_files_);
    const rlimit raised{original_open_files_.rlim_max, original_open_files_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &raised);
}

Spawner::~Spawner() {
    settle_all();
    if (first_low_fd_ == 0) return;
    close_range(static_cast<unsigned>(first_low_fd_) - 1, static_cast<unsigned>(first_low_fd_) + kLowFds * kFdsEach - 1,
                0);
}

Result<void> Spawner::reserve_fds() {
    drops_privileges_ = geteuid() != 0;
    inherits_capabilities_ = have_inheritable_capabilities();
    // One in front for what all keepers hold open.
    constexpr int kCount = static_cast<int>(kLowFds * kFdsEach) + 1;
    null_.reset(open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null_) return os_failure("open /dev/null", errno);
    null_.reset(fcntl(null_.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!null_) return Error{"cannot run with so few descriptors: raise RLIMIT_NOFILE (ulimit -n)", errno};
    // A run of numbers that are all free: dup3 would close what has them.
    int run = 0;
    for (int fd = kFirstReservedFd; fd < kFirstKeptFd && run < kCount; ++fd) {
        run = fcntl(fd, F_GETFD) < 0 ? run + 1 : 0;
        first_low_fd_ = fd + 1 - run;
    }
    if (run < kCount) return os_failure("reserve descriptors below " + std::to_string(kFirstKeptFd), EMFILE);
    for (int fd = first_low_fd_; fd < first_low_fd_ + kCount; ++fd) {
        if (dup3(null_.get(), fd, O_CLOEXEC) < 0) return os_failure("reserve descriptors", errno);
    }
    ++first_low_fd_;
    return {};
}

void Spawner::launch(LaunchOrder order) {
    waiting_.push_back(std::move(order));
    pump();
}

bool Spawner::cancel(Incarnation incarnation) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const auto& order) { return order.incarnation == incarnation; });
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    return true;
}

void Spawner::pump() {
    const auto now = loop_.now();
    std::size_t hanging = 0;
    if (in_flight_ > kFew) {
        for (const auto& slot : slots_) hanging += slot->incarnation != 0 && now - slot->begun >= kHangs ? 1 : 0;
    }
    while (!waiting_.empty() && in_flight_ - hanging < kOverlap && in_flight_ < kMaxSlots) {
        LaunchOrder order = std::move(waiting_.front());
        waiting_.pop_front();
        start(std::move(order));
    }
    const bool many = in_flight_ - hanging > kFew;
    realtime_.stand_back(many);
    if (waiting_.empty() && !many) {
        look_again_.reset();
    } else if (!look_again_) {
        look_again_ = loop_.call_at(now + kHangs, [this] {
            look_again_.reset();
            pump();
        });
    }
}

void Spawner::start(LaunchOrder order) {
    const auto incarnation = order.incarnation;
    Slot* slot = free_slot();
    const auto refuse = [&](SpawnStage stage, int os_error) {
        if (slot != nullptr) release(*slot);
        observer_.launch_refused(incarnation, stage, os_error);
    };
    if (slot == nullptr) return refuse(SpawnStage::Clone, ENOMEM);
    const auto enclosure = observer_.enclose(incarnation, *order.name);
    if (!enclosure) return refuse(SpawnStage::Containment, enclosure.error().os_error);
    if (!open_status_pipe(*slot)) return refuse(SpawnStage::Clone, errno);
    prepare(*slot, order);
    if (!prepare_keeper(*slot, order, *enclosure)) return refuse(SpawnStage::Clone, ENOMEM);
    if (const auto done = prepare_filter(*slot, order); !done) {
        return refuse(SpawnStage::Filter, done.error().os_error);
    }
    const long result = create_process(*slot, *enclosure);
    if (result < 0) {
        slot->plan.shares_fds = 0;
        slot->keeper.shares_fds = 0;
        return refuse(SpawnStage::Clone, static_cast<int>(-result));
    }
    slot->incarnation = incarnation;
    slot->pid = static_cast<pid_t>(result);
    slot->begun = loop_.now();
    ++in_flight_;
    slot->watch = loop_.watch_fd(slot->status.get(), EPOLLIN, Priority::SpawnResult, [this, slot](std::uint32_t) {
        read_status(*slot, false);
        pump();
    });
    observer_.launched(incarnation, slot->pid);
    if (!slot->kept) tell_created(*slot);
}

Spawner::Slot* Spawner::free_slot() {
    const auto found =
        std::find_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot->incarnation == 0; });
    if (found != slots_.end()) return found->get();
    auto slot = std::make_unique<Slot>();
    slot->stack = Slot::map_stack();
    if (slot->stack == nullptr) return nullptr;
    slots_.push_back(std::move(slot));
    return slots_.back().get();
}

/// The write end takes the group's first reserved number; both processes must have closed it before the pipe reports its
/// end, which is what a successful exec looks like.
bool Spawner::open_status_pipe(Slot& slot) {
    if (Slot* before = low_fds_[next_low_]) settle(*before);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return false;
    slot.status.reset(ends[0]);
    slot.low_group = static_cast<int>(next_low_);
    slot.plan.status_fd = first_low_fd_ + slot.low_group * static_cast<int>(kFdsEach);
    dup3(ends[1], slot.plan.status_fd, O_CLOEXEC);
    close(ends[1]);
    low_fds_[next_low_] = &slot;
    next_low_ = (next_low_ + 1) % kLowFds;
    return true;
}

void Spawner::set_keeper_lock(const Fd& lock) {
    dup3(lock.get(), first_low_fd_ - 1, O_CLOEXEC);
    keeper_lock_fd_ = first_low_fd_ - 1;
}

pid_t Spawner::process_of(Incarnation incarnation) {
    for (auto& slot : slots_) {
        if (slot->incarnation != incarnation) continue;
        settle(*slot);
        return slot->kept ? slot->keeper.main_pid.load(std::memory_order_relaxed) : slot->pid;
    }
    return 0;
}

void Spawner::tell_created(Slot& slot) {
    const pid_t pid = slot.kept ? slot.keeper.main_pid.load(std::memory_order_relaxed) : slot.pid;
    if (pid != 0 && !std::exchange(slot.created_told, true)) observer_.created(slot.incarnation, pid);
}

long Spawner::create_process(Slot& slot, const Enclosure& enclosure) {
    slot.plan.shares_fds.store(1, std::memory_order_relaxed);
    clone_args args{};
    const bool own_memory = slot.plan.own_memory && !slot.kept;
    args.flags = own_memory ? 0 : CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID;
    args.child_tid = reinterpret_cast<std::uint64_t>(&slot.plan.shares_fds);
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uint64_t>(slot.stack);
    args.stack_size = Slot::kStackSize;
    int (*begin)(void*) = child_main;
    void* plan = &slot.plan;
    if (slot.kept) {
        slot.keeper.shares_fds.store(1, std::memory_order_relaxed);
        args.child_tid = reinterpret_cast<std::uint64_t>(&slot.keeper.shares_fds);
        args.stack = reinterpret_cast<std::uint64_t>(slot.keeper_stack);
        begin = keeper_main;
        plan = &slot.keeper;
    }
    if (enclosure.cgroup) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<std::uint64_t>(enclosure.cgroup.get());
    }
#if PROCSUP_HAS_CLONE3
    if (clone3_works_) {
        const long result = procsup_clone3(&args, sizeof(args), begin, plan);
        if (own_memory) slot.plan.shares_fds.store(0, std::memory_order_relaxed);
        // Container run-times of the past refuse clone3 as if the kernel lacked it.
        if (result != -ENOSYS) return result;
        clone3_works_ = false;
    }
#endif
    const pid_t pid = fork();
    if (pid == 0) _exit(child_main(&slot.plan));
    slot.plan.shares_fds.store(0, std::memory_order_relaxed);
    return pid < 0 ? -errno : pid;
}

void Spawner::settle() {
    bool all = true;
    for (Slot* slot : low_fds_) {
        if (slot == nullptr) continue;
        const bool kept = slot->kept && slot->keeper.shares_fds.load(std::memory_order_acquire) != 0;
        if (!kept && slot->plan.shares_fds.load(std::memory_order_acquire) == 0) {
            settle(*slot);
        } else {
            all = false;
        }
    }
    // Waiting for the others is the last thing before the loop sleeps: mostly there is something else to do until then.
    if (!all && !settle_rest_) {
        settle_rest_ = loop_.call_each_turn(Priority::Idle, [this] {
            settle_rest_.reset();
            settle_all();
        });
    }
}

void Spawner::settle_all() {
    for (Slot* slot : low_fds_) {
        if (slot != nullptr) settle(*slot);
    }
}

void Spawner::settle(Slot& slot) {
    if (slot.low_group < 0) return;
    if (slot.kept) wait_until_cleared(slot.keeper.shares_fds);
    // A keeper that has ended before it made the process leaves nobody to wait for.
    if (!slot.kept || slot.keeper.main_pid.load(std::memory_order_relaxed) != 0)
        wait_until_cleared(slot.plan.shares_fds);
    const int used = slot.plan.ready_source >= 0 ? 5 : slot.passes_fds ? 4 : 1;
    for (int i = 0; i < used; ++i) dup3(null_.get(), slot.plan.status_fd + i, O_CLOEXEC);
    if (slot.kept) dup3(null_.get(), slot.plan.keeper_socket, O_CLOEXEC);
    low_fds_[static_cast<std::size_t>(slot.low_group)] = nullptr;
    slot.low_group = -1;
}

void Spawner::process_ended(Incarnation incarnation) {
    for (auto& slot : slots_) {
        if (slot->incarnation != incarnation) continue;
        if (!slot->failure_told) read_status(*slot, true);
        if (slot->incarnation == incarnation) release(*slot);
        pump();
        return;
    }
}

void Spawner::read_status(Slot& slot, bool ended) {
    settle(slot);
    ChildFailure failure{};
    ssize_t size = read(slot.status.get(), &failure, sizeof(failure));
    if (size == static_cast<ssize_t>(sizeof(failure)) && failure.stage == SpawnStage::None) {
        slot.plan.unmet = static_cast<std::uint32_t>(failure.resource);
        size = read(slot.status.get(), &failure, sizeof(failure));
    }
    // Another child may hold a copy of the write end for an instant; of one that has ended nothing more comes.
    if (size < 0 && (errno == EAGAIN || errno == EINTR) && !ended) return;
    const auto incarnation = slot.incarnation;
    tell_created(slot);
    if (size == static_cast<ssize_t>(sizeof(failure))) {
        // The child still runs on the slot's stack, until it has ended.
        slot.failure_told = true;
        slot.watch.reset();
        observer_.failed_before_exec(incarnation, failure);
        return;
    }
    const auto unmet = slot.plan.unmet;
    release(slot);
    observer_.executed(incarnation, unmet);
}

void Spawner::release(Slot& slot) {
    settle(slot);
    if (slot.incarnation != 0) --in_flight_;
    slot.watch.reset();
    slot.status.reset();
    slot.sandbox.release();
    slot.incarnation = 0;
    slot.pid = 0;
    slot.failure_told = false;
    slot.created_told = false;
}

}  // namespace procsup
