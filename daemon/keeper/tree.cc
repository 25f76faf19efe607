#include "daemon/keeper/tree.h"

#include <signal.h>
#include <sys/mman.h>

#include <bit>

#include "common/raw_syscall.h"

namespace procsup::keeper {
namespace {

/// What one order takes at most: a tree in which processes come and go all the time must not hold up the keeper.
constexpr int kMostLooks = 32;

}  // namespace

Tree::Tree(pid_t keeper)
    : keeper_(keeper),
      outside_(session_of(static_cast<pid_t>(raw_syscall(SYS_getppid)))),
      sees_children_(proc_counts_as(keeper)) {
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

void Tree::remember(const Known& entry) {
    const auto number = static_cast<std::size_t>(entry.pid);
    space_->known[number / 64] |= std::uint64_t{1} << (number % 64);
    if (count_ < kMaxPids) space_->list[count_++] = entry;
}

/// Whether the process that is held by the number of `entry` is the one that was remembered, or another of the job's.
bool Tree::is_the_same(const Known& entry, const Process& process) const {
    // If that is no longer the one that is held, to signal it does nothing.
    if (entry.session != 0) return session_of(entry.pid) == entry.session;
    Stat stat;
    return entry.started == 0 || (process.read(stat) && stat.started == entry.started);
}

void Tree::send(const Known& entry, int signal) const {
    if (entry.session == 0 && entry.started == 0) {
        raw_syscall(SYS_kill, entry.pid, signal);
        return;
    }
    const Process process(entry.pid);
    if (is_the_same(entry, process)) process.signal(signal);
}

void Tree::signal_children(int signal) const {
    if (!sees_children_) return;
    Children children(keeper_);
    while (const pid_t pid = children.next()) raw_syscall(SYS_kill, pid, signal);
}

/// Takes in `pid`, which was in a list of the children of `below` a moment ago. Either number may have gone to a
/// process that is not the job's since: only one that is held, and then seen in the session of a parent that was held
/// before and still exists, or below it, is the one meant. False when it is not.
bool Tree::adopt(pid_t pid, const Process& parent, const Known& below, int signal) {
    const Process process(pid);
    const pid_t session = signal != 0 ? session_of(pid) : 0;
    Stat stat;
    if (session == 0 || session != below.session || !parent.exists()) {
        if (!process.read(stat)) return false;
        if (stat.parent != keeper_ && (stat.parent != below.pid || !parent.exists())) return false;
    }
    if (signal != 0) process.signal(signal);
    // Only now that it has a signal which stops it: one that runs can leave its session at any time (setsid(2)).
    const pid_t last = signal != 0 ? session_of(pid) : 0;
    const bool known_by_session = last != 0 && last != outside_ && process.exists();
    if (!known_by_session && stat.started == 0) return false;
    remember({pid, known_by_session ? last : 0, stat.started});
    return true;
}

void Tree::look_below(const Known& entry, int signal) {
    Children children(entry.pid);
    Process parent;
    while (const pid_t pid = children.next()) {
        if (is_known(pid)) continue;
        if (!parent.is_held()) {
            parent.hold(entry.pid);
            if (!is_the_same(entry, parent)) {
                disturbed_ = true;
                return;
            }
        }
        if (!adopt(pid, parent, entry, signal)) disturbed_ = true;
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
        remember({pid, 0, 0});
    }
    for (std::size_t i = 0; i < count_; ++i) look_below(Known(space_->list[i]), signal);
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
