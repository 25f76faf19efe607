#include "common/units.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

namespace procsup {
namespace {

struct Unit {
    std::string_view name;
    double factor;
};

// From large to small: parse_duration accepts a unit only after a larger one.
constexpr std::array<Unit, 6> kTimeUnits{
    {{"d", 86400e6}, {"h", 3600e6}, {"min", 60e6}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}}};
constexpr std::array<Unit, 9> kSizeUnits{{{"B", 1},
                                          {"KB", 1e3},
                                          {"MB", 1e6},
                                          {"GB", 1e9},
                                          {"TB", 1e12},
                                          {"KiB", 1024.0},
                                          {"MiB", 1048576.0},
                                          {"GiB", 1073741824.0},
                                          {"TiB", 1099511627776.0}}};
constexpr double kLongest = 100.0 * 365 * 86400e6;
constexpr double kLargest = 9007199254740992.0;  // 2^53: what JSON carries exactly

/// Takes a decimal number ("12", "1.5") off the front of `text`.
std::optional<double> take_number(std::string_view& text) {
    std::size_t length = text.find_first_not_of("0123456789.");
    if (length == std::string_view::npos) length = text.size();
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + length, number, std::chars_format::fixed);
    if (error != std::errc() || end != text.data() + length) return std::nullopt;
    text.remove_prefix(length);
    return number;
}

std::string_view take_letters(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length]))) ++length;
    const auto letters = text.substr(0, length);
    text.remove_prefix(length);
    return letters;
}

Error bad(std::string_view text, std::string_view what) {
    return Error{"\"" + std::string(text) + "\" " + std::string(what)};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    constexpr std::string_view kForm = "is not a duration: write a number with us, ms, s, min, h or d, as \"1min30s\"";
    std::string_view rest = text;
    double total = 0;
    std::size_t next_unit = 0;
    do {
        const auto number = take_number(rest);
        if (!number) return bad(text, kForm);
        const auto name = take_letters(rest);
        if (name.empty() && !rest.empty()) return bad(text, kForm);
        if (name.empty()) return bad(text, "has no unit: write \"" + std::string(text) + "s\" for seconds");
        std::size_t unit = next_unit;
        while (unit < kTimeUnits.size() && kTimeUnits[unit].name != name) ++unit;
        if (unit == kTimeUnits.size()) return bad(text, kForm);
        total += *number * kTimeUnits[unit].factor;
        next_unit = unit + 1;
    } while (!rest.empty());
    if (total > kLongest) return bad(text, "is longer than 100 years: write \"none\" for no limit");
    return Duration(std::llround(total));
}

Result<std::uint64_t> parse_size(std::string_view text) {
    std::string_view rest = text;
    const auto number = take_number(rest);
    const auto name = number ? take_letters(rest) : std::string_view();
    if (number && name.empty() && rest.empty()) {
        return bad(text, "has no unit: write \"" + std::string(text) + "B\" for bytes");
    }
    for (const auto& unit : kSizeUnits) {
        if (!number || !rest.empty() || unit.name != name) continue;
        const double bytes = *number * unit.factor;
        if (bytes > kLargest) return bad(text, "is more than 8 PiB");
        return static_cast<std::uint64_t>(std::llround(bytes));
    }
    return bad(text, "is not a size: write a number with B, KiB, MiB, GiB, KB, MB or GB, as \"512MiB\"");
}

std::string to_text(Duration duration) {
    if (duration == kForever) return "none";
    auto rest = duration.count();
    std::string text;
    int parts = 0;
    for (const auto& unit : kTimeUnits) {
        const auto factor = static_cast<std::int64_t>(unit.factor);
        if (rest < factor) {
            if (parts > 0) break;
            continue;
        }
        if (parts > 0) text += ' ';
        text.append(std::to_string(rest / factor)).append(unit.name);
        rest %= factor;
        // Below a minute one unit says enough: "12s", not "12s 345ms".
        if (++parts == 2 || factor <= 1'000'000) break;
    }
    return parts == 0 ? "0s" : text;
}

}  // namespace procsup
