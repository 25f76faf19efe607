#include "ctl/fake_daemon.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "common/json.h"
#include "common/send_fds.h"
#include "ctl/invoke.h"

namespace procsup::ctl {
namespace {

/// A file in memory that stands in for descriptor 1 or 2 while it lives.
class Caught {
public:
    explicit Caught(int number) : number_(number), saved_(dup(number)), file_(memfd_create("caught", MFD_CLOEXEC)) {
        dup2(file_.get(), number);
    }
    ~Caught() { dup2(saved_.get(), number_); }
    Caught(const Caught&) = delete;
    Caught& operator=(const Caught&) = delete;

    std::string text() const {
        struct stat status {};
        fstat(file_.get(), &status);
        std::string result(static_cast<std::size_t>(status.st_size), '\0');
        const ssize_t length = pread(file_.get(), result.data(), result.size(), 0);
        result.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return result;
    }

private:
    int number_;
    Fd saved_;
    Fd file_;
};

std::string new_directory() {
    std::string name = "/tmp/procsupctl-test-XXXXXX";
    return mkdtemp(name.data()) == nullptr ? std::string() : name;
}

}  // namespace

FakeDaemon::FakeDaemon(Answer answer) : answer_(std::move(answer)), directory_(new_directory()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, socket().c_str(), socket().size() + 1);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    stop_.reset(eventfd(0, EFD_CLOEXEC));
    if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        (void)listen(listener_.get(), 8);
    }
    thread_ = std::thread([this] { serve(); });
}

FakeDaemon::FakeDaemon(std::string method, std::string parameters)
    : FakeDaemon([method = std::move(method), parameters = std::move(parameters)](const varlink::Call& call,
                                                                                  const std::vector<Fd>&) {
          std::vector<std::string> answers;
          answers.push_back(call.method == method
                                ? varlink::reply_message(parameters)
                                : varlink::error_message("org.varlink.service.MethodNotFound", R"({"method":"?"})"));
          return answers;
      }) {}

FakeDaemon::~FakeDaemon() {
    eventfd_write(stop_.get(), 1);
    thread_.join();
    unlink(socket().c_str());
    rmdir(directory_.c_str());
}

std::vector<std::string> FakeDaemon::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

std::string FakeDaemon::only_call() const {
    const auto all = calls();
    return all.size() == 1 ? all.front() : std::to_string(all.size()) + " calls";
}

void FakeDaemon::send_to_first(const std::string& message) {
    // Called by answers, which run in the serving thread.
    (void)send(connections_.front().socket.get(), message.data(), message.size(), MSG_NOSIGNAL);
}

void FakeDaemon::serve() {
    // Signals that a test sends to the process are for the thread that runs procsupctl.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (;;) {
        std::vector<pollfd> watched{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
        for (const auto& connection : connections_) watched.push_back({connection.socket.get(), POLLIN, 0});
        if (poll(watched.data(), watched.size(), -1) < 0 || watched[0].revents != 0) return;
        for (std::size_t i = connections_.size(); i-- > 0;) {
            if (watched[i + 2].revents != 0 && !read_from(connections_[i])) {
                connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
        if (watched[1].revents != 0) {
            Fd accepted(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (hang_ups_ > 0) {
                --hang_ups_;
            } else if (accepted) {
                connections_.push_back({std::move(accepted), {}, {}});
            }
        }
    }
}

bool FakeDaemon::read_from(Connection& connection) {
    std::array<char, 65536> bytes{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t length = recvmsg(connection.socket.get(), &header, MSG_CMSG_CLOEXEC);
    if (length <= 0) return false;
    for (cmsghdr* found = CMSG_FIRSTHDR(&header); found != nullptr; found = CMSG_NXTHDR(&header, found)) {
        const std::size_t count = (found->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int number = -1;
            memcpy(&number, CMSG_DATA(found) + i * sizeof(int), sizeof number);
            connection.fds.emplace_back(number);
        }
    }
    connection.received.append(bytes.data(), static_cast<std::size_t>(length));
    for (std::size_t end = 0; (end = connection.received.find('\0')) != std::string::npos;) {
        const auto call = varlink::parse_call(std::string_view(connection.received).substr(0, end));
        connection.received.erase(0, end + 1);
        if (!call) return false;
        {
            const std::lock_guard lock(mutex_);
            calls_.push_back(call->method + " " + json::to_text(call->parameters));
        }
        for (const auto& message : answer_(*call, connection.fds)) {
            if (message.empty()) return false;
            const Fd attached = std::move(attached_);
            const int number = attached.get();
            const auto with = attached ? std::span<const int>(&number, 1) : std::span<const int>();
            if (send_with_fds(connection.socket.get(), message, with, MSG_NOSIGNAL) < 0) return false;
        }
    }
    return true;
}

Printed run_procsupctl(const std::vector<std::string>& words) {
    Surroundings surroundings;
    surroundings.system_socket = "/nonexistent/io.procsupd";
    surroundings.project_file = "/nonexistent/procsup.toml";
    surroundings.uid = geteuid();
    return run_procsupctl(words, surroundings);
}

Printed run_procsupctl(const std::vector<std::string>& words, const Surroundings& surroundings) {
    const std::vector<std::string_view> views(words.begin(), words.end());
    Printed printed;
    const Caught out(STDOUT_FILENO);
    const Caught err(STDERR_FILENO);
    printed.code = invoke(views, surroundings);
    printed.out = out.text();
    printed.err = err.text();
    return printed;
}

Printed run_procsupctl(const FakeDaemon& daemon, std::vector<std::string> words) {
    words.insert(words.begin(), {"--socket", daemon.socket()});
    return run_procsupctl(words);
}

}  // namespace procsup::ctl
