#include "ctl/logs/start.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace procsup::ctl {
namespace {

constexpr std::size_t kBlock = 256u << 10;
constexpr std::uint64_t kFirstPart = 64u << 10;
/// Enough for the stamp of a line.
constexpr std::size_t kStampRoom = 256;

std::string_view bytes_at(const LogInput& input, std::uint64_t offset, std::span<char> room) {
    if (input.file.compressed) {
        const auto count = Unpacker(input.fd.get()).read(room.data(), room.size());
        return {room.data(), count ? *count : 0};
    }
    const auto count = ::pread(input.fd.get(), room.data(), room.size(), static_cast<off_t>(offset));
    return {room.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

std::int64_t first_time(const LogInput& input) {
    if (input.file.format == LogFormat::Raw) return kNoTime;
    std::array<char, kStampRoom> room{};
    return StampReader().time_of(bytes_at(input, 0, room), input.file.format);
}

/// Lines of files without times have the time of the file.
bool ends_before(const LogInput& input, std::int64_t since) {
    struct stat status {};
    if (::fstat(input.fd.get(), &status) != 0) return false;
    return std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000 < since;
}

/// The first byte behind a newline, from `offset` on; `end` when there is none.
std::uint64_t line_begin(const LogInput& input, std::uint64_t offset, std::uint64_t end) {
    if (offset == 0) return 0;
    std::string room(64u << 10, '\0');
    // The newline may be the byte before.
    for (std::uint64_t at = offset - 1; at < end;) {
        const auto bytes = bytes_at(input, at, room);
        if (bytes.empty()) return end;
        if (const auto newline = bytes.find('\n'); newline != std::string_view::npos) return at + newline + 1;
        at += bytes.size();
    }
    return end;
}

/// The first line of a file that is not compressed whose time is not before `since`, or some line before it.
std::uint64_t offset_since(const LogInput& input, std::int64_t since) {
    if (input.file.format == LogFormat::Raw) return 0;
    std::array<char, kStampRoom> room{};
    StampReader stamps;
    std::uint64_t early = 0;
    std::uint64_t late = input.file.size;
    while (late - early > kFirstPart) {
        const auto middle = line_begin(input, early + (late - early) / 2, late);
        const auto time = stamps.time_of(bytes_at(input, middle, room), input.file.format);
        if (middle >= late) break;
        if (time == kNoTime) return early;
        (time < since ? early : late) = middle;
    }
    return early;
}

struct Count {
    std::uint64_t lines = 0;
    bool goes_on = false;  ///< the first line is the rest of one in the file before
    bool open = false;     ///< the last line has no newline
};

Count count_lines(LogStream& stream, const Wanted& wanted, Range range, bool follow) {
    Source source(stream, wanted, range, kBlock, [](const std::string&) {});
    if (!follow) source.finish();
    Count count;
    while (source.next()) {
        const auto& line = source.line();
        if (count.lines == 0 && range.offset == 0) count.goes_on = !begins_line(line.raw, line.format);
        count.open = !line.ended;
        ++count.lines;
    }
    return count;
}

std::uint64_t all_but(std::uint64_t size, std::uint64_t part) { return size > part ? size - part : 0; }

}  // namespace

Range range_of(const LogStream& stream, const Wanted& wanted) {
    Range range;
    const auto& files = stream.files;
    if (wanted.until != INT64_MAX && !files.empty()) {
        range.last = files.size() - 1;
        while (range.last > 0 && first_time(files[range.last]) > wanted.until) --range.last;
    }
    if (wanted.since == INT64_MIN) return range;
    while (range.first < files.size() && ends_before(files[range.first], wanted.since)) ++range.first;
    // The lines of a file are not after the first of the next.
    while (range.first + 1 < files.size()) {
        const auto time = first_time(files[range.first + 1]);
        if (time == kNoTime || time >= wanted.since) break;
        ++range.first;
    }
    if (range.first < files.size() && !files[range.first].file.compressed) {
        range.offset = offset_since(files[range.first], wanted.since);
    }
    return range;
}

Tail tail_of(LogStream& stream, const Wanted& wanted, Range whole, std::uint64_t lines, bool follow) {
    const auto size = whole.last == SIZE_MAX ? stream.files.size() : whole.last + 1;
    Tail tail{{std::max(whole.first, size), 0, whole.last}, 0};
    // A line that begins in the file before is counted there, if there is one: its first part may be far from its newline.
    std::uint64_t undecided = 0;
    for (std::size_t at = size; at-- > whole.first;) {
        const auto& input = stream.files[at];
        const bool growing = follow && at + 1 == size;
        const auto least = std::max(at == whole.first ? whole.offset : 0, input.from);
        Range range{at, least, at};
        for (std::uint64_t part = kFirstPart;; part *= 4) {
            if (!input.file.compressed) {
                range.offset = line_begin(input, all_but(input.file.size, part), input.file.size);
                range.offset = std::max(range.offset, least);
            }
            // What is searched for may not be there, but what is not yet complete will have to be read.
            if (growing && part == kFirstPart) tail.range = {at, range.offset, whole.last};
            auto count = count_lines(stream, wanted, range, growing);
            const bool shared = count.goes_on && at > whole.first && count.lines > 0;
            if (shared) --count.lines;
            if (range.offset > least && tail.lines + count.lines < lines) continue;
            if (count.lines > 0 || shared) tail.range = {at, range.offset, whole.last};
            tail.lines += count.lines + (count.open ? 0 : undecided);
            undecided = shared ? 1 : 0;
            break;
        }
        if (tail.lines >= lines) break;
    }
    return tail;
}

}  // namespace procsup::ctl
