#include "daemon/logger/tail.h"

#include <unistd.h>

#include <algorithm>

#include "common/json.h"

namespace procsup::logger {
namespace {

constexpr std::size_t kMostBytes = 8192;
constexpr std::size_t kMostOfALine = 500;

/// Up to kMostBytes in front of `end`, from `begin` on.
std::string read_before(const Fd& file, std::uint64_t begin, std::uint64_t end) {
    if (end <= begin) return {};
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, kMostBytes));
    std::string text(size, '\0');
    const ssize_t got = pread(file.get(), text.data(), size, static_cast<off_t>(end - size));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

/// The end of what lies between the places; of a run that went over several files, from the last of them that has something.
std::string end_of(const Stream& stream, const LogRun& begin, const LogRun& end) {
    for (auto number = end.number; number >= begin.number && number > 0; --number) {
        bool compressed = false;
        const bool current = number == stream.file.number();
        const auto file = current ? stream.file.open_current() : stream.file.open_rotated(number, compressed);
        if (!file || compressed) return {};
        const auto size =
            number == end.number ? end.offset : static_cast<std::uint64_t>(lseek(file->get(), 0, SEEK_END));
        const auto text = read_before(*file, number == begin.number ? begin.offset : 0, size);
        if (!text.empty()) return text;
    }
    return {};
}

std::string text_in_journal(std::string_view line) {
    take_priority(line, 0);
    return std::string(line);
}

std::string text_as_it_is(std::string_view line) { return std::string(line); }

/// The last of them; one whose beginning is not there is left out.
template <typename TextOf>
std::vector<std::string> lines_of(std::string_view rest, const TextOf& text_of) {
    std::vector<std::string> lines;
    if (rest.size() == kMostBytes) rest.remove_prefix(std::min(rest.find('\n') + 1, rest.size()));
    while (!rest.empty()) {
        const auto newline = rest.find('\n');
        lines.push_back(text_of(rest.substr(0, newline)).substr(0, kMostOfALine));
        rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
    }
    if (lines.size() > kTailLines) lines.erase(lines.begin(), lines.end() - kTailLines);
    return lines;
}

}  // namespace

std::string text_of_line(LogFormat format, std::string_view line) {
    if (format == LogFormat::Raw) return std::string(line);
    if (format == LogFormat::Stamped) {
        const auto space = line.find(' ');
        return std::string(space == std::string_view::npos ? line : line.substr(space + 1));
    }
    const auto value = json::parse(line);
    return std::string(value ? value->string_or("message", "") : line);
}

void keep_end(Stream& stream, std::string_view data) {
    auto& end = stream.end_of_run;
    data = data.substr(data.size() - std::min(data.size(), kMostBytes));
    if (end.size() + data.size() > kMostBytes) end.erase(0, end.size() + data.size() - kMostBytes);
    end += data;
}

std::vector<std::string> last_lines(Stream& stream, std::uint32_t runs_after) {
    if (!stream.has_files()) {
        if (runs_after > 0) return {};
        const bool journal = stream.settings.to == Destination::Journal;
        return lines_of(stream.end_of_run, journal ? text_in_journal : text_as_it_is);
    }
    const auto& places = stream.runs.places();
    if (places.size() <= runs_after) return {};
    const auto begin = places.size() - 1 - runs_after;
    const LogRun here{0, stream.file.number(), stream.file.size()};
    const auto text = end_of(stream, places[begin], runs_after > 0 ? places[begin + 1] : here);
    return lines_of(text, [&](std::string_view line) { return text_of_line(stream.settings.format, line); });
}

}  // namespace procsup::logger
