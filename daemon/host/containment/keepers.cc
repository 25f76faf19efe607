#include "daemon/host/containment/keepers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/host/child.h"
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
    bool order(keeper::Op op, int signal);
    void read_reports();
    void tell_orphans(const keeper::Report& report);

    Keepers& keepers_;
    Incarnation incarnation_;
    pid_t keeper_ = 0;
    Fd socket_;
    std::unique_ptr<Watch> watch_;
    bool empty_ = false;
    Orphaned told_;
};

Duration to_duration(std::uint64_t usec) { return Duration(static_cast<std::int64_t>(usec)); }

KeeperTree::KeeperTree(Keepers& keepers, Incarnation incarnation, Fd socket)
    : keepers_(keepers), incarnation_(incarnation), socket_(std::move(socket)) {
    watch_ = keepers_.loop.watch_fd(socket_.get(), EPOLLIN, Priority::Exit, [this](std::uint32_t) { read_reports(); });
}

bool KeeperTree::order(keeper::Op op, int signal) {
    const keeper::Order order{op, signal};
    return send(socket_.get(), &order, sizeof(order), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(order);
}

/// A report has the sums from the keeper's beginning.
void KeeperTree::tell_orphans(const keeper::Report& report) {
    const Orphaned all{report.orphans, to_duration(report.orphans_usec)};
    keepers_.observer.orphans_collected(incarnation_, {all.count - told_.count, all.cpu - told_.cpu});
    told_ = all;
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
        empty_ = report.empty != 0;
        auto& observer = keepers_.observer;
        tell_orphans(report);
        if (report.kind == keeper::Kind::Empty) return observer.look_at_leftovers();
        const bool last = empty_;
        observer.main_ended(incarnation_, ExitStatus::from_waitid(report.code, report.status),
                            to_duration(report.main_usec), last);
        if (last) return;
    }
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
