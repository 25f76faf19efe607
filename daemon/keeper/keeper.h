#pragma once

#include <sys/types.h>

#include <cstdint>

#include "daemon/keeper/protocol.h"

namespace procsup::keeper {

/// Keeps one instance: collects what ends, carries out procsupd's orders and tells it when the main process and when
/// the last process have ended. It sleeps in ppoll(2) alone, which lets SIGCHLD in; all other signals stay blocked.
/// Only while something that is to die or to stop has not done so yet does it wake by the clock.
class Keeper {
public:
    Keeper(pid_t self, pid_t main) : self_(self), main_(main) {}

    /// Returns the exit code, when nothing is left.
    int run();

private:
    /// What is tried in rounds until it is done.
    enum class Effort { None, Pause, Kill };

    void collect();
    bool comes_before_main(pid_t& next);
    void ask();
    void go_on_with(pid_t next, int handle);
    Report& tell(Kind kind);
    void send_reports();
    void take_order();
    void carry_out(const Order& order, int handle);
    void lose_procsupd();
    void begin(Effort effort);
    bool is_at_work() const;
    void work();
    void sleep() const;

    pid_t self_;
    pid_t main_;             ///< 0 once collected
    pid_t former_main_ = 0;  ///< that main_ has followed, until it is collected
    int socket_ = kSocketFd;
    bool asks_ = false;   ///< before it collects the main process
    bool asked_ = false;  ///< and has no answer
    bool children_left_ = true;
    bool empty_told_ = false;
    Effort effort_ = Effort::None;
    bool progress_ = false;        ///< something was collected since the last round
    std::int64_t next_round_ = 0;  ///< in ns of the monotonic clock
    std::int64_t rest_ = 0;        ///< between two rounds, in ns
    Report report_{};              ///< what is known so far
    /// After MainAtEnd one more follows with procsupd's answer only, which has read what came before it; or, where
    /// everything is killed instead, the last two.
    Report queue_[4]{};
    int queued_ = 0;
};

}  // namespace procsup::keeper
