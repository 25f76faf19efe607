// Values of those keys of [limits] that are for all processes of a job together.
#include <algorithm>
#include <cmath>

#include "conf/key_reader.h"
#include "conf/tree_limits.h"

namespace procsup {

void KeyReader::tree_limit(const TomlValue& value) {
    TreeLimit limit{find_tree_limit(row_->key)->kind, TreeLimit::kUnlimited};
    const auto* text = value.as<std::string>();
    const bool unlimited = text != nullptr && *text == "unlimited";
    switch (limit.kind) {
        case TreeLimit::Kind::MemoryMax:
        case TreeLimit::Kind::MemoryHigh: {
            std::optional<std::uint64_t> size;
            if (!checked_size(value, "unlimited", size)) return;
            if (size == 0u) return report(value, "must be more than 0");
            limit.value = size.value_or(TreeLimit::kUnlimited);
            break;
        }
        case TreeLimit::Kind::Cpu: {
            // Linux takes no quota below 1 ms.
            constexpr double kLeast = 0.01;
            double processors = 0;
            if (!unlimited && text != nullptr) return wrong_type(value, "write it without quotes, or \"unlimited\"");
            if (!unlimited) number(value, kLeast, kMostCpus, processors);
            if (!unlimited && processors < kLeast) return;
            if (!unlimited) limit.value = static_cast<std::uint64_t>(std::llround(processors * kCpuPeriodUsec));
            break;
        }
        case TreeLimit::Kind::TasksMax: {
            if (!unlimited && text != nullptr) return wrong_type(value, "write it without quotes, or \"unlimited\"");
            // What the kernel counts with is an int.
            if (!unlimited) limit.value = 0;
            if (!unlimited) integer(value, 1, INT32_MAX, limit.value);
            break;
        }
        case TreeLimit::Kind::CpuWeight:
        case TreeLimit::Kind::IoWeight:
            limit.value = 0;
            integer(value, 1, 10000, limit.value);
            break;
    }
    if (limit.value == 0) return;  // it was reported
    auto& limits = job_->spec.tree_limits;
    const auto place = std::lower_bound(limits.begin(), limits.end(), limit,
                                        [](const auto& one, const auto& other) { return one.kind < other.kind; });
    if (place != limits.end() && place->kind == limit.kind) {
        *place = limit;
    } else {
        limits.insert(place, limit);
    }
}

}  // namespace procsup
