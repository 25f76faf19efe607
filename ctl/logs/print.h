#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ctl/logs/source.h"

namespace procsup::ctl {

enum class LogOutput { Short, Json, Cat, Raw };

/// Writes lines to standard output, some at a time, and never holds more than a part of them.
///   Short  time, instance, stream and text; what could steer a terminal is made visible, wherever it goes
///   Cat    the text; as Short on a terminal, else as it was written
///   Raw    the line as it stands in its file
///   Json   an object for each line
class LogPrinter {
public:
    LogPrinter(LogOutput output, bool colors, bool terminal) : output_(output), colors_(colors), terminal_(terminal) {}

    void print(const LogStream& stream, const LogLine& line);
    /// Writes what is gathered. False, now and ever after: nobody reads it.
    bool flush();
    bool broken() const { return broken_; }
    /// Errno of the write that failed.
    int failure() const { return failure_; }
    /// Ends a last line that has no newline, except as Raw.
    void finish();

private:
    void add_short(const LogStream& stream, const LogLine& line);
    void add_json(const LogStream& stream, const LogLine& line);
    void add_time(std::int64_t time);
    void add_utc(std::int64_t time);
    void add_title(const LogStream& stream);
    void add_escaped(std::string_view text);
    void add_as_it_is(const LogStream& stream, const LogLine& line, std::string_view text);

    LogOutput output_;
    bool colors_;
    bool terminal_;
    std::string gathered_;
    std::string room_;
    const LogStream* unended_ = nullptr;  // whose last line has no newline yet
    bool broken_ = false;
    int failure_ = 0;

    std::int64_t minute_ = INT64_MIN;  // that minute_text_ is of
    std::string minute_text_;          // "12:20:", or with the date before
    std::vector<std::string> titles_;  // by LogStream::place: "web@0 out | "
};

}  // namespace procsup::ctl
