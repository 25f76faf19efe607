#include "daemon/host/runtime_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "daemon/host/child.h"

namespace procsup {
namespace {

constexpr const char* kConfigLink = "config";
constexpr const char* kSocket = "io.procsupd";
constexpr const char* kBrokerSocket = "io.procsupd.broker";
constexpr std::array kInterfaces{"io.procsupd.Manager", "io.procsupd.Job", "io.procsupd.Log"};
constexpr std::array kBrokerInterfaces{"io.procsupd.Lock", "io.procsupd.Semaphore", "io.procsupd.Event",
                                       "io.procsupd.Value"};

/// mkdir -p; an existing directory is taken as it is.
Result<void> make_directories(const std::string& path) {
    for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
        mkdir(path.substr(0, end).c_str(), 0755);
    }
    if (mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) return os_failure("make directory " + path, errno);
    struct stat status {};
    if (stat(path.c_str(), &status) < 0) return os_failure("use directory " + path, errno);
    if (!S_ISDIR(status.st_mode)) return os_failure("use directory " + path, ENOTDIR);
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        return Error{fmt::format("cannot use directory {}: it belongs to uid {}, who could replace the control socket",
                                 path, status.st_uid)};
    }
    if ((status.st_mode & S_IWOTH) != 0) {
        return Error{"cannot use directory " + path + ": everyone may write to it; choose one of procsupd's own"};
    }
    return {};
}

std::string holder_of(int lock) {
    char text[32] = {};
    const ssize_t size = pread(lock, text, sizeof(text) - 1, 0);
    const long pid = size > 0 ? strtol(text, nullptr, 10) : 0;
    if (pid > 0 && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM)) {
        return fmt::format("another procsupd (pid {})", pid);
    }
    return "some process that holds its lock";
}

Result<Fd> open_lock(const std::string& path) {
    // Nobody else may open it: who can read a file can also lock it (flock(2)), and keep this daemon from starting.
    Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) return os_failure("open " + path, errno);
    if (struct stat status{}; fstat(lock.get(), &status) < 0 || status.st_uid != geteuid()) {
        return Error{"cannot use " + path + ": it belongs to someone else, who could hold it; remove it"};
    }
    if (fchmod(lock.get(), 0600) < 0) return os_failure("set the mode of " + path, errno);
    // Above the numbers that children get: a child that hangs before exec must not keep the lock.
    lock.reset(fcntl(lock.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    return lock;
}

}  // namespace

Result<RuntimeDir> RuntimeDir::claim(const std::string& path) {
    if (auto made = make_directories(path); !made) return made.error();
    const auto lock_path = path + "/procsupd.lock";
    auto opened = open_lock(lock_path);
    if (!opened) return opened.error();
    auto jobs_lock = open_lock(path + "/jobs.lock");
    if (!jobs_lock) return jobs_lock.error();
    Fd lock = std::move(*opened);
    if (flock(lock.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK) return os_failure("lock " + lock_path, errno);
        return Error{
            fmt::format("cannot use runtime directory {}: {} runs in it; stop it, or choose another --runtime-dir",
                        path, holder_of(lock.get())),
            EWOULDBLOCK};
    }
    const auto pid = std::to_string(getpid()) + "\n";
    if (ftruncate(lock.get(), 0) < 0 || pwrite(lock.get(), pid.data(), pid.size(), 0) < 0) {
        return os_failure("write " + lock_path, errno);
    }
    return RuntimeDir(path, std::move(lock), std::move(*jobs_lock));
}

Result<RuntimeDir> RuntimeDir::claim_first(const std::vector<std::string>& paths) {
    std::optional<Error> refused;
    for (const auto& path : paths) {
        auto claimed = claim(path);
        if (claimed) return claimed;
        const auto& error = claimed.error();
        if (refused) {
            refused->message += "; " + error.message;
        } else {
            refused = error;
        }
        // Whoever runs in it, or has put something in its place, is not to be evaded.
        constexpr std::array kCannotBeMade{EROFS, EACCES, EPERM, ENOENT, ENOTDIR, ENOSPC};
        if (std::find(kCannotBeMade.begin(), kCannotBeMade.end(), error.os_error) == kCannotBeMade.end()) break;
    }
    return *refused;
}

Result<RuntimeDir> RuntimeDir::nowhere() {
    Fd lock(memfd_create("procsupd.lock", MFD_CLOEXEC)), jobs_lock(memfd_create("jobs.lock", MFD_CLOEXEC));
    if (!lock || !jobs_lock) return os_failure("create a lock in memory", errno);
    jobs_lock.reset(fcntl(jobs_lock.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    lock.reset(fcntl(lock.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    return RuntimeDir({}, std::move(lock), std::move(jobs_lock));
}

bool RuntimeDir::lock_jobs() { return flock(jobs_lock_.get(), LOCK_EX | LOCK_NB) == 0; }

Result<Fd> RuntimeDir::bind_socket() { return bind({kSocket, kInterfaces}); }

Result<Fd> RuntimeDir::bind_broker_socket() { return bind({kBrokerSocket, kBrokerInterfaces}); }

Result<Fd> RuntimeDir::bind(Served served) {
    const auto final_path = path_ + "/" + served.name;
    const auto temporary = fmt::format("{}.{}", final_path, getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (temporary.size() >= sizeof(address.sun_path)) {
        return Error{
            fmt::format("cannot bind {}: longer than the {} bytes of a socket's name; choose a shorter --runtime-dir",
                        temporary, sizeof(address.sun_path) - 1)};
    }
    memcpy(address.sun_path, temporary.c_str(), temporary.size() + 1);

    struct stat status {};
    if (lstat(final_path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
        return Error{"cannot bind " + final_path + ": something that is no socket is there; it was left alone"};
    }
    Fd socket_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_fd) return os_failure("create a socket", errno);
    socket_fd.reset(fcntl(socket_fd.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    unlink(temporary.c_str());
    const auto fail = [&](const char* what) {
        const int error = errno;
        unlink(temporary.c_str());
        return os_failure(std::string(what) + " " + final_path, error);
    };
    if (::bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) return fail("bind");
    // Everyone may connect: each call is judged by who the kernel says the caller is.
    if (chmod(temporary.c_str(), 0666) < 0) return fail("set the mode of");
    if (listen(socket_fd.get(), SOMAXCONN) < 0) return fail("listen on");
    if (lstat(temporary.c_str(), &status) < 0) return fail("look at");
    if (rename(temporary.c_str(), final_path.c_str()) < 0) return fail("rename the socket to");
    served.inode = status.st_ino;
    bound_.push_back(served);
    if (auto linked = link_interfaces(served); !linked) return linked.error();
    return socket_fd;
}

/// One symbolic link an interface: how Varlink tools find the socket of an interface by its name.
Result<void> RuntimeDir::link_interfaces(const Served& served) const {
    for (const char* name : served.interfaces) {
        const auto link = path_ + "/" + name;
        struct stat status {};
        if (lstat(link.c_str(), &status) == 0 && !S_ISLNK(status.st_mode)) continue;
        unlink(link.c_str());
        if (symlink(served.name, link.c_str()) < 0) return os_failure("link " + link, errno);
    }
    return {};
}

Result<void> RuntimeDir::link_config(const std::string& config) {
    const auto link = path_ + "/" + kConfigLink;
    struct stat status {};
    if (lstat(link.c_str(), &status) == 0 && !S_ISLNK(status.st_mode)) return {};
    unlink(link.c_str());
    if (symlink(config.c_str(), link.c_str()) < 0) return os_failure("link " + link, errno);
    config_linked_ = true;
    return {};
}

RuntimeDir::~RuntimeDir() {
    struct stat status {};
    if (lock_ && config_linked_) unlink((path_ + "/" + kConfigLink).c_str());
    if (!lock_) return;
    for (const auto& served : bound_) {
        const auto path = path_ + "/" + served.name;
        if (lstat(path.c_str(), &status) < 0 || status.st_ino != served.inode) continue;
        unlink(path.c_str());
        for (const char* name : served.interfaces) unlink((path_ + "/" + name).c_str());
    }
}

}  // namespace procsup
