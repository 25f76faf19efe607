#include "conf/tree_limits.h"

#include <algorithm>

#include "conf/resource_limits.h"

namespace procsup {
namespace {

double processors(const TreeLimit& limit) {
    return static_cast<double>(limit.value) / static_cast<double>(kCpuPeriodUsec);
}

/// 150000 of 100000 microseconds is 1.5; all digits that a quota has, and none more.
std::string processors_text(std::uint64_t quota) {
    auto text = std::to_string(quota / kCpuPeriodUsec);
    auto rest = std::to_string(kCpuPeriodUsec + quota % kCpuPeriodUsec).substr(1);
    while (rest.size() > 1 && rest.back() == '0') rest.pop_back();
    return text + "." + rest;
}

}  // namespace

ControllerFaults all_faults(const std::string& why) {
    ControllerFaults faults;
    faults.fill(why);
    return faults;
}

const TreeLimitRow* find_tree_limit(Key key) {
    const auto found =
        std::find_if(kTreeLimits.begin(), kTreeLimits.end(), [&](const auto& row) { return row.key == key; });
    return found == kTreeLimits.end() ? nullptr : &*found;
}

const TreeLimit* find_tree_limit(const JobSpec& spec, TreeLimit::Kind kind) {
    const auto found = std::find_if(spec.tree_limits.begin(), spec.tree_limits.end(),
                                    [&](const auto& limit) { return limit.kind == kind; });
    return found == spec.tree_limits.end() ? nullptr : &*found;
}

ControllerSet controllers_for(const JobSpec& spec) {
    ControllerSet set = 0;
    for (const auto& limit : spec.tree_limits) {
        if (limit.value != TreeLimit::kUnlimited) set |= bit_of(row_of(limit.kind).controller);
    }
    return set;
}

std::string tree_limit_toml(const TreeLimit& limit) {
    if (limit.value == TreeLimit::kUnlimited) return "\"unlimited\"";
    switch (limit.kind) {
        case TreeLimit::Kind::MemoryMax:
        case TreeLimit::Kind::MemoryHigh: return "\"" + exact_size(limit.value) + "\"";
        case TreeLimit::Kind::Cpu: return processors_text(limit.value);
        case TreeLimit::Kind::CpuWeight:
        case TreeLimit::Kind::TasksMax:
        case TreeLimit::Kind::IoWeight: break;
    }
    return std::to_string(limit.value);
}

std::string kernel_text(const TreeLimit& limit) {
    const auto number = limit.value == TreeLimit::kUnlimited ? std::string("max") : std::to_string(limit.value);
    if (limit.kind == TreeLimit::Kind::IoWeight) return "default " + number;
    return limit.kind == TreeLimit::Kind::Cpu ? number + " " + std::to_string(kCpuPeriodUsec) : number;
}

void write_value(json::Writer& writer, const TreeLimit& limit) {
    if (limit.value == TreeLimit::kUnlimited) {
        writer.string("unlimited");
    } else if (limit.kind == TreeLimit::Kind::Cpu) {
        writer.real(processors(limit));
    } else {
        writer.number(static_cast<std::int64_t>(limit.value));
    }
}

}  // namespace procsup
