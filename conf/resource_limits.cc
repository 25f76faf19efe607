#include "conf/resource_limits.h"

#include <algorithm>
#include <utility>

#include "conf/keys.h"

namespace procsup {
namespace {

template <typename Matches>
const LimitRow* find_row(Matches matches) {
    const auto found = std::find_if(kResourceLimits.begin(), kResourceLimits.end(), matches);
    return found == kResourceLimits.end() ? nullptr : &*found;
}

}  // namespace

const LimitRow* find_limit(Key key) {
    return find_row([&](const LimitRow& row) { return row.key == key; });
}

const LimitRow* find_limit(int resource) {
    return find_row([&](const LimitRow& row) { return row.resource == resource; });
}

std::string_view limit_name(int resource) {
    const auto* row = find_limit(resource);
    return row == nullptr ? "unknown" : all_keys()[static_cast<std::size_t>(row->key)].name;
}

std::string limit_number_text(int resource, rlim_t number) {
    const auto* row = find_limit(resource);
    if (row == nullptr) return std::to_string(number);
    if (number == RLIM_INFINITY) return "unlimited";
    switch (row->unit) {
        case LimitUnit::Count:
        case LimitUnit::Priority: return std::to_string(number);
        case LimitUnit::Bytes: return exact_size(number);
        case LimitUnit::Seconds: {
            constexpr rlim_t kMost = static_cast<rlim_t>(Duration::max() / std::chrono::seconds(1));
            return exact_text(std::chrono::seconds(std::min(number, kMost)));
        }
        case LimitUnit::Microseconds: return exact_text(Duration(number));
        case LimitUnit::Nice: return std::to_string(nice_of_limit(number));
    }
    return {};
}

std::string limit_toml(const ResourceLimit& limit) {
    const std::string hard = limit_number_text(limit.resource, limit.hard);
    if (limit.soft != limit.hard) return "\"" + limit_number_text(limit.resource, limit.soft) + ":" + hard + "\"";
    const bool number = hard.find_first_not_of("-0123456789") == std::string::npos;
    return number ? hard : "\"" + hard + "\"";
}

std::string exact_text(Duration duration) {
    constexpr std::array<std::pair<const char*, std::int64_t>, 6> kUnits{
        {{"d", 86400000000}, {"h", 3600000000}, {"min", 60000000}, {"s", 1000000}, {"ms", 1000}, {"us", 1}}};
    auto rest = duration.count();
    std::string text;
    for (const auto& [name, factor] : kUnits) {
        if (rest < factor) continue;
        text += std::to_string(rest / factor) + name;
        rest %= factor;
    }
    return text.empty() ? "0s" : text;
}

std::string exact_size(std::uint64_t size) {
    constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    if (size == 0) return "0B";
    for (; unit + 1 < kUnits.size() && size % 1024 == 0; size /= 1024) ++unit;
    return std::to_string(size) + kUnits[unit];
}

}  // namespace procsup
