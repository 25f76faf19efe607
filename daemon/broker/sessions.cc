#include "daemon/broker/sessions.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace procsup::broker {
namespace {

/// Of one user, but root.
constexpr std::size_t kMostProcesses = 4096;
/// For which one connection acts.
constexpr std::size_t kMostAttached = 256;

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// The real user of a process; nothing: there is no such process.
std::optional<uid_t> user_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("Uid:")) return static_cast<uid_t>(strtoul(line.c_str() + 4, nullptr, 10));
    }
    return std::nullopt;
}

/// For people, also when the process has gone.
std::string label(const std::string& name, pid_t pid) {
    return (name.empty() ? "a process" : name) + " (pid " + std::to_string(pid) + ")";
}

std::string label_of(pid_t pid) {
    return pid == 0 ? "a process of another container"
                    : label(first_line("/proc/" + std::to_string(pid) + "/comm"), pid);
}

/// A process that has ended and was not collected by its parent yet, as far as we may look at it.
struct Zombie {
    std::string name;
    bool exited_by_itself = false;
};

/// proc(5): the state of /proc/PID/stat is its third field, the status as of waitpid(2) its last.
std::optional<Zombie> look_at_zombie(pid_t pid) {
    const auto line = first_line("/proc/" + std::to_string(pid) + "/stat");
    const auto name = line.find('('), end_of_name = line.rfind(')'), last = line.rfind(' ');
    if (end_of_name == std::string::npos || !std::string_view(line).substr(end_of_name).starts_with(") Z "))
        return std::nullopt;
    const auto status = static_cast<int>(strtol(line.c_str() + last, nullptr, 10));
    return Zombie{line.substr(name + 1, end_of_name - name - 1), WIFEXITED(status)};
}

/// Whether numbers of processes mean the same to a process as here (pid_namespaces(7)).
bool counts_as_here(pid_t pid) {
    struct stat here {
    }, there{};
    return stat("/proc/self/ns/pid", &here) == 0 &&
           stat(("/proc/" + std::to_string(pid) + "/ns/pid").c_str(), &there) == 0 && here.st_ino == there.st_ino &&
           here.st_dev == there.st_dev;
}

bool has_ended(const Fd& pidfd) {
    pollfd watched{pidfd.get(), POLLIN, 0};
    return poll(&watched, 1, 0) > 0;
}

}  // namespace

/// What a connection has: a session of its own, and its part in those of processes.
class Sessions::Client {
public:
    explicit Client(Sessions& sessions) : sessions_(sessions) {}
    ~Client() {
        for (const auto session : attached_) sessions_.coordinator_.detach(session, sessions_.loop_.now());
        if (own_ != 0) sessions_.end(own_, false);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    SessionId own(const varlink::Peer& peer) {
        if (own_ == 0) own_ = sessions_.open({peer.pid, peer.uid, false});
        return own_;
    }
    /// `is_new`: the session counts this connection already. False: it acts for too many.
    bool attach(SessionId session, bool is_new) {
        if (attached_.contains(session)) return true;
        const bool can = attached_.size() < kMostAttached;
        if (can) attached_.insert(session);
        if (can && !is_new) sessions_.coordinator_.attach(session);
        if (!can && is_new) sessions_.coordinator_.detach(session, sessions_.loop_.now());
        return can;
    }

private:
    Sessions& sessions_;
    SessionId own_ = 0;
    std::set<SessionId> attached_;
};

Sessions::~Sessions() = default;

Sessions::Client& Sessions::client(varlink::PendingCall& call) {
    if (call.kept() == nullptr) call.keep(std::make_shared<Client>(*this));
    return *static_cast<Client*>(call.kept());
}

SessionId Sessions::of_connection(varlink::PendingCall& call) { return client(call).own(call.peer()); }

Result<SessionId> Sessions::of_process(varlink::PendingCall& call, pid_t pid) {
    bool opened = false;
    const auto process = find_or_open(pid != 0 ? pid : call.peer().pid, call.peer(), opened);
    if (!process) return process.error();
    if (!client(call).attach((*process)->session, opened))
        return Error{"one connection acts for " + std::to_string(kMostAttached) + " processes at most", EMFILE};
    return (*process)->session;
}

Result<Sessions::Process*> Sessions::find_or_open(pid_t pid, const varlink::Peer& peer, bool& opened) {
    if (pid <= 0) return Error{"there is no such process here: it may be in another container", ESRCH};
    if (pid != peer.pid && !counts_as_here(peer.pid))
        return Error{"processes are numbered otherwise where the caller is: each can only ask for itself (pid 0)",
                     EPERM};
    const auto known = processes_.find(pid);
    // Its end may have come and not been seen yet, and the number be another's.
    if (known != processes_.end() && has_ended(known->second.pidfd)) end_process(pid);
    const auto denied = [&] { return Error{"process " + std::to_string(pid) + " is another user's", EPERM}; };
    if (const auto found = processes_.find(pid); found != processes_.end()) {
        if (peer.uid != 0 && facts_.at(found->second.session).uid != peer.uid) return denied();
        return &found->second;
    }
    Process process;
    process.pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!process.pidfd && errno != ESRCH && errno != EINVAL)
        return os_failure("watch process " + std::to_string(pid), errno);
    const auto uid = process.pidfd ? user_of(pid) : std::nullopt;
    if (!uid || has_ended(process.pidfd)) return Error{"there is no process " + std::to_string(pid), ESRCH};
    if (peer.uid != 0 && *uid != peer.uid) return denied();
    auto& count = processes_of_[*uid];
    if (peer.uid != 0 && count >= kMostProcesses)
        return Error{"too many processes of this user have locks: " + std::to_string(kMostProcesses), EMFILE};
    process.watch =
        loop_.watch_fd(process.pidfd.get(), EPOLLIN, Priority::Exit, [this, pid](std::uint32_t) { end_process(pid); });
    if (!process.watch) return os_failure("watch process " + std::to_string(pid), EMFILE);
    process.session = open({pid, *uid, true});
    ++count;
    opened = true;
    return &(processes_[pid] = std::move(process));
}

SessionId Sessions::open(const Facts& facts) {
    const auto session = coordinator_.open(label_of(facts.pid));
    facts_.emplace(session, facts);
    return session;
}

void Sessions::end(SessionId session, bool orderly) {
    coordinator_.end(session, orderly, loop_.now());
    facts_.erase(session);
}

void Sessions::end_process(pid_t pid) {
    const auto process = processes_.extract(pid);
    const auto session = process.mapped().session;
    const auto count = processes_of_.find(facts_.at(session).uid);
    if (--count->second == 0) processes_of_.erase(count);
    const auto zombie = look_at_zombie(pid);
    // It has executed something else since, perhaps, and has another name.
    if (zombie) coordinator_.set_label(session, label(zombie->name, pid));
    end(session, zombie && zombie->exited_by_itself);
}

}  // namespace procsup::broker
