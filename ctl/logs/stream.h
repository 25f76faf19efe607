#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.h"
#include "common/log_file.h"

namespace procsup::ctl {

struct LogInput {
    LogFile file;
    Fd fd;
    // What is wanted of it, in bytes before it was compressed.
    std::uint64_t from = 0;
    std::uint64_t to = UINT64_MAX;
};

/// The files of one stream of one instance, in the order they were written.
struct LogStream {
    std::string job, instance, name;
    std::size_t place = 0;  ///< among all streams
    std::vector<LogInput> files;
    std::vector<LogRun> runs;    ///< as they were when the files were offered
    std::uint32_t known_as = 0;  ///< what the logger calls it, over the present connection
    bool changed = false;        ///< since it was read last

    std::string title() const { return instance + " " + name; }
    /// Leaves out what is not of one run: that after which so many others began.
    void keep_run(std::uint64_t runs_after);
};

/// All streams that were offered. Takes what the logger says, and over a second connection only what is new in it.
class LogStreams {
public:
    /// Tells people what the logger, or a file, has to be excused for.
    using Tell = std::function<void(const std::string&)>;
    LogStreams(std::string only_name, Tell tell) : only_name_(std::move(only_name)), tell_(std::move(tell)) {}

    /// One packet; `fd` came with it. True: all files were offered.
    bool take(std::string_view packet, Fd fd);
    /// What follows comes over another connection, which offers everything again.
    void begin_again();

    const std::vector<std::unique_ptr<LogStream>>& all() const { return streams_; }
    /// Something could not be opened, and was told of.
    bool lacks_files() const { return lacks_; }

private:
    void take_file(LogFile file, Fd fd);
    void take_growth(const json::Value& growth);
    LogStream& stream_of(const LogFile& file);
    LogStream* known_as(std::int64_t number);
    std::string title_of(std::int64_t number);

    std::string only_name_;  // empty: all
    Tell tell_;
    std::vector<std::unique_ptr<LogStream>> streams_;
    bool again_ = false;
    bool lacks_ = false;
};

}  // namespace procsup::ctl
