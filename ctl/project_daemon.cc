#include "ctl/project_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "ctl/deadline.h"

namespace procsup::ctl {
namespace {

bool is_program(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && access(path.c_str(), X_OK) == 0;
}

/// A datagram socket at a path of its own, as NOTIFY_SOCKET; the path goes with it.
class ReadinessSocket {
public:
    static Result<ReadinessSocket> bind_in(const std::string& directory) {
        ReadinessSocket result;
        result.path_ = directory + "/up." + std::to_string(getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (result.path_.size() >= sizeof address.sun_path) {
            return os_failure("bind " + result.path_, ENAMETOOLONG);
        }
        memcpy(address.sun_path, result.path_.c_str(), result.path_.size() + 1);
        unlink(result.path_.c_str());
        result.fd_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!result.fd_) return os_failure("create a socket", errno);
        if (bind(result.fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            return os_failure("bind " + result.path_, errno);
        }
        return result;
    }
    ReadinessSocket(ReadinessSocket&& other) noexcept = default;
    ~ReadinessSocket() {
        if (fd_) unlink(path_.c_str());
    }

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }

    /// Whether READY=1 is among the messages that wait.
    bool says_ready() const {
        std::array<char, 4096> bytes{};
        for (;;) {
            const ssize_t length = recv(fd_.get(), bytes.data(), bytes.size(), 0);
            if (length < 0) return false;
            std::string text(1, '\n');
            text.append(bytes.data(), static_cast<std::size_t>(length)).append(1, '\n');
            if (text.find("\nREADY=1\n") != std::string::npos) return true;
        }
    }

private:
    ReadinessSocket() = default;

    Fd fd_;
    std::string path_;
};

/// What was written to the log from `offset` on, at most its last 16 KiB.
std::string log_since(int file, off_t offset) {
    constexpr off_t kMost = 16384;
    struct stat status {};
    if (fstat(file, &status) != 0) return {};
    const off_t begin = std::max(offset, status.st_size - kMost);
    if (begin >= status.st_size) return {};
    std::string text(static_cast<std::size_t>(status.st_size - begin), '\0');
    const ssize_t length = pread(file, text.data(), text.size(), begin);
    text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return text;
}

/// What the child needs, laid out before fork.
struct Launch {
    std::string program;
    std::vector<std::string> words;
    std::vector<std::string> environment;
    int log = -1;
    int null = -1;

    [[noreturn]] void execute() const {
        std::vector<char*> argv;
        for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        std::vector<char*> envp;
        for (const auto& entry : environment) envp.push_back(const_cast<char*>(entry.c_str()));
        envp.push_back(nullptr);
        setsid();
        // A project's supervisor must not keep the directory it was started from busy.
        if (chdir("/") != 0) _exit(kCannotExecute);
        if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(kCannotExecute);
        // What procsupctl was given besides, such as the pipe of a script, is not for a program that stays.
        syscall(SYS_close_range, 3u, ~0u, 0u);
        execve(program.c_str(), argv.data(), envp.data());
        _exit(kCannotExecute);
    }

    static constexpr int kCannotExecute = 127;
};

std::vector<std::string> environment_with(const std::string& notify_socket) {
    constexpr std::array<std::string_view, 6> kOfOtherDaemons{
        "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES="};
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const bool foreign = std::any_of(kOfOtherDaemons.begin(), kOfOtherDaemons.end(),
                                         [&](std::string_view name) { return text.starts_with(name); });
        if (!foreign) result.emplace_back(text);
    }
    result.push_back("NOTIFY_SOCKET=" + notify_socket);
    return result;
}

/// The child's exit code; it has ended or is about to.
int collect(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

ProjectStart wait_until_ready(pid_t child, const ReadinessSocket& ready, const Deadline& deadline) {
    ProjectStart result;
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
    for (;;) {
        std::array<pollfd, 2> watched{{{ready.fd(), POLLIN, 0}, {process.get(), POLLIN, 0}}};
        if (!deadline.poll(watched)) {
            result.outcome = ProjectStart::Outcome::TimedOut;
            return result;
        }
        if (watched[0].revents != 0 && ready.says_ready()) return result;
        if (watched[1].revents != 0) {
            result.outcome = ProjectStart::Outcome::Ended;
            result.exit_code = collect(child);
            return result;
        }
    }
}

}  // namespace

std::string find_procsupd() {
    std::array<char, PATH_MAX> self{};
    const ssize_t length = readlink("/proc/self/exe", self.data(), self.size());
    if (length > 0) {
        std::string directory(self.data(), static_cast<std::size_t>(length));
        directory.resize(directory.rfind('/') + 1);
        for (const char* place : {"procsupd", "../sbin/procsupd", "../daemon/procsupd"}) {
            if (is_program(directory + place)) return directory + place;
        }
    }
    const char* path = getenv("PATH");
    // A user's PATH often lacks the sbin directories, where it is installed.
    std::string rest = std::string(path == nullptr ? "" : path) + ":/usr/local/sbin:/usr/sbin";
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        std::string candidate = rest.substr(0, end) + "/procsupd";
        if (end > 0 && is_program(candidate)) return candidate;
        rest.erase(0, end + 1);
    }
    return {};
}

Result<Project> Project::of(const std::string& file, const Surroundings& surroundings) {
    auto real = real_path_of(file);
    if (!real) return real.error();
    auto directory = project_runtime_dir(*real, surroundings);
    if (!directory) return directory.error();
    auto log_dir = project_log_dir(*directory, surroundings);
    return Project{std::move(*real), std::move(*directory), std::move(log_dir)};
}

Result<ProjectStart> start_project_daemon(const Project& project, const std::string& program, uid_t uid,
                                          Duration timeout) {
    const std::string state_dir = project.runtime_dir + "/state";
    if (auto made = make_private_dirs(project.runtime_dir, uid); !made) return made.error();
    if (mkdir(state_dir.c_str(), 0700) != 0 && errno != EEXIST) return os_failure("create " + state_dir, errno);
    auto ready = ReadinessSocket::bind_in(project.runtime_dir);
    if (!ready) return ready.error();
    // Jobs inherit it: what they can write to they need not be able to read.
    const Fd log(open(project.log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!log) return os_failure("open " + project.log(), errno);
    const Fd written(open(project.log().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!written) return os_failure("open " + project.log(), errno);
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) return os_failure("open /dev/null", errno);
    const off_t begin = lseek(log.get(), 0, SEEK_END);

    Launch launch;
    launch.program = program;
    launch.words = {"procsupd",    "--config", project.file, "--runtime-dir", project.runtime_dir,
                    "--state-dir", state_dir,  "--log-dir",  project.log_dir};
    launch.environment = environment_with(ready->path());
    launch.log = log.get();
    launch.null = null.get();
    const pid_t child = fork();
    if (child < 0) return os_failure("create a process", errno);
    if (child == 0) launch.execute();

    ProjectStart result = wait_until_ready(child, *ready, Deadline(timeout));
    if (result.outcome != ProjectStart::Outcome::Ready) result.log = log_since(written.get(), begin);
    return result;
}

}  // namespace procsup::ctl
