#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "common/log_file.h"
#include "daemon/logger/log_dir.h"

namespace procsup::logger {

/// The runs that a stream's files begin with, oldest first, in a file beside them ("web.out.log.runs": one line a run, with time,
/// file and offset). An index, nothing more: where it cannot be written or read, the runs it lacks are not found.
class RunIndex {
public:
    RunIndex(std::shared_ptr<LogDir> dir, const std::string& base) : dir_(std::move(dir)), name_(base + ".runs") {}

    void add(const LogRun& place);
    /// Oldest first.
    const std::deque<LogRun>& places();

    static constexpr std::size_t kMost = 256;

private:
    void load();
    void save() const;

    std::shared_ptr<LogDir> dir_;
    std::string name_;
    std::deque<LogRun> places_;
    bool loaded_ = false;
};

}  // namespace procsup::logger
