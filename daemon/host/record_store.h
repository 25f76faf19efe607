#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/log_file.h"
#include "common/result.h"
#include "common/units.h"
#include "daemon/host/loggers.h"
#include "daemon/host/pending_records.h"

namespace procsup {

/// Records that a logger adds to files below a directory, one file a name (daemon/logger/record_file.h). What comes within a
/// moment is written at once, so that it costs the same however much it is; a disk that hangs or refuses costs bounded memory.
/// A logger that is killed may write some twice: readers know a record by what is in it.
class RecordStore final : public LoggerUser {
public:
    /// `told` gets what goes into the daemon's own log. `used`: the names that there are, of which files are kept for good.
    RecordStore(EventLoop& loop, Loggers& loggers, std::function<void(const std::string&)> told,
                std::function<std::vector<std::string>()> used)
        : loop_(loop), loggers_(loggers), told_(std::move(told)), used_(std::move(used)) {}

    void set_dir(std::string dir) { dir_ = std::move(dir); }
    const std::string& dir() const { return dir_; }

    void add(const std::string& name, std::string record);
    /// Sends what is to be sent: once a turn.
    void settle();
    /// Everything is to be written now, as far as it can be.
    void finish();
    bool saving() const { return pending_.under_way(); }
    /// Other names are in use.
    void names_changed() { names_told_ = false; }

    /// Of a name, what is perhaps not in its file yet; oldest first.
    std::vector<std::string> pending_of(const std::string& name) const { return pending_.of(name); }
    /// A connection over which the files of these names are offered, with what was added to them before.
    Result<LogReading> open(const std::vector<std::string>& names);
    /// Why not everything can be written at present; empty: it can.
    const std::string& problem() const { return problem_; }

    void tell_all(LoggerProcess& logger) override;
    void heard(const json::Value& packet) override;

private:
    void send_all();
    void tell_names(LoggerProcess& logger);
    void failed(std::string problem);
    void try_again();

    EventLoop& loop_;
    Loggers& loggers_;
    std::function<void(const std::string&)> told_;
    std::function<std::vector<std::string>()> used_;
    std::string dir_;
    PendingRecords pending_;
    std::int64_t newest_ = 0;
    std::set<std::string> failing_;  ///< whose newest batch could not be written
    std::string problem_;            ///< why; the newest
    bool added_ = false;             ///< something, since what could not be written was tried
    bool names_told_ = false;
    bool finishing_ = false;
    Duration pause_{0};  ///< until what failed is tried again
    TimePoint again_at_;
    std::unique_ptr<Watch> again_;  ///< for the first minute
    std::unique_ptr<Watch> later_;  ///< between two writes
};

}  // namespace procsup
