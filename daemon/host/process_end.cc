#include "daemon/host/process_end.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/fd.h"
#include "daemon/host/child.h"
#include "daemon/host/process_status.h"

namespace procsup {
namespace {

/// Holds the descriptor that its watch needs.
class ProcessEnd final : public Watch {
public:
    ProcessEnd(EventLoop& loop, Fd process, std::function<void()> ended)
        : process_(std::move(process)), ended_(std::move(ended)) {
        watch_ = loop.watch_fd(process_.get(), EPOLLIN, Priority::Exit, [this](std::uint32_t) {
            watch_->set_events(0);
            if (const auto told = std::exchange(ended_, nullptr)) told();
        });
    }
    void set_events(std::uint32_t) override {}

private:
    Fd process_;  ///< a pidfd: readable when the process has ended
    std::function<void()> ended_;
    std::unique_ptr<Watch> watch_;
};

}  // namespace

Result<std::unique_ptr<Watch>> watch_process(EventLoop& loop, pid_t pid, std::optional<uid_t> uid,
                                             std::function<void()> ended) {
    Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (process) process.reset(fcntl(process.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    if (!process) return os_failure(fmt::format("watch process {}", pid), errno);
    if (uid) {
        // Read after the descriptor was had: if the number is another's by now, that one has ended, and says so.
        const auto found = status_of(pid);
        if (!found) return os_failure(fmt::format("watch process {}", pid), ESRCH);
        if (found->uid != *uid)
            return os_failure(fmt::format("watch process {} of uid {} for uid {}", pid, found->uid, *uid), EPERM);
    }
    return std::unique_ptr<Watch>(std::make_unique<ProcessEnd>(loop, std::move(process), std::move(ended)));
}

}  // namespace procsup
