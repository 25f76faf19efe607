#pragma once

#include <functional>
#include <memory>
#include <string>

#include "conf/job_spec.h"
#include "daemon/engine/supervisor.h"
#include "daemon/host/broker_process.h"
#include "daemon/host/guard.h"
#include "daemon/host/loggers.h"
#include "daemon/host/own_log.h"
#include "daemon/host/processes.h"
#include "daemon/host/record_store.h"
#include "daemon/host/state_store.h"
#include "daemon/loop/sd_event_loop.h"

namespace procsup {

/// The way to the end: all jobs are stopped; what remains is killed when shutdown_timeout has passed; the daemon ends when
/// nothing is left, or when nothing more can be done. The parts must outlive it.
class Shutdown {
public:
    struct Parts {
        SdEventLoop& loop;
        Supervisor& supervisor;
        Processes& processes;
        OwnLog& log;
        const StateStore& store;
        RecordStore& records;
        Loggers& loggers;
    };
    /// `end`: the daemon ends with this code.
    Shutdown(Parts parts, std::function<void(int)> end) : parts_(parts), end_(std::move(end)) {}

    /// The first cause counts. Begun by begin(), so that this may be called from inside the engine.
    void ask(std::string cause);
    /// As ask(), and the daemon ends with this code.
    void ask(int code, std::string cause);
    /// The code to end with, unless an earlier failure has said one.
    void set_exit_code(int code) { exit_code_ = exit_code_ != 0 ? exit_code_ : code; }
    bool asked() const { return !cause_.empty(); }
    bool begun() const { return begun_; }
    const std::string& cause() const { return cause_; }

    void begin(Duration timeout);
    /// No job has a process any more. Ends when nothing else is left either: orphans that no job holds, what jobs have
    /// written, and what is on its way to the disk, where the next daemon looks for it.
    void end_when_nothing_is_left(Guard* guard, BrokerProcess* broker);

private:
    void overdue();
    std::string remaining() const;
    std::string unfinished() const;

    Parts parts_;
    std::function<void(int)> end_;
    std::string cause_;
    int exit_code_ = 0;
    bool begun_ = false;
    bool killed_all_ = false;
    std::unique_ptr<Watch> timeout_;
    std::unique_ptr<Watch> ending_;
};

}  // namespace procsup
