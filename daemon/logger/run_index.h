#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "common/result.h"
#include "daemon/logger/log_dir.h"

namespace procsup::logger {

/// Where a run begins in the files of a stream.
struct RunPlace {
    std::int64_t time = 0;     ///< microseconds since 1970
    std::uint64_t number = 0;  ///< of the file
    std::uint64_t offset = 0;  ///< in it
};

/// The runs that a stream's files begin with, oldest first, in a file beside them ("web.out.log.runs": one line a run, with time,
/// file and offset). An index, nothing more: where it cannot be written or read, the runs it lacks are not found.
class RunIndex {
public:
    RunIndex(std::shared_ptr<LogDir> dir, const std::string& base) : dir_(std::move(dir)), name_(base + ".runs") {}

    void add(const RunPlace& place);
    /// Oldest first.
    const std::deque<RunPlace>& places();

    static constexpr std::size_t kMost = 256;

private:
    void load();
    void save() const;

    std::shared_ptr<LogDir> dir_;
    std::string name_;
    std::deque<RunPlace> places_;
    bool loaded_ = false;
};

}  // namespace procsup::logger
