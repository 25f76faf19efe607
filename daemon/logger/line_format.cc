#include "daemon/logger/line_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "common/json.h"
#include "common/utf8.h"

namespace procsup::logger {
namespace {

/// One piece of a line; escaped it takes at most six times as much.
constexpr std::size_t kPiece = 16 * 1024;
constexpr std::string_view kContinued = "[continued] ";
constexpr std::string_view kJsonCut = "\",\"cut\":true}\n";

std::size_t find_newline(std::string_view data) {
    const void* found = memchr(data.data(), '\n', data.size());
    return found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - data.data())
                            : std::string_view::npos;
}

std::uint32_t number_of(LogFormat format) { return 1 + static_cast<std::uint32_t>(format); }

void put_digits(char* end, int count, std::int64_t value) {
    for (; count > 0; --count, value /= 10) *--end = static_cast<char>('0' + value % 10);
}

/// By hand, because it is asked for with each batch, which may be one short line.
void put_time_stamp(char* text, std::int64_t usec) {
    namespace chrono = std::chrono;
    const auto since = chrono::microseconds(usec);
    const auto days = chrono::floor<chrono::days>(since);
    const chrono::year_month_day date{chrono::sys_days(days)};
    const chrono::hh_mm_ss time{since - days};
    put_digits(text + 4, 4, static_cast<int>(date.year()));
    put_digits(text + 7, 2, static_cast<unsigned>(date.month()));
    put_digits(text + 10, 2, static_cast<unsigned>(date.day()));
    put_digits(text + 13, 2, time.hours().count());
    put_digits(text + 16, 2, time.minutes().count());
    put_digits(text + 19, 2, time.seconds().count());
    put_digits(text + 26, 6, time.subseconds().count());
}

constexpr std::string_view kNoTime = "0000-00-00T00:00:00.000000Z";

}  // namespace

std::string time_stamp(std::int64_t usec) {
    std::string text(kNoTime);
    put_time_stamp(text.data(), usec);
    return text;
}

std::string loss_text(std::uint64_t lines, std::int64_t first, std::int64_t last) {
    return fmt::format("[procsupd: {} {} lost, {} to {}]", lines, lines == 1 ? "line" : "lines", time_stamp(first),
                       time_stamp(last));
}

LineFormat::LineFormat(LogFormat format, std::uint64_t max_size, const LineSource& source)
    : format_(format), max_size_(max_size) {
    if (format_ == LogFormat::Raw) return;
    out_.reserve(kStepSize + 8 * kPiece);
    prefix_ = kNoTime;
    if (format_ == LogFormat::Stamped) {
        prefix_ += ' ';
        continued_prefix_ = prefix_ + std::string(kContinued);
        return;
    }
    json::Writer writer;
    writer.begin_object().member("time", kNoTime).member("job", source.job).member("instance", source.instance);
    writer.member("stream", source.stream).end_object();
    prefix_ = writer.take();
    prefix_.pop_back();
    time_at_ = prefix_.find(kNoTime);
    continued_prefix_ = prefix_ + ",\"continued\":true,\"message\":\"";
    prefix_ += ",\"message\":\"";
}

void LineFormat::set_time(std::int64_t usec) {
    if (format_ == LogFormat::Raw) return;
    put_time_stamp(prefix_.data() + time_at_, usec);
    memcpy(continued_prefix_.data() + time_at_, prefix_.data() + time_at_, kNoTime.size());
}

Step LineFormat::next(std::string_view data, const LineState& line, std::uint64_t size) {
    if (line.format != 0 && line.format != number_of(format_) && size > 0) return leave(line);
    Step step = format_ == LogFormat::Raw ? next_raw(data, line, size) : next_lines(data, line, size);
    step.after.format = number_of(format_);
    return step;
}

/// One file, one format: ends that of another, and the line that it may end within.
Step LineFormat::leave(LineState line) {
    Step step = close(line, true);
    step.after = LineState{};
    step.after.continued = line.length > 0 && format_ != LogFormat::Raw;
    step.rotate = true;
    return step;
}

/// As much as fits without looking at it; near the end of the file up to the end of the last line that fits.
Step LineFormat::next_raw(std::string_view data, LineState line, std::uint64_t size) const {
    const auto up_to = [&](std::size_t count, bool rotate) {
        const auto bytes = data.substr(0, count);
        const auto newline = bytes.rfind('\n');
        line.length = newline == std::string_view::npos ? line.length + count : count - newline - 1;
        if (rotate) line.length = 0;
        return Step{bytes, count, line, rotate};
    };
    if (max_size_ == 0 || size + data.size() <= max_size_) return up_to(data.size(), false);
    const std::size_t room = size < max_size_ ? static_cast<std::size_t>(max_size_ - size) : 0;
    if (const auto last = data.substr(0, room).rfind('\n'); last != std::string_view::npos)
        return up_to(last + 1, true);
    // No line ends within the room: the one that is begun goes on over it, another begins the next file.
    if (line.length == 0 && size > 0) return up_to(0, true);
    const std::size_t longest = line.length < max_size_ ? static_cast<std::size_t>(max_size_ - line.length) : 0;
    const auto newline = find_newline(data.substr(0, longest));
    if (newline != std::string_view::npos) return up_to(newline + 1, true);
    return data.size() < longest ? up_to(data.size(), false) : up_to(longest, true);
}

void LineFormat::begin_line(LineState& line, bool continued) {
    const auto before = out_.size();
    out_ += continued ? continued_prefix_ : prefix_;
    line.length = out_.size() - before;
}

void LineFormat::end_line(LineState& line, LogFormat format, bool cut) {
    if (format == LogFormat::Stamped) {
        out_ += '\n';
    } else {
        // What was begun of a character and never ended.
        if (line.cut_size > 0) json::append_escaped(out_, {reinterpret_cast<const char*>(line.cut), line.cut_size});
        out_ += cut ? kJsonCut : "\"}\n";
    }
    line = LineState{};
    line.continued = cut;
}

Step LineFormat::close(LineState line, bool cut) {
    const auto begun = line.format;
    out_.clear();
    if (begun > number_of(LogFormat::Raw) && line.length > 0) {
        end_line(line, static_cast<LogFormat>(begun - 1), cut);
        line = LineState{};
        line.format = begun;
    }
    return {out_, 0, line, false};
}

Step LineFormat::note_loss(std::uint64_t lines, std::int64_t first, std::int64_t last, const LineState& before) {
    const auto text = loss_text(lines, first, last);
    auto line = before;
    out_.clear();
    if (format_ == LogFormat::Raw) {
        out_ = (line.length > 0 ? "\n" : "") + text + "\n";
        return {out_, 0, LineState{}};
    }
    if (line.length > 0) end_line(line, format_, false);
    begin_line(line, false);
    out_ += text;
    out_ += format_ == LogFormat::Stamped ? "\n" : fmt::format("\",\"lost\":{}}}\n", lines);
    return {out_, 0, LineState{}};
}

/// Adds a piece of `text`; how much of it. `ended`: the line ends behind it.
std::size_t LineFormat::add_text(std::string_view text, LineState& line, bool ended) {
    const std::uint64_t longest = max_size_ != 0 && max_size_ > line.length ? max_size_ - line.length : kPiece;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>({text.size(), kPiece, longest}));
    const auto piece = text.substr(0, size);
    const auto before = out_.size();
    if (format_ == LogFormat::Stamped) {
        out_ += piece;
    } else {
        add_escaped(piece, line, ended && size == text.size());
    }
    line.length += out_.size() - before;
    return size;
}

void LineFormat::add_escaped(std::string_view text, LineState& line, bool ended) {
    std::string joined;
    if (line.cut_size > 0) {
        joined.assign(reinterpret_cast<const char*>(line.cut), line.cut_size).append(text);
        text = joined;
    }
    line.cut_size = ended ? 0 : static_cast<std::uint32_t>(utf8_cut_short(text));
    const auto whole = text.size() - line.cut_size;
    memcpy(line.cut, text.data() + whole, line.cut_size);
    json::append_escaped(out_, text.substr(0, whole));
}

Step LineFormat::next_lines(std::string_view data, LineState line, std::uint64_t size) {
    out_.clear();
    std::size_t used = 0;
    while (used < data.size() && out_.size() < kStepSize) {
        const auto line_before = line;
        const auto out_before = out_.size();
        const auto used_before = used;
        const bool begun_here = line.length == 0;
        if (begun_here) begin_line(line, line.continued != 0);
        const auto rest = data.substr(used);
        const auto newline = find_newline(rest);
        const auto text = rest.substr(0, newline);
        std::size_t taken = 0;
        do {
            taken += add_text(text.substr(taken), line, newline != std::string_view::npos);
        } while (taken < text.size() && out_.size() < kStepSize && (max_size_ == 0 || line.length < max_size_));
        used += taken;
        const bool ended = taken == text.size() && newline != std::string_view::npos;
        const bool cut = !ended && max_size_ != 0 && line.length >= max_size_;
        if (ended) ++used;
        if (ended || cut) end_line(line, format_, cut);
        const bool fits = max_size_ == 0 || size + out_.size() <= max_size_;
        if (!fits && begun_here && size + out_before > 0) {
            out_.resize(out_before);
            return {out_, used_before, line_before, true};
        }
        if (!fits && line.length == 0) return {out_, used, line, true};
    }
    return {out_, used, line, false};
}

}  // namespace procsup::logger
