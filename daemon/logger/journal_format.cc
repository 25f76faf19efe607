#include "daemon/logger/journal_format.h"

#include <endian.h>
#include <fmt/format.h>

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
    : WholeLines(begun, LineState::kOfJournal), usual_priority_(source.stream == "stderr" ? kError : kInformation) {
    fields_ = fmt::format("SYSLOG_IDENTIFIER={}\nPROCSUP_JOB={}\nPROCSUP_INSTANCE={}\nPROCSUP_STREAM={}\n",
                          source.instance, source.job, source.instance, source.stream);
}

void JournalFormat::put_line(std::string_view text, const LineState& line, bool ended, LineState& after) {
    const auto priority = line.continued != 0 ? line.priority : take_priority(text, usual_priority_);
    if (ended) {
        text = text.substr(0, text.find_last_not_of(kWhiteSpace) + 1);
    } else {
        after.priority = priority;
    }
    if (!text.empty()) put_message(text, priority);
}

void JournalFormat::put_loss(std::string_view text) { put_message(text, kWarning); }

/// The text with its length in front: it may be anything.
void JournalFormat::put_message(std::string_view text, std::uint32_t priority) {
    const std::uint64_t size = htole64(text.size());
    out_ = fields_;
    out_ += fmt::format("PRIORITY={}\nMESSAGE\n", priority);
    out_.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(text).append("\n");
}

}  // namespace procsup::logger
