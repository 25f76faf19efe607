#include "daemon/keeper/keeper.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/raw_syscall.h"
#include "daemon/keeper/clock.h"
#include "daemon/keeper/tree.h"

namespace procsup::keeper {
namespace {

/// Between two rounds.
constexpr std::int64_t kShortestRest = 10 * kMillisecond;
constexpr std::int64_t kLongestRest = kSecond;

std::uint64_t microseconds(const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

/// The lowest real-time priority, where it is permitted: among thousands of runnable processes a fair share of the
/// processors would let more of them appear than are stopped.
class Precedence {
public:
    Precedence() {
        const sched_param lowest{1};
        taken_ = raw_syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER &&
                 raw_syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &lowest) == 0;
    }
    ~Precedence() {
        const sched_param none{};
        if (taken_) raw_syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
    }
    Precedence(const Precedence&) = delete;
    Precedence& operator=(const Precedence&) = delete;

private:
    bool taken_;
};

/// __WALL: a main process may have been made with another signal than SIGCHLD, or none.
constexpr int kEnded = WEXITED | WNOHANG | __WALL;

/// A child that has ended, and stays to be collected: of these, whichever comes first. 0: there is none; less: no child is.
long find_ended(int kind, int id) {
    siginfo_t info;
    info.si_pid = 0;
    const long result = raw_syscall(SYS_waitid, kind, id, &info, kEnded | WNOWAIT, nullptr);
    return result < 0 ? result : info.si_pid;
}

/// One packet, and the descriptor that comes with it or -1.
long receive(int socket, Order& order, int& fd) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec part{&order, sizeof(order)};
    msghdr message;
    message.msg_name = nullptr;
    message.msg_namelen = 0;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const long size = raw_syscall(SYS_recvmsg, socket, &message, MSG_DONTWAIT);
    const cmsghdr* header = size > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    const bool with_fd = header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS;
    fd = with_fd ? *reinterpret_cast<const int*>(CMSG_DATA(header)) : -1;
    return size;
}

}  // namespace

void Keeper::collect() {
    for (;;) {
        pid_t next = 0;
        if (asks_ && main_ != 0 && !comes_before_main(next)) return;
        siginfo_t info;
        rusage usage;
        info.si_pid = 0;
        const long result = raw_syscall(SYS_waitid, next == 0 ? P_ALL : P_PID, next, &info, kEnded, &usage);
        children_left_ = result == 0;
        if (result < 0 || info.si_pid == 0) return;
        progress_ = true;
        const std::uint64_t usec = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
        if (info.si_pid == former_main_) {
            former_main_ = 0;
            ++report_.former_mains;
            report_.former_mains_usec += usec;
            continue;
        }
        if (info.si_pid != main_) {
            ++report_.orphans;
            report_.orphans_usec += usec;
            continue;
        }
        main_ = 0;
        report_.code = info.si_code;
        report_.status = info.si_status;
        report_.main_usec = usec;
    }
}

/// The next to be collected, if it ended before the main process: that is looked at last.
bool Keeper::comes_before_main(pid_t& next) {
    const long found = find_ended(P_ALL, 0);
    children_left_ = found >= 0;
    if (found <= 0) return false;
    if (find_ended(P_PID, main_) == main_) {
        ask();
        return false;
    }
    next = static_cast<pid_t>(found);
    return true;
}

void Keeper::ask() {
    if (asked_) return;
    asked_ = true;
    tell(Kind::MainAtEnd);
}

void Keeper::go_on_with(pid_t next, int handle) {
    // Whoever answers has had the question.
    if (!asked_ || queued_ > 0) return;
    asked_ = false;
    // As a child that is not collected it has its number; who is not a child yet has a parent that can collect it.
    asks_ = next > 0 && next != main_ && handle >= 0 && find_ended(P_PIDFD, handle) >= 0;
    if (!asks_) return;
    former_main_ = main_;
    main_ = next;
    tell(Kind::GoesOn).status = next;
}

Report& Keeper::tell(Kind kind) {
    Report& report = queue_[queued_++];
    report = report_;
    report.kind = kind;
    report.empty = children_left_ ? 0 : 1;
    return report;
}

void Keeper::send_reports() {
    while (queued_ > 0 && socket_ >= 0) {
        const long sent =
            raw_syscall(SYS_sendto, socket_, &queue_[0], sizeof(Report), MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
        if (sent == -EPIPE || sent == -ECONNRESET || sent == -ENOTCONN) return lose_procsupd();
        if (sent < 0) return;
        --queued_;
        for (int i = 0; i < queued_; ++i) queue_[i] = queue_[i + 1];
    }
}

void Keeper::lose_procsupd() {
    raw_syscall(SYS_close, socket_);
    socket_ = -1;
    begin(Effort::Kill);
}

void Keeper::begin(Effort effort) {
    if (effort_ == Effort::Kill) return;
    effort_ = effort;
    // With everything else a next main process is to end.
    if (effort == Effort::Kill) asks_ = false;
    next_round_ = 0;
    rest_ = 0;
}

void Keeper::take_order() {
    Order order{};
    int handle = -1;
    if (socket_ < 0) return;
    const long size = receive(socket_, order, handle);
    if (size == -EAGAIN) return;
    if (size <= 0) return lose_procsupd();
    if (size == sizeof(order) && effort_ != Effort::Kill) carry_out(order, handle);
    if (handle >= 0) raw_syscall(SYS_close, handle);
}

void Keeper::carry_out(const Order& order, int handle) {
    constexpr std::int32_t kLastSignal = 64;
    if (order.op == Op::AskAtEnd) {
        asks_ = true;
        return;
    }
    if (order.op == Op::GoOnWith) return go_on_with(order.signal, handle);
    const bool signals = order.op == Op::SignalMain || order.op == Op::SignalAll;
    if (signals && (order.signal < 1 || order.signal > kLastSignal)) return;
    // Whatever it is, it is not to be undone by a pause from before.
    begin(Effort::None);
    switch (order.op) {
        case Op::SignalMain:
            // Not collected, so the number is still its own.
            if (main_ == 0) return;
            raw_syscall(SYS_kill, main_, order.signal);
            return;
        case Op::SignalAll: return Tree(self_).signal_all(order.signal);
        case Op::KillAll: return begin(Effort::Kill);
        case Op::Pause: return begin(Effort::Pause);
        case Op::Resume: return Tree(self_).signal_all(SIGCONT);
        case Op::AskAtEnd:
        case Op::GoOnWith: return;
    }
}

bool Keeper::is_at_work() const { return effort_ != Effort::None && children_left_; }

/// One round, if it is time. What is left after one is on its way, or was started meanwhile, or cannot be killed or
/// stopped: rounds become rare when nothing ends any more. A pause is given up then, as a process can wait for a
/// stopped one in a state that a signal does not change (vfork(2)).
void Keeper::work() {
    const std::int64_t begun = monotonic_now();
    if (begun < next_round_) return;
    bool done = false;
    {
        const Precedence precedence;
        Tree tree(self_);
        if (effort_ == Effort::Pause) done = tree.freeze();
        if (effort_ == Effort::Kill) tree.kill();
        // Also where there is no /proc to find anything in.
        if (effort_ == Effort::Kill && main_ != 0) raw_syscall(SYS_kill, main_, SIGKILL);
    }
    const std::int64_t now = monotonic_now();
    if (effort_ == Effort::Pause && (done || rest_ >= kLongestRest)) effort_ = Effort::None;
    rest_ = progress_ ? 0 : rest_ * 2;
    if (rest_ < 2 * (now - begun)) rest_ = 2 * (now - begun);
    if (rest_ < kShortestRest) rest_ = kShortestRest;
    if (rest_ > kLongestRest) rest_ = kLongestRest;
    next_round_ = now + rest_;
    progress_ = false;
}

void Keeper::sleep() const {
    pollfd socket{socket_, static_cast<short>(queued_ > 0 ? POLLIN | POLLOUT : POLLIN), 0};
    const std::uint64_t all_but_child = ~(std::uint64_t{1} << (SIGCHLD - 1));
    const std::int64_t left = is_at_work() ? next_round_ - monotonic_now() : 0;
    timespec timeout{};
    if (left > 0) timeout = {left / kSecond, left % kSecond};
    raw_syscall(SYS_ppoll, &socket, 1, is_at_work() ? &timeout : nullptr, &all_but_child, sizeof(all_but_child));
}

int Keeper::run() {
    bool main_told = false;
    for (;;) {
        collect();
        if (main_ != 0 && !children_left_) return kNotStarted;
        if (main_ == 0 && !main_told) {
            main_told = true;
            tell(Kind::MainEnded);
            empty_told_ = !children_left_;
        }
        if (!children_left_ && !empty_told_) {
            empty_told_ = true;
            tell(Kind::Empty);
        }
        send_reports();
        if (empty_told_ && (queued_ == 0 || socket_ < 0)) return 0;
        if (is_at_work()) work();
        sleep();
        take_order();
    }
}

}  // namespace procsup::keeper
