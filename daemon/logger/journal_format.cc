#include "daemon/logger/journal_format.h"

#include <endian.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/utf8.h"

namespace procsup::logger {
namespace {

// As in syslog(3).
constexpr std::uint32_t kError = 3, kWarning = 4, kInformation = 6;

constexpr std::string_view kWhiteSpace = " \t\r\v\f";

}  // namespace

std::uint32_t take_priority(std::string_view& text, std::uint32_t usual) {
    const bool given = text.size() >= 3 && text[0] == '<' && text[1] >= '0' && text[1] <= '7' && text[2] == '>';
    if (!given) return usual;
    const auto priority = static_cast<std::uint32_t>(text[1] - '0');
    text.remove_prefix(3);
    return priority;
}

JournalFormat::JournalFormat(const LineSource& source, BegunLine& begun)
    : begun_(begun), usual_priority_(source.stream == "stderr" ? kError : kInformation) {
    fields_ = fmt::format("SYSLOG_IDENTIFIER={}\nPROCSUP_JOB={}\nPROCSUP_INSTANCE={}\nPROCSUP_STREAM={}\n",
                          source.instance, source.job, source.instance, source.stream);
}

Step JournalFormat::next(std::string_view data, const LineState& before, std::uint64_t /*size*/) {
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
        put_line(joined(text, before), before, ended, after);
    }
    after.format = LineState::kOfJournal;
    return {out_, text.size() + (ended ? 1 : 0), after};
}

Step JournalFormat::close(const LineState& line) {
    out_.clear();
    LineState after;
    after.format = LineState::kOfJournal;
    if (line.length > 0) put_line(joined({}, line), line, true, after);
    return {out_, 0, after};
}

Step JournalFormat::note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, const LineState& line) {
    Step step = close(line);
    if (line.length > 0) {
        step.more = true;
        return step;
    }
    put_message(loss_text(lines, first, last), kWarning);
    step.bytes = out_;
    return step;
}

/// `text` behind what was begun.
std::string_view JournalFormat::joined(std::string_view text, const LineState& line) {
    if (line.length == 0) return text;
    joined_.assign(begun_.text, std::min(line.length, std::uint64_t{BegunLine::kMost})).append(text);
    return joined_;
}

void JournalFormat::put_line(std::string_view text, const LineState& line, bool ended, LineState& after) {
    const auto priority = line.continued != 0 ? line.priority : take_priority(text, usual_priority_);
    if (ended) {
        text = text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
    } else {
        after.continued = 1;
        after.priority = priority;
    }
    if (!text.empty()) put_message(text, priority);
}

/// The text with its length in front: it may be anything.
void JournalFormat::put_message(std::string_view text, std::uint32_t priority) {
    const std::uint64_t size = htole64(text.size());
    out_ = fields_;
    out_ += fmt::format("PRIORITY={}\nMESSAGE\n", priority);
    out_.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(text).append("\n");
}

}  // namespace procsup::logger
