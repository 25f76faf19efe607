#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

#include "common/fd.h"
#include "conf/job_spec.h"

namespace procsup {

/// procsupd's own log: one line an event, to standard error, or with fields to the journal when standard error is the
/// journal. Never waits: what nobody takes is dropped and counted, and the count is said with the next line that goes
/// through. Text of others is escaped. Not for what jobs print.
class OwnLog {
public:
    using Field = std::pair<std::string_view, std::string_view>;  ///< journal field name and value

    OwnLog();
    void set_level(LogLevel level);

    void debug(std::string_view text, std::initializer_list<Field> fields = {});
    void info(std::string_view text, std::initializer_list<Field> fields = {});
    void warn(std::string_view text, std::initializer_list<Field> fields = {});
    void error(std::string_view text, std::initializer_list<Field> fields = {});

    /// Writes the lines of this turn; they go together, because each alone would cost a system call.
    void flush();
    std::uint64_t dropped() const;

private:
    class Output;
    void write(spdlog::level::level_enum level, std::string_view text, std::initializer_list<Field> fields);

    // Shared as spdlog wants it: the logger holds its sinks by shared_ptr.
    std::shared_ptr<Output> output_;
    std::shared_ptr<spdlog::logger> logger_;
};

/// `text` with control characters as \xNN, so that it can neither forge lines nor drive a terminal.
std::string escaped(std::string_view text);

}  // namespace procsup
