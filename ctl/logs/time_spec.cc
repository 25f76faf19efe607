#include "ctl/logs/time_spec.h"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "common/units.h"

namespace procsup::ctl {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

/// Takes what it recognizes from the front of a text.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool at_end() const { return rest_.empty(); }

    bool skip(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    /// Exactly so many digits.
    std::optional<int> digits(std::size_t count) {
        int value = 0;
        if (rest_.size() < count) return std::nullopt;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9') return std::nullopt;
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }

    /// ".5" as 500,000; nothing there is 0.
    std::optional<std::int64_t> fraction() {
        if (!skip('.')) return 0;
        std::int64_t value = 0;
        std::int64_t unit = kSecond;
        bool any = false;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1)) {
            any = true;
            unit /= 10;
            value += unit * (rest_.front() - '0');
        }
        return any ? std::optional(value) : std::nullopt;
    }

private:
    std::string_view rest_;
};

std::optional<std::int64_t> to_usec(struct tm fields, bool utc) {
    const int day = fields.tm_mday;
    fields.tm_isdst = -1;
    const time_t seconds = utc ? timegm(&fields) : mktime(&fields);
    // The 31st of June would be the 1st of July.
    if (fields.tm_mday != day) return std::nullopt;
    return std::int64_t{seconds} * kSecond;
}

std::int64_t midnight(std::int64_t now_usec, int days_ago) {
    const auto now = static_cast<time_t>(now_usec / kSecond);
    struct tm fields {};
    localtime_r(&now, &fields);
    fields.tm_hour = fields.tm_min = fields.tm_sec = 0;
    fields.tm_mday -= days_ago;
    fields.tm_isdst = -1;
    return std::int64_t{mktime(&fields)} * kSecond;
}

/// "10:11", "10:11:02.5" into `fields`; the fraction in microseconds.
std::optional<std::int64_t> scan_clock(Scanner& scanner, struct tm& fields) {
    const auto hour = scanner.digits(2);
    if (!hour || !scanner.skip(':')) return std::nullopt;
    const auto minute = scanner.digits(2);
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    fields.tm_hour = *hour;
    fields.tm_min = *minute;
    if (!scanner.skip(':')) return 0;
    const auto second = scanner.digits(2);
    if (!second || *second > 60) return std::nullopt;
    fields.tm_sec = *second;
    return scanner.fraction();
}

bool scan_date(Scanner& scanner, struct tm& fields) {
    const auto year = scanner.digits(4);
    if (!year || !scanner.skip('-')) return false;
    const auto month = scanner.digits(2);
    if (!month || !scanner.skip('-')) return false;
    const auto day = scanner.digits(2);
    if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return false;
    fields.tm_year = *year - 1900;
    fields.tm_mon = *month - 1;
    fields.tm_mday = *day;
    return true;
}

std::optional<std::int64_t> calendar_time(std::string_view text, std::int64_t now_usec) {
    const auto now = static_cast<time_t>(now_usec / kSecond);
    struct tm fields {};
    localtime_r(&now, &fields);
    fields.tm_hour = fields.tm_min = fields.tm_sec = 0;
    std::int64_t fraction = 0;
    Scanner scanner(text);
    const bool dated = text.size() > 4 && text[4] == '-';
    if (dated && !scan_date(scanner, fields)) return std::nullopt;
    if (!dated || scanner.skip(' ') || scanner.skip('T')) {
        const auto scanned = scan_clock(scanner, fields);
        if (!scanned) return std::nullopt;
        fraction = *scanned;
    }
    const bool utc = dated && scanner.skip('Z');
    if (!scanner.at_end()) return std::nullopt;
    const auto whole = to_usec(fields, utc);
    return whole ? std::optional(*whole + fraction) : std::nullopt;
}

std::optional<std::int64_t> unix_time(std::string_view text) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    constexpr std::int64_t kMost = 100'000'000'000;
    if (error != std::errc() || seconds < 0 || seconds > kMost) return std::nullopt;
    Scanner scanner(text.substr(static_cast<std::size_t>(end - text.data())));
    const auto fraction = scanner.fraction();
    if (!fraction || !scanner.at_end()) return std::nullopt;
    return seconds * kSecond + *fraction;
}

}  // namespace

Result<std::int64_t> parse_time(std::string_view text, std::int64_t now_usec) {
    std::optional<std::int64_t> time;
    if (text == "now") time = now_usec;
    if (text == "today") time = midnight(now_usec, 0);
    if (text == "yesterday") time = midnight(now_usec, 1);
    if (!time && text.starts_with('@')) time = unix_time(text.substr(1));
    if (!time) time = calendar_time(text, now_usec);
    if (!time) {
        constexpr std::string_view kAgo = " ago";
        const auto span = parse_duration(text.ends_with(kAgo) ? text.substr(0, text.size() - kAgo.size()) : text);
        if (span) time = now_usec - span->count();
    }
    if (time) return *time;
    return Error{"'" + std::string(text) +
                 "' is no point in time (\"10min\" ago, \"12:30\", \"2026-03-03 10:00\", \"today\", \"@1772532662\")"};
}

}  // namespace procsup::ctl
