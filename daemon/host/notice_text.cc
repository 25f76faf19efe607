#include "daemon/host/notice_text.h"

#include <algorithm>
#include <charconv>

#include "common/utf8.h"

namespace procsup {
namespace {

constexpr std::size_t kLongestLine = 256;
/// A year: beyond it a sum of times might overflow.
constexpr std::int64_t kLongestExtension = 365LL * 86400 * 1'000'000;

/// Of a value that is shown to people.
std::string shown(std::string_view value) {
    constexpr std::size_t kMost = 32;
    return line_for_people(beginning_of(value, kMost));
}

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
    return number;
}

void take(std::string_view name, std::string_view value, Notice& notice) {
    if (name == "READY") notice.ready = notice.ready || value == "1";
    if (name == "RELOADING") notice.reloading = notice.reloading || value == "1";
    if (name == "STOPPING") notice.stopping = notice.stopping || value == "1";
    if (name == "STATUS") notice.status = line_for_people(value);
    if (name == "MAINPID") {
        const auto pid = number_of(value);
        const bool possible = pid && *pid <= INT32_MAX;
        if (possible) notice.main_pid = static_cast<pid_t>(*pid);
        if (!possible && notice.refused.empty())
            notice.refused = "MAINPID=" + shown(value) + " was not taken: that is no process ID";
    }
    if (name == "WATCHDOG") {
        notice.alive = notice.alive || value == "1";
        notice.hangs = notice.hangs || value == "trigger";
    }
    if (name == "WATCHDOG_USEC") {
        // As systemd takes it: 0 and the largest number mean that there is none.
        const auto usec = number_of(value);
        if (usec) notice.watchdog = Duration(std::min(*usec, kLongestExtension));
        const bool zero = !value.empty() && value.find_first_not_of('0') == std::string_view::npos;
        if (zero || value == "18446744073709551615") notice.watchdog = kForever;
    }
    if (name == "EXTEND_TIMEOUT_USEC") {
        if (const auto usec = number_of(value)) notice.extend_timeout = Duration(std::min(*usec, kLongestExtension));
    }
}

}  // namespace

Notice parse_notice(std::string_view datagram) {
    Notice notice;
    while (!datagram.empty()) {
        const auto end = std::min(datagram.find('\n'), datagram.size());
        const auto line = datagram.substr(0, end);
        datagram.remove_prefix(std::min(end + 1, datagram.size()));
        const auto equals = line.find('=');
        if (equals != std::string_view::npos) take(line.substr(0, equals), line.substr(equals + 1), notice);
    }
    return notice;
}

std::string line_for_people(std::string_view text) {
    std::string line(utf8_prefix(text, kLongestLine));
    const bool good = is_utf8(line);
    for (char& c : line) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) c = ' ';
        if (byte >= 0x80 && !good) c = '?';
    }
    return line;
}

}  // namespace procsup
