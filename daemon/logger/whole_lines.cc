#include "daemon/logger/whole_lines.h"

#include <algorithm>
#include <cstring>

#include "common/utf8.h"

namespace procsup::logger {

Step WholeLines::next(std::string_view data, const LineState& before, std::uint64_t /*size*/) {
    out_.clear();
    const auto room =
        BegunLine::kMost - static_cast<std::size_t>(std::min(before.length, std::uint64_t{BegunLine::kMost}));
    // One more than there is room for: the newline does not count.
    const auto newline = data.substr(0, room + 1).find('\n');
    const bool ended = newline != std::string_view::npos;
    auto text = data.substr(0, ended ? newline : room);
    LineState after;
    if (!ended && text.size() < room) {
        memcpy(begun_.text + before.length, text.data(), text.size());
        after = before;
        after.length += text.size();
    } else {
        // A character is not cut, where it has begun in this batch.
        if (const auto cut = ended ? 0 : utf8_cut_short(text); cut < text.size()) text.remove_suffix(cut);
        if (!ended) after.continued = 1;
        put_line(joined(text, before), before, ended, after);
    }
    after.format = form_;
    return {out_, text.size() + (ended ? 1 : 0), after};
}

Step WholeLines::close(const LineState& line) {
    out_.clear();
    LineState after;
    after.format = form_;
    if (line.length > 0) put_line(joined({}, line), line, true, after);
    return {out_, 0, after};
}

Step WholeLines::note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, const LineState& line) {
    Step step = close(line);
    if (line.length > 0) {
        step.more = true;
        return step;
    }
    put_loss(loss_text(lines, first, last));
    step.bytes = out_;
    return step;
}

/// `text` behind what was begun.
std::string_view WholeLines::joined(std::string_view text, const LineState& line) {
    if (line.length == 0) return text;
    joined_.assign(begun_.text, std::min(line.length, std::uint64_t{BegunLine::kMost})).append(text);
    return joined_;
}

}  // namespace procsup::logger
