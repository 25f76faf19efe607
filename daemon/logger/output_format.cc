#include "daemon/logger/output_format.h"

namespace procsup::logger {

void OutputFormat::put_line(std::string_view text, const LineState& line, bool /*ended*/, LineState& /*after*/) {
    // The line ended right behind its last piece.
    if (line.continued != 0 && text.empty()) return;
    output_.add_line(out_, instance_, text);
}

}  // namespace procsup::logger
