#include "ctl/logs/print.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

#include "common/json.h"
#include "ctl/clock.h"
#include "ctl/output.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::size_t kGather = 64u << 10;
constexpr std::int64_t kMinute = 60'000'000;
constexpr std::array<std::string_view, 6> kColors{"\x1b[36m", "\x1b[32m", "\x1b[33m",
                                                  "\x1b[35m", "\x1b[34m", "\x1b[96m"};
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kPlain = "\x1b[0m";

void add_digits(std::string& to, std::int64_t value, int digits) {
    std::array<char, 8> text{};
    for (int i = digits; i-- > 0; value /= 10) text[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
    to.append(text.data(), static_cast<std::size_t>(digits));
}

std::string formatted(time_t seconds, const char* format, bool utc = false) {
    struct tm fields {};
    if (utc) {
        gmtime_r(&seconds, &fields);
    } else {
        localtime_r(&seconds, &fields);
    }
    std::array<char, 64> text{};
    return {text.data(), strftime(text.data(), text.size(), format, &fields)};
}

bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
}

std::string json_title_text(const LogStream& stream) {
    json::Writer writer;
    writer.begin_object().member("job", stream.job).member("instance", stream.instance).member("stream", stream.name);
    auto text = writer.key("message").take();
    text.front() = ',';
    return text;
}

std::string title_text(const LogStream& stream, bool colors) {
    const bool error = stream.name == "stderr";
    const auto name = escaped(stream.instance);
    const std::string_view short_name = error ? "ERR" : "out";
    if (!colors) return name + " " + std::string(short_name) + " | ";
    const auto color = kColors[std::hash<std::string>()(stream.instance) % kColors.size()];
    std::string text = std::string(color) + name + std::string(kPlain) + " ";
    text += error ? std::string(kRed) + "ERR" + std::string(kPlain) : "out";
    return text + " | ";
}

}  // namespace

void LogPrinter::print(const LogStream& stream, const LogLine& line) {
    switch (output_) {
        case LogOutput::Short: add_short(stream, line); break;
        case LogOutput::Json: add_json(stream, line); break;
        case LogOutput::Raw: add_as_it_is(stream, line, line.raw); break;
        case LogOutput::Cat: add_as_it_is(stream, line, text_of(line, room_)); break;
    }
    if (gathered_.size() >= kGather) flush();
}

void LogPrinter::add_short(const LogStream& stream, const LogLine& line) {
    if (line.time != kNoTime) add_time(line.time);
    add_title(stream);
    auto text = text_of(line, room_);
    if (text.ends_with('\r')) text.remove_suffix(1);
    add_escaped(text);
    gathered_ += '\n';
}

void LogPrinter::add_escaped(std::string_view text) {
    if (is_plain(text)) {
        gathered_ += text;
    } else {
        gathered_ += escaped(text, true);
    }
}

void LogPrinter::add_time(std::int64_t time) {
    const auto minute = time / kMinute;
    if (minute != minute_) {
        minute_ = minute;
        const auto seconds = static_cast<time_t>(minute * 60);
        const auto day = formatted(seconds, "%Y-%m-%d ");
        const bool today = day == formatted(static_cast<time_t>(realtime_usec() / 1'000'000), "%Y-%m-%d ");
        minute_text_ = (today ? "" : day) + formatted(seconds, "%H:%M:");
    }
    gathered_ += minute_text_;
    add_digits(gathered_, time % kMinute / 1'000'000, 2);
    gathered_ += '.';
    add_digits(gathered_, time / 1000 % 1000, 3);
    gathered_ += ' ';
}

void LogPrinter::add_title(const LogStream& stream) {
    if (titles_.size() <= stream.place) titles_.resize(stream.place + 1);
    auto& title = titles_[stream.place];
    if (title.empty()) title = output_ == LogOutput::Json ? json_title_text(stream) : title_text(stream, colors_);
    gathered_ += title;
}

void LogPrinter::add_json(const LogStream& stream, const LogLine& line) {
    gathered_ += R"({"time":)";
    if (line.time == kNoTime) {
        gathered_ += "null";
    } else {
        add_utc(line.time);
    }
    add_title(stream);
    const auto text = text_of(line, room_);
    if (is_plain(text) && text.find_first_of("\"\\\t") == std::string_view::npos) {
        gathered_.append("\"").append(text).append("\"");
    } else {
        gathered_ += json::Writer().string(text).text();
    }
    gathered_ += "}\n";
}

/// "2026-03-03T10:11:02.123456Z", with its quotes.
void LogPrinter::add_utc(std::int64_t time) {
    const auto minute = time / kMinute;
    if (minute != minute_) {
        minute_ = minute;
        minute_text_ = formatted(static_cast<time_t>(minute * 60), "\"%Y-%m-%dT%H:%M:", true);
    }
    gathered_ += minute_text_;
    add_digits(gathered_, time % kMinute / 1'000'000, 2);
    gathered_ += '.';
    add_digits(gathered_, time % 1'000'000, 6);
    gathered_ += "Z\"";
}

void LogPrinter::add_as_it_is(const LogStream& stream, const LogLine& line, std::string_view text) {
    const bool goes_on = unended_ == &stream && !line.begins;
    if (unended_ != nullptr && !goes_on) gathered_ += '\n';
    if (output_ == LogOutput::Cat && terminal_) {
        add_escaped(text);
    } else {
        gathered_ += text;
    }
    unended_ = line.ended ? nullptr : &stream;
    if (line.ended) gathered_ += '\n';
}

void LogPrinter::finish() {
    if (unended_ != nullptr && output_ != LogOutput::Raw) gathered_ += '\n';
    unended_ = nullptr;
    flush();
}

bool LogPrinter::flush() {
    if (!broken_ && !write_all(STDOUT_FILENO, gathered_)) {
        failure_ = errno;
        broken_ = true;
    }
    gathered_.clear();
    return !broken_;
}

}  // namespace procsup::ctl
