#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/fd.h"
#include "daemon/logger/journal_format.h"
#include "daemon/logger/journal_socket.h"
#include "daemon/logger/line_format.h"
#include "daemon/logger/output_file.h"
#include "daemon/logger/output_format.h"
#include "daemon/logger/own_output.h"
#include "daemon/logger/protocol.h"
#include "daemon/logger/run_index.h"

namespace procsup::logger {

/// One stream: the pipe it comes from, the form its lines get, what they are written to.
struct Stream {
    /// `begun` is its place in Memory.
    Stream(CapturedStream asked, Fd from, std::shared_ptr<LogDir> dir, JournalSocket& journal, OwnOutput& output,
           BegunLine& begun)
        : settings(std::move(asked)),
          pipe(std::move(from)),
          file(dir, settings.file_name(), settings.group, settings.retention),
          runs(std::move(dir), settings.file_name()),
          sink(choose(journal, output)) {
        const LineSource source{settings.job, settings.instance, settings.name};
        switch (settings.to) {
            case Destination::Files:
                format = std::make_unique<LineFormat>(settings.format, settings.retention.max_size, source);
                break;
            case Destination::Journal: format = std::make_unique<JournalFormat>(source, begun); break;
            case Destination::Output: format = std::make_unique<OutputFormat>(source, begun, output); break;
        }
    }

    /// Its lines are kept here.
    bool has_files() const { return settings.to == Destination::Files; }

    /// A run begins with what is written next.
    void note_run(std::int64_t time) {
        if (has_files()) {
            runs.add({time, file.number(), file.size()});
        } else {
            end_of_run.clear();
        }
    }

    CapturedStream settings;
    Fd pipe;
    std::unique_ptr<Format> format;
    OutputFile file;  ///< for who reads it, also while lines go elsewhere
    RunIndex runs;
    Sink& sink;
    std::string end_of_run;  ///< what the newest run has written last where there are no files; lost with the logger
    bool watched = false;    ///< what its pipe brings is waited for
    bool busy = false;       ///< and not waited for but asked for in every round
    std::size_t room = 0;    ///< bytes that its pipe holds
    int full = 0;            ///< how much of that was there when it was asked for last, in percent
    bool removing = false;   ///< forgotten as soon as its pipe is empty
    bool at_end = false;     ///< nobody can write to its pipe any more
    std::int64_t window_ends = 0;    ///< of rate_limit; microseconds since 1970
    std::uint32_t window_lines = 0;  ///< that were written in it
    std::int64_t sync_due = 0;       ///< when what was written is to be put on the disk; 0: nothing is
    std::uint64_t line_ends_at = 0;  ///< bytes of the stream behind which the line ends, ended or not; 0: it goes on
    std::int64_t held_up_since = 0;  ///< the sink takes nothing just now; 0: it does
    std::string problem;             ///< why nothing can be written at present

private:
    Sink& choose(JournalSocket& journal, OwnOutput& output) {
        switch (settings.to) {
            case Destination::Files: break;
            case Destination::Journal: return journal;
            case Destination::Output: return output;
        }
        return file;
    }
};

}  // namespace procsup::logger
