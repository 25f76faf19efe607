#include "conf/cron.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "common/did_you_mean.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct FieldForm {
    std::string_view name;
    int first;
    int last;
    int most;  // as a number: 7 is Sunday too
    std::span<const std::string_view> names;
};

constexpr FieldForm kFields[] = {{"minute", 0, 59, 59, {}},
                                 {"hour", 0, 23, 23, {}},
                                 {"day-of-month", 1, 31, 31, {}},
                                 {"month", 1, 12, 12, kMonths},
                                 {"day-of-week", 0, 6, 7, kWeekdays}};
constexpr std::string_view kFieldNames = "minute hour day-of-month month day-of-week";

struct Shorthand {
    std::string_view name;
    std::string_view meaning;
};

constexpr Shorthand kShorthands[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                                     {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                                     {"@annually", "0 0 1 1 *"}};

Error at_column(std::string text, std::size_t column) {
    return Error{std::move(text) + " (column " + std::to_string(column) + ")"};
}

std::string range_text(int first, int last) {
    return first == last ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (auto& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return result;
}

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// One number above all that are allowed stands for each that is too large to be counted.
int number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() ? value : 1000;
}

/// Reads one field. All texts are parts of `whole`, which is how their columns are known.
class FieldReader {
public:
    FieldReader(const FieldForm& form, std::string_view whole) : form_(form), whole_(whole) {}

    /// Bit n is set for each n that the field has.
    Result<std::uint64_t> read(std::string_view field) const {
        std::uint64_t bits = 0;
        for (std::size_t at = 0; at <= field.size();) {
            const auto end = std::min(field.find(',', at), field.size());
            const auto more = read_element(field.substr(at, end - at));
            if (!more) return more.error();
            bits |= *more;
            at = end + 1;
        }
        return bits;
    }

private:
    struct Range {
        int first;
        int last;
    };

    Error fault(std::string_view part, const std::string& text) const {
        return at_column(std::string(form_.name) + ": " + text,
                         static_cast<std::size_t>(part.data() - whole_.data()) + 1);
    }

    Result<std::uint64_t> read_element(std::string_view text) const {
        const auto slash = text.find('/');
        const auto range = read_range(text.substr(0, slash));
        if (!range) return range.error();
        int step = 1;
        if (slash != text.npos) {
            if (text[0] != '*' && text.substr(0, slash).find('-') == text.npos) {
                return fault(text, quoted(text) + " is a step without a range: write " + std::to_string(range->first) +
                                       "-" + std::to_string(form_.last) + std::string(text.substr(slash)));
            }
            const auto read = read_step(text.substr(slash + 1));
            if (!read) return read.error();
            step = *read;
        }
        std::uint64_t bits = 0;
        for (int value = range->first; value <= range->last; value += step) {
            bits |= std::uint64_t(1) << (value > form_.last ? form_.first : value);
        }
        return bits;
    }

    Result<Range> read_range(std::string_view text) const {
        if (text == "*") return Range{form_.first, form_.last};
        const auto dash = text.find('-');
        const auto first = read_value(text.substr(0, dash));
        if (!first) return first.error();
        if (dash == text.npos) return Range{*first, *first};
        const auto last = read_value(text.substr(dash + 1));
        if (!last) return last.error();
        if (*first <= *last) return Range{*first, *last};
        return fault(text, "the range " + quoted(text) + " ends before it begins: write " +
                               range_text(*first, std::max(*first, form_.last)) + "," + range_text(form_.first, *last));
    }

    Result<int> read_value(std::string_view text) const {
        if (text.empty()) return fault(text, "a value is missing, one of " + allowed());
        if (is_number(text)) {
            const int value = number(text);
            if (value >= form_.first && value <= form_.most) return value;
            return fault(text, std::string(text) + " is not in " + range_text(form_.first, form_.most));
        }
        const auto name = upper(text);
        const auto found = std::find(form_.names.begin(), form_.names.end(), name);
        if (found != form_.names.end()) return form_.first + static_cast<int>(found - form_.names.begin());
        return fault(text, quoted(text) + " is not one of " + allowed() + did_you_mean(name, form_.names));
    }

    Result<int> read_step(std::string_view text) const {
        const int most = form_.last - form_.first + 1;
        if (is_number(text)) {
            const int step = number(text);
            if (step >= 1 && step <= most) return step;
        }
        return fault(text, "the step " + quoted(text) + " is not in " + range_text(1, most));
    }

    std::string allowed() const {
        auto text = range_text(form_.first, form_.most);
        if (!form_.names.empty()) text.append(", ").append(form_.names.front()).append("-").append(form_.names.back());
        return text;
    }

    const FieldForm& form_;
    std::string_view whole_;
};

std::vector<std::string_view> words_of(std::string_view text) {
    constexpr std::string_view kBlank = " \t";
    std::vector<std::string_view> words;
    for (auto at = text.find_first_not_of(kBlank); at != text.npos; at = text.find_first_not_of(kBlank, at)) {
        const auto end = std::min(text.find_first_of(kBlank, at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

Result<Cron> parse_shorthand(std::string_view name, std::size_t column) {
    std::vector<std::string_view> names;
    for (const auto& shorthand : kShorthands) {
        if (upper(shorthand.name) == upper(name)) return parse_cron(shorthand.meaning);
        names.push_back(shorthand.name);
    }
    if (upper(name) == "@REBOOT") {
        return at_column("'@reboot' is no time: a job with enabled = true is started with procsupd", column);
    }
    return at_column("unknown shorthand " + quoted(name) + did_you_mean(name, names), column);
}

/// Why these words cannot be an expression.
Error wrong_count(std::string_view text, const std::vector<std::string_view>& words) {
    if (words.size() > std::size(kFields)) {
        return at_column(
            "there are more than the five fields " + std::string(kFieldNames) + " (none is for seconds or years)",
            static_cast<std::size_t>(words[std::size(kFields)].data() - text.data()) + 1);
    }
    return at_column(
        "the fields are " + std::string(kFieldNames) + ": " + std::string(kFields[words.size()].name) + " is missing",
        text.size() + 1);
}

/// Leap days come, if rarely; 30 February never does.
bool can_happen(const Cron& cron) {
    if (cron.either_day) return true;
    constexpr int kLongestOf[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int first = std::countr_zero(cron.days);
    for (int month = 1; month <= 12; ++month) {
        if ((cron.months >> month & 1) != 0 && first <= kLongestOf[month - 1]) return true;
    }
    return false;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
    if (text.size() > kLongestCron) {
        return Error{"the expression is longer than " + std::to_string(kLongestCron) + " bytes"};
    }
    const auto words = words_of(text);
    const auto column = [&](std::string_view word) { return static_cast<std::size_t>(word.data() - text.data()) + 1; };
    if (!words.empty() && words[0].front() == '@') {
        if (words.size() == 1) return parse_shorthand(words[0], column(words[0]));
        return at_column("nothing may follow " + quoted(words[0]), column(words[1]));
    }
    if (words.size() != std::size(kFields)) return wrong_count(text, words);

    std::uint64_t bits[std::size(kFields)] = {};
    for (std::size_t i = 0; i < std::size(kFields); ++i) {
        const auto field = FieldReader(kFields[i], text).read(words[i]);
        if (!field) return field.error();
        bits[i] = *field;
    }
    const auto restricted = [&](std::size_t field) { return words[field].front() != '*'; };
    const Cron cron{.minutes = bits[0],
                    .hours = static_cast<std::uint32_t>(bits[1]),
                    .days = static_cast<std::uint32_t>(bits[2]),
                    .months = static_cast<std::uint16_t>(bits[3]),
                    .weekdays = static_cast<std::uint8_t>(bits[4]),
                    .either_day = restricted(2) && restricted(4),
                    .fixed_time = restricted(0) && restricted(1)};
    if (can_happen(cron)) return cron;
    return at_column(
        "day-of-month: this never happens, as no month of " + quoted(words[3]) + " has a day of " + quoted(words[2]),
        column(words[2]));
}

}  // namespace procsup
