#include "daemon/host/containment/keepers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/host/child.h"
#include "daemon/host/containment/descent.h"
#include "daemon/keeper/protocol.h"

namespace procsup {
namespace {

class Keepers final : public Containment {
public:
    Keepers(EventLoop& on_loop, TreeObserver& told, std::string program, std::string no_cgroups)
        : loop(on_loop), observer(told), program_(std::move(program)), no_cgroups_(std::move(no_cgroups)) {}

    ContainmentMode mode() const override { return ContainmentMode::Keeper; }
    std::string place(std::string_view) const override { return {}; }
    ControllerFaults controller_faults() const override { return all_faults("no cgroups are used: " + no_cgroups_); }
    Result<std::unique_ptr<Tree>> enclose(const InstanceName& name, const std::vector<TreeLimit>& limits,
                                          Incarnation incarnation, Enclosure& enclosure) override;
    std::optional<std::string> instance_of(pid_t) const override { return std::nullopt; }
    Incarnation run_of(pid_t) const override { return 0; }
    bool clear_leftovers() override { return true; }
    Fd guarded() const override { return Fd(); }

    EventLoop& loop;
    TreeObserver& observer;

private:
    std::string program_;
    std::string no_cgroups_;
};

class KeeperTree final : public Tree {
public:
    KeeperTree(Keepers& keepers, Incarnation incarnation, Fd socket);

    void began(pid_t child) override { keeper_ = child; }
    // Read before it looks at its children for the first time.
    void may_go_on() override { order(keeper::Op::AskAtEnd, 0); }
    // What loses its parent comes to the keeper, or to a process below it.
    bool holds(pid_t pid) const override { return keeper_ != 0 && descends_from(pid, keeper_); }
    // What it has reported is all in the socket.
    void child_ended(bool) override { read_reports(); }
    void signal_main(int signal) override { order(keeper::Op::SignalMain, signal); }
    void signal_all(int signal) override { order(keeper::Op::SignalAll, signal); }
    void pause(bool pause) override { order(pause ? keeper::Op::Pause : keeper::Op::Resume, 0); }
    void kill() override {
        // A keeper that does not read its orders is stopped, or something is wrong with it: what it holds comes to the
        // daemon when it ends.
        if (!order(keeper::Op::KillAll, 0)) ::kill(keeper_, SIGKILL);
    }
    bool was_killed() const override { return false; }  // what was killed the keeper has collected
    bool is_empty() override { return empty_; }
    void await_empty() override {}

private:
    bool order(keeper::Op op, int number, int handle = -1);
    void look(std::uint32_t events);
    void read_reports();
    bool take(const keeper::Report& report);
    void answer();
    void tell_orphans(const keeper::Report& report);

    Keepers& keepers_;
    Incarnation incarnation_;
    pid_t keeper_ = 0;
    Fd socket_;
    std::unique_ptr<Watch> watch_;
    bool empty_ = false;
    bool owes_answer_ = false;  ///< to a keeper with orders unread that leave no room for one
    Orphaned told_;
    Orphaned told_mains_;
};

Duration to_duration(std::uint64_t usec) { return Duration(static_cast<std::int64_t>(usec)); }

KeeperTree::KeeperTree(Keepers& keepers, Incarnation incarnation, Fd socket)
    : keepers_(keepers), incarnation_(incarnation), socket_(std::move(socket)) {
    watch_ =
        keepers_.loop.watch_fd(socket_.get(), EPOLLIN, Priority::Exit, [this](std::uint32_t events) { look(events); });
}

bool KeeperTree::order(keeper::Op op, int number, int handle) {
    keeper::Order order{op, number};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(handle))] = {};
    iovec part{&order, sizeof(order)};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (handle >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(handle));
        memcpy(CMSG_DATA(header), &handle, sizeof(handle));
    }
    return sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(order);
}

void KeeperTree::answer() {
    const auto next = keepers_.observer.next_main(incarnation_);
    bool done = order(keeper::Op::GoOnWith, next.pid, next.handle);
    // The keeper waits for one, also where descriptors cannot be passed.
    if (!done && errno != EAGAIN) done = order(keeper::Op::GoOnWith, 0);
    owes_answer_ = !done && errno == EAGAIN;
    watch_->set_events(owes_answer_ ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void KeeperTree::look(std::uint32_t events) {
    if (owes_answer_ && (events & EPOLLOUT) != 0) answer();
    read_reports();
}

/// A report has the sums from the keeper's beginning.
void KeeperTree::tell_orphans(const keeper::Report& report) {
    const Orphaned all{report.orphans, to_duration(report.orphans_usec)};
    keepers_.observer.orphans_collected(incarnation_, {all.count - told_.count, all.cpu - told_.cpu});
    told_ = all;
    const Orphaned mains{report.former_mains, to_duration(report.former_mains_usec)};
    keepers_.observer.former_mains_collected(incarnation_,
                                             {mains.count - told_mains_.count, mains.cpu - told_mains_.cpu});
    told_mains_ = mains;
}

/// The last report takes this tree with it.
void KeeperTree::read_reports() {
    keeper::Report report{};
    for (;;) {
        const ssize_t size = recv(socket_.get(), &report, sizeof(report), MSG_DONTWAIT);
        // A keeper that ends with orders unread leaves this once, in front of its reports (unix(7)).
        if (size < 0 && (errno == ECONNRESET || errno == EINTR)) continue;
        if (size != sizeof(report)) {
            // The end of the keeper is the reaper's to tell.
            if (size >= 0) watch_.reset();
            return;
        }
        if (take(report)) return;
    }
}

/// Whether it was the last.
bool KeeperTree::take(const keeper::Report& report) {
    empty_ = report.empty != 0;
    auto& observer = keepers_.observer;
    tell_orphans(report);
    const bool last = empty_;
    switch (report.kind) {
        case keeper::Kind::MainAtEnd: answer(); break;
        case keeper::Kind::GoesOn: observer.goes_on(incarnation_, report.status); break;
        case keeper::Kind::MainEnded:
            observer.main_ended(incarnation_, ExitStatus::from_waitid(report.code, report.status),
                                to_duration(report.main_usec), last);
            break;
        case keeper::Kind::Empty: observer.look_at_leftovers(); break;
    }
    return last;
}

Result<std::unique_ptr<Tree>> Keepers::enclose(const InstanceName&, const std::vector<TreeLimit>&,
                                               Incarnation incarnation, Enclosure& enclosure) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return os_failure("make a pair of sockets", errno);
    Fd own(ends[0]);
    enclosure.keeper_socket.reset(ends[1]);
    own.reset(fcntl(own.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!own) return os_failure("keep a socket", errno);
    enclosure.keeper = program_.c_str();
    return std::unique_ptr<Tree>(std::make_unique<KeeperTree>(*this, incarnation, std::move(own)));
}

}  // namespace

std::unique_ptr<Containment> contain_by_keepers(std::string program, std::string no_cgroups, EventLoop& loop,
                                                TreeObserver& observer) {
    return std::make_unique<Keepers>(loop, observer, std::move(program), std::move(no_cgroups));
}

}  // namespace procsup
