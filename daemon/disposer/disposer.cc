#include "daemon/disposer/disposer.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "daemon/disposer/disposal.h"

namespace procsup {
namespace {

constexpr std::size_t kMostProcesses = 16;
/// With those that were killed and have not ended: closing a file of a hung file system cannot be interrupted.
constexpr std::size_t kMostInAll = 256;
/// Of one that waits for nothing far less is needed; killing one that has not got that far only means that another one is made.
constexpr auto kPatience = std::chrono::milliseconds(20);
/// Where many wait, somebody makes them on purpose.
constexpr std::size_t kMany = 64;
constexpr auto kPatienceWithMany = std::chrono::milliseconds(2);
constexpr int kLastPatience = 100;  // milliseconds
constexpr auto kRetry = std::chrono::milliseconds(100);

}  // namespace

struct Disposer::Process {
    static constexpr std::size_t kStackSize = 16u << 10;

    ~Process() {
        exits.reset();
        limit.reset();
        if (pid == 0) return;
        kill(pid, SIGKILL);
        pollfd end{handle.get(), POLLIN, 0};
        if (!was_killed) poll(&end, 1, kLastPatience);
        collect();
        task.fd.release();
    }
    /// False: it has not ended yet. By its number: it has no exit signal, so that the reaper does not find it.
    bool collect() {
        if (waitpid(pid, nullptr, __WALL | WNOHANG) == 0) return false;
        pid = 0;
        return true;
    }

    Task task;
    Disposal disposal;
    pid_t pid = 0;
    bool was_killed = false;
    Fd handle;  ///< a pidfd; none when there was no descriptor for it
    std::unique_ptr<Watch> exits, limit;
    alignas(16) std::array<std::byte, kStackSize> stack;
};

Disposer::Disposer(EventLoop& loop) : loop_(loop) {}

// The kernel closes what is left with this process, and waits for nothing then.
Disposer::~Disposer() {
    for (auto& task : waiting_) task.fd.release();
}

void Disposer::close(int number) {
    waiting_.push_back({Fd(number)});
    begin();
}

void Disposer::take_message(const Fd& socket, std::function<void()> done) {
    // Of its own: the other may be closed at any time.
    waiting_.push_back({Fd(fcntl(socket.get(), F_DUPFD_CLOEXEC, kFirstKeptFd)), true, std::move(done)});
    begin();
}

void Disposer::begin() {
    while (!waiting_.empty() && processes_.size() - killed_ < kMostProcesses && processes_.size() < kMostInAll &&
           !retry_) {
        if (begin(waiting_.front())) {
            waiting_.pop_front();
            continue;
        }
        // No process can be made for now.
        retry_ = loop_.call_at(loop_.now() + kRetry, [this] {
            retry_.reset();
            begin();
        });
    }
}

bool Disposer::begin(Task& task) {
    const auto place = processes_.insert(processes_.end(), std::make_unique<Process>());
    auto& process = **place;
    process.disposal.daemon = getpid();
    process.disposal.fd = task.fd.get();
    process.disposal.takes_message = task.takes_message;
    void* const stack = process.stack.data() + Process::kStackSize;
    constexpr int kShared = CLONE_VM | CLONE_FILES;
    int handle = -1;
    int pid = clone(dispose, stack, kShared | CLONE_PIDFD, &process.disposal, &handle);
    if (pid < 0 && errno == EMFILE) pid = clone(dispose, stack, kShared, &process.disposal);
    if (pid < 0) {
        processes_.erase(place);
        return false;
    }
    process.pid = pid;
    process.task = std::move(task);
    if (handle >= 0) {
        process.handle = Fd(fcntl(handle, F_DUPFD_CLOEXEC, kFirstKeptFd));
        ::close(handle);
    }
    if (process.handle) {
        process.exits = loop_.watch_fd(process.handle.get(), EPOLLIN, Priority::Exit,
                                       [this, place](std::uint32_t) { ended(place); });
    }
    process.limit = loop_.call_at(loop_.now() + (waiting_.size() > kMany ? kPatienceWithMany : kPatience),
                                  [this, place] { overdue(place); });
    return true;
}

void Disposer::overdue(Place place) {
    auto& process = **place;
    if (!std::exchange(process.was_killed, true)) ++killed_;
    kill(process.pid, SIGKILL);
    if (process.exits) {
        begin();
    } else {
        // Nobody tells of its end.
        process.limit = loop_.call_at(loop_.now() + kPatience, [this, place] { ended(place); });
    }
}

void Disposer::ended(Place place) {
    if (!(*place)->collect()) return overdue(place);
    const auto process = std::move(*place);
    processes_.erase(place);
    if (process->was_killed) --killed_;
    Task task = std::move(process->task);
    if (process->disposal.step.load() == Disposal::Step::Closing) {
        task.fd.release();
    } else {
        // It was killed on the way, at the latest while it took the message.
        waiting_.push_back({std::move(task.fd)});
    }
    const auto done = std::move(task.done);
    begin();
    if (done) done();
}

}  // namespace procsup
