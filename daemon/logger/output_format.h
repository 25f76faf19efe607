#pragma once

#include <string>

#include "daemon/logger/own_output.h"
#include "daemon/logger/whole_lines.h"

namespace procsup::logger {

/// Lines for procsupd's own output: "web@0 | text".
class OutputFormat final : public WholeLines {
public:
    OutputFormat(const LineSource& source, BegunLine& begun, const OwnOutput& output)
        : WholeLines(begun, LineState::kOfOutput), instance_(source.instance), output_(output) {}

private:
    void put_line(std::string_view text, const LineState& line, bool ended, LineState& after) override;
    void put_loss(std::string_view text) override { output_.add_line(out_, instance_, text); }

    std::string instance_;
    const OwnOutput& output_;
};

}  // namespace procsup::logger
