#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/fd.h"
#include "daemon/logger/line_format.h"
#include "daemon/logger/output_file.h"
#include "daemon/logger/protocol.h"
#include "daemon/logger/run_index.h"

namespace procsup::logger {

/// One stream: the pipe it comes from, the form its lines get, what they are written to.
struct Stream {
    Stream(CapturedStream asked, Fd from, std::shared_ptr<LogDir> dir)
        : settings(std::move(asked)),
          pipe(std::move(from)),
          file(dir, settings.file_name(), settings.group, settings.retention),
          runs(std::move(dir), settings.file_name()),
          sink(file) {
        const LineSource source{settings.job, settings.instance, settings.name};
        format = std::make_unique<LineFormat>(settings.format, settings.retention.max_size, source);
    }

    /// A run begins with what is written next.
    void note_run(std::int64_t time) { runs.add({time, file.number(), file.size()}); }

    CapturedStream settings;
    Fd pipe;
    std::unique_ptr<Format> format;
    OutputFile file;
    RunIndex runs;
    Sink& sink;
    bool watched = false;            ///< what its pipe brings is waited for
    bool busy = false;               ///< and not waited for but asked for in every round
    std::size_t room = 0;            ///< bytes that its pipe holds
    int full = 0;                    ///< how much of that was there when it was asked for last, in percent
    bool removing = false;           ///< forgotten as soon as its pipe is empty
    bool at_end = false;             ///< nobody can write to its pipe any more
    std::int64_t window_ends = 0;    ///< of rate_limit; microseconds since 1970
    std::uint32_t window_lines = 0;  ///< that were written in it
    std::int64_t sync_due = 0;       ///< when what was written is to be put on the disk; 0: nothing is
    std::string problem;             ///< why nothing can be written at present
};

}  // namespace procsup::logger
