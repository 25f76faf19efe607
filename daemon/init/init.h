#pragma once

#include <signal.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>

#include "daemon/init/command.h"
#include "daemon/init/command_line.h"
#include "daemon/init/terminal.h"

namespace procsup::init {

/// The init of one command. All signals are blocked for good, and taken one by one when they have come: what is sent from
/// the first system call on is handed on, and SIGCHLD makes it collect what has ended. It sleeps without a clock, but for the
/// millisecond after a SIGCHLD, and has no descriptor open but standard error and the terminal.
///
/// It is the subreaper of whatever the command starts, and ends it when the command has ended: SIGTERM, and SIGKILL after
/// kGrace. As process 1 of a pid namespace it leaves SIGKILL to the kernel, which ends all the others with it.
class Init {
public:
    /// `mask` is the caller's.
    Init(const CommandLine& line, std::uint64_t mask);

    /// Returns the exit code.
    int run(char** envp);

private:
    bool start_command(char** envp);
    bool watch_parent();
    void keep_no_other_fds() const;
    void leave_room_in_queue() const;
    /// What was there to act on.
    enum class Taken { Nothing, Child, Other };
    Taken take_and_act(const timespec* timeout);
    void on_signal(const siginfo_t& signal);
    void tell_parent_death();

    /// Of those that have ended; Costly: there may be more, and so many live that it takes long to find one.
    enum class Found { All, More, Costly };
    Found collect();
    long collect_one(int of, pid_t pid);
    void stop_too(int signal);
    void go_on();
    void hand_on(const siginfo_t& signal);
    long send(const siginfo_t& signal) const;

    void end_the_rest();
    void take_terminal_back() const;
    bool anything_left();
    void signal_the_rest(int signal) const;
    bool is_the_rest_gone_by(std::int64_t deadline);
    void kill_the_rest();

    const CommandLine& line_;
    std::uint64_t mask_;
    pid_t self_;
    Terminal terminal_;
    pid_t command_ = 0;         ///< also its process group
    bool command_runs_ = true;  ///< or is not collected yet
    bool stopped_ = false;      ///< the command is
    bool children_left_ = true;
    int exit_code_ = kExitOwnFailure;
    int parent_ = -1, signals_ = -1;  ///< pidfd of the parent, and signalfd, with --pdeath only
    bool parent_gone_ = false, parent_death_told_ = false;
    bool refusal_told_ = false;
};

}  // namespace procsup::init
