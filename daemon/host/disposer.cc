#include "daemon/host/disposer.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <utility>

#include "daemon/host/child.h"
#include "daemon/host/disposal.h"

namespace procsup {
namespace {

constexpr std::size_t kMostProcesses = 16;
/// Of one that waits for nothing far less is needed; killing one that has not got that far only means that another one is made.
constexpr auto kPatience = std::chrono::milliseconds(20);
/// Where many wait, somebody makes them on purpose.
constexpr std::size_t kMany = 64;
constexpr auto kPatienceWithMany = std::chrono::milliseconds(2);
constexpr auto kRetry = std::chrono::milliseconds(100);

}  // namespace

struct Disposer::Process {
    static constexpr std::size_t kStackSize = 16u << 10;

    ~Process() {
        exits.reset();
        limit.reset();
        if (pid == 0) return;
        kill(pid, SIGKILL);
        collect();
        task.fd.release();
    }
    /// By its number: it has no exit signal, so that the reaper does not find it.
    void collect() { waitpid(std::exchange(pid, 0), nullptr, __WALL); }

    Task task;
    Disposal disposal;
    pid_t pid = 0;
    Fd handle;  ///< a pidfd
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
    while (!waiting_.empty() && processes_.size() < kMostProcesses && !retry_) {
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
    process.disposal.fd = task.fd.get();
    process.disposal.takes_message = task.takes_message;
    int handle = -1;
    const int pid = clone(dispose, process.stack.data() + Process::kStackSize, CLONE_VM | CLONE_FILES | CLONE_PIDFD,
                          &process.disposal, &handle);
    if (pid < 0) {
        processes_.erase(place);
        return false;
    }
    process.pid = pid;
    process.task = std::move(task);
    process.handle = Fd(fcntl(handle, F_DUPFD_CLOEXEC, kFirstKeptFd));
    ::close(handle);
    const auto patience = waiting_.size() > kMany ? kPatienceWithMany : kPatience;
    process.exits =
        loop_.watch_fd(process.handle.get(), EPOLLIN, Priority::Exit, [this, place](std::uint32_t) { ended(place); });
    process.limit = loop_.call_at(loop_.now() + patience, [pid] { kill(pid, SIGKILL); });
    return true;
}

void Disposer::ended(std::list<std::unique_ptr<Process>>::iterator place) {
    const auto process = std::move(*place);
    processes_.erase(place);
    process->collect();
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
