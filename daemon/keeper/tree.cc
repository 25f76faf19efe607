#include "daemon/keeper/tree.h"

#include <signal.h>
#include <sys/mman.h>

#include <bit>

#include "daemon/host/raw_syscall.h"

namespace procsup::keeper {
namespace {

/// What one order takes at most: a tree in which processes come and go all the time must not hold up the keeper.
constexpr int kMostLooks = 32;

}  // namespace

Tree::Tree(pid_t keeper) : keeper_(keeper), sees_children_(proc_counts_as(keeper)) {
    if (!sees_children_) return;
    const long memory = raw_syscall(SYS_mmap, nullptr, sizeof(Space), PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory < 0) return;
    space_ = std::bit_cast<Space*>(memory);
    // A few of its pages are used: no huge one for each.
    raw_syscall(SYS_madvise, space_, sizeof(Space), MADV_NOHUGEPAGE);
}

Tree::~Tree() {
    if (space_ != nullptr) raw_syscall(SYS_munmap, space_, sizeof(Space));
}

bool Tree::is_known(pid_t pid) const {
    const auto number = static_cast<std::size_t>(pid);
    return number >= kMaxPids || (space_->known[number / 64] >> (number % 64) & 1U) != 0;
}

void Tree::remember(pid_t pid, std::uint32_t started) {
    const auto number = static_cast<std::size_t>(pid);
    space_->known[number / 64] |= std::uint64_t{1} << (number % 64);
    if (count_ < kMaxPids) space_->list[count_++] = Known{pid, started};
}

void Tree::send(const Known& entry, int signal) const {
    if (entry.started == 0) {
        raw_syscall(SYS_kill, entry.pid, signal);
        return;
    }
    const Process process(entry.pid);
    Stat stat;
    if (!process.read(stat) || stat.started != entry.started) return;
    process.signal(signal);
}

void Tree::signal_children(int signal) const {
    if (!sees_children_) return;
    Children children(keeper_);
    while (const pid_t pid = children.next()) raw_syscall(SYS_kill, pid, signal);
}

/// Takes in `pid`, which was in a list of the children of `parent_pid` a moment ago. Either number may have gone to a
/// process that is not the job's since: only one that is held, and then seen below a parent that was held before and
/// still exists, is the one meant. False when it is not.
bool Tree::adopt(pid_t pid, const Process& parent, pid_t parent_pid, int signal) {
    const Process process(pid);
    Stat stat;
    if (!process.read(stat)) return false;
    if (stat.parent != keeper_ && (stat.parent != parent_pid || !parent.exists())) return false;
    remember(pid, stat.started);
    if (signal != 0) process.signal(signal);
    return true;
}

void Tree::look_below(const Known& entry, int signal) {
    Children children(entry.pid);
    Process parent;
    while (const pid_t pid = children.next()) {
        if (is_known(pid)) continue;
        if (!parent.is_held()) {
            parent.hold(entry.pid);
            Stat stat;
            if (entry.started != 0 && (!parent.read(stat) || stat.started != entry.started)) return;
        }
        if (!adopt(pid, parent, entry.pid, signal)) disturbed_ = true;
    }
}

/// One look at the whole tree; processes that it finds for the first time get `signal` at once, unless that is 0. The
/// list grows as it is walked. False when there was nothing new.
bool Tree::look(int signal) {
    const std::size_t before = count_;
    disturbed_ = false;
    Children children(keeper_);
    while (const pid_t pid = children.next()) {
        if (is_known(pid)) continue;
        // At once, before anything is read about it: a process that does nothing but fork and end is a child of the
        // keeper's, and it is met by no one who takes his time.
        if (signal != 0) raw_syscall(SYS_kill, pid, signal);
        remember(pid, 0);
    }
    for (std::size_t i = 0; i < count_; ++i) look_below(space_->list[i], signal);
    return count_ != before || disturbed_;
}

void Tree::signal_all(int signal) {
    if (space_ == nullptr) return signal_children(signal);
    for (int looks = 0; looks < kMostLooks; ++looks) {
        const std::size_t first = count_;
        // All are found before the first is signalled: the children of one that ends would be on their way to the
        // keeper while it looks for them.
        const bool more = look(0);
        for (std::size_t i = first; i < count_; ++i) send(space_->list[i], signal);
        if (!more) return;
    }
}

void Tree::stop_all() {
    for (int looks = 0; looks < kMostLooks && look(SIGSTOP); ++looks) {
    }
}

bool Tree::are_at_rest() const {
    for (std::size_t i = 0; i < count_; ++i) {
        const Process process(space_->list[i].pid);
        Stat stat;
        if (process.read(stat) && !stat.is_at_rest()) return false;
    }
    return true;
}

bool Tree::freeze() {
    if (space_ == nullptr) {
        signal_children(SIGSTOP);
        return true;
    }
    stop_all();
    // What was started before the last of them came to rest is there to be seen.
    return are_at_rest() && !look(SIGSTOP);
}

void Tree::kill() {
    if (space_ == nullptr) return signal_children(SIGKILL);
    stop_all();
    // The farthest first. The end of a parent can make its children an orphaned process group, and the kernel wakes the
    // stopped ones of those with SIGHUP and SIGCONT: they are to be dead by then.
    for (std::size_t i = count_; i-- > 0;) send(space_->list[i], SIGKILL);
}

}  // namespace procsup::keeper
