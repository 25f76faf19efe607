#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>

#include "common/event_loop.h"
#include "common/fd.h"

namespace procsup {

/// Lets go of what others have sent with descriptors (unix(7), SCM_RIGHTS), so that the daemon never does: closing the last one
/// may block for as long as its sender likes (socket(7), SO_LINGER), and so may dropping a message that has it. Each is let
/// go of by a process of its own, which shares the daemon's descriptors; who does not end soon is killed, which ends the waiting.
class Disposer final : public FdCloser {
public:
    explicit Disposer(EventLoop& loop);
    /// Those that are under way are killed.
    ~Disposer() override;
    Disposer(const Disposer&) = delete;
    Disposer& operator=(const Disposer&) = delete;

    /// What was sent, or a socket, with all that nobody has received from it.
    void close(int number) override;
    /// Takes the next message out of a datagram socket, which nobody else must read until `done` is called, in a later turn. The
    /// socket may be closed before, by close().
    void take_message(const Fd& socket, std::function<void()> done);

private:
    struct Task {
        Fd fd;
        bool takes_message = false;
        std::function<void()> done{};
    };
    struct Process;

    using Place = std::list<std::unique_ptr<Process>>::iterator;
    void begin();
    bool begin(Task& task);
    void overdue(Place place);
    void ended(Place place);

    EventLoop& loop_;
    std::deque<Task> waiting_;
    std::list<std::unique_ptr<Process>> processes_;
    std::size_t killed_ = 0;  ///< of them; they do not end by that while the kernel waits for a file system
    std::unique_ptr<Watch> retry_;
};

}  // namespace procsup
