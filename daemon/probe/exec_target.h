#pragma once

#include <sys/types.h>

#include <cstdint>

#include "daemon/probe/attempt.h"
#include "daemon/probe/command_line.h"
#include "daemon/probe/output.h"

namespace procsup::probe {

/// A command that is run in each attempt, in a session of its own. The program is the subreaper of all that it starts, and
/// kills what it leaves: there is no further attempt before that is gone. What the command writes goes to the program, of which
/// the last line tells why it has failed.
class ExecTarget {
public:
    /// Once, before the first attempt; `mask` is of the signals that the caller has blocked.
    void prepare(char** command, std::uint64_t mask, char** envp);
    Verdict attempt(Attempt& attempt);

private:
    struct Launch;

    bool start(Attempt& attempt);
    void await(Attempt& attempt);
    Verdict judge(Attempt& attempt);
    Verdict judge_launch(Attempt& attempt, long errno_value) const;
    void collect();
    void on_end(int code, int status);
    bool end_all(Sleeper& sleeper, std::int64_t until);

    char** argv_ = nullptr;
    char* name_ = nullptr;
    char** envp_ = nullptr;
    std::uint64_t mask_ = 0;
    pid_t self_ = 0;
    bool ignores_sigchld_ = false;  ///< as the caller has it
    bool children_left_ = false;

    Launch* launch_ = nullptr;   ///< as long as the command is not collected
    pid_t command_ = 0;          ///< also its session and process group; 0: it has been collected
    int code_ = 0, status_ = 0;  ///< of its end (waitid(2))
    Output output_;
    long launch_error_ = 0;  ///< it has executed nothing, because of this
};

}  // namespace procsup::probe
