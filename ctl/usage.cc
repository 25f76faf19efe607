#include "ctl/usage.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "ctl/ended_run.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

std::optional<std::int64_t> number(const json::Value& value, std::string_view name) {
    const auto* member = value.find(name);
    const auto* found = member == nullptr ? nullptr : member->as_int();
    return found == nullptr ? std::nullopt : std::optional(*found);
}

std::string decimal(double value, int digits) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

std::string or_dash(const std::optional<std::int64_t>& bytes) { return bytes ? bytes_text(*bytes) : "-"; }

}  // namespace

UsageView UsageView::of(const json::Value& value) {
    UsageView view;
    if (const auto cpu = number(value, "cpuUSec")) view.cpu = Duration(*cpu);
    view.memory = number(value, "memory");
    view.memory_peak = number(value, "memoryPeak");
    view.tasks = number(value, "tasks");
    return view;
}

void UsageView::add(const UsageView& other) {
    if (other.cpu) cpu = cpu.value_or(Duration::zero()) + *other.cpu;
    if (other.memory) memory = memory.value_or(0) + *other.memory;
    if (other.tasks) tasks = tasks.value_or(0) + *other.tasks;
}

std::array<std::string, 3> usage_cells(const UsageView& usage) {
    return {usage.tasks ? std::to_string(*usage.tasks) : "-", usage.cpu ? span_text(*usage.cpu) : "-",
            or_dash(usage.memory)};
}

std::string bytes_text(std::int64_t bytes) {
    constexpr std::array<const char*, 5> kUnits{"B", "K", "M", "G", "T"};
    auto shown = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; unit + 1 < kUnits.size() && shown >= 1023.5; ++unit) shown /= 1024;
    constexpr double kOneDigit = 9.95;
    return decimal(shown, shown < kOneDigit && unit > 0 ? 1 : 0) + kUnits[unit];
}

std::string usage_text(const UsageView& usage) {
    std::string text;
    if (usage.cpu) text += "cpu " + span_text(*usage.cpu);
    if (!usage.memory) return text;
    text += (text.empty() ? "mem " : ", mem ") + bytes_text(*usage.memory);
    if (usage.memory_peak) text += " (peak " + bytes_text(*usage.memory_peak) + ")";
    return text;
}

void UsageTable::take(const json::Value& reply) {
    const auto time = reply.int_or("timeUSec", 0);
    const auto passed = static_cast<double>(time - std::exchange(time_usec_, time));
    const auto before = std::exchange(before_, {});
    rows_.clear();
    problem_ = reply.string_or("problem", "");
    const auto* list = reply.find("usages");
    if (list == nullptr || list->as_array() == nullptr) return;
    for (const auto& one : *list->as_array()) {
        Row row{std::string(one.string_or("name", "")), UsageView::of(one), std::nullopt};
        const auto known = before.find(row.name);
        if (row.usage.cpu && known != before.end() && *row.usage.cpu >= known->second && passed > 0) {
            row.percent = 100 * static_cast<double>((*row.usage.cpu - known->second).count()) / passed;
        }
        if (row.usage.cpu) before_.emplace(row.name, *row.usage.cpu);
        rows_.push_back(std::move(row));
    }
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
        if (a.percent != b.percent) return a.percent > b.percent;
        return natural_less(a.name, b.name);
    });
}

std::string UsageTable::text(std::size_t most) const {
    Table table;
    table.add("", {"INSTANCE", "TASKS", "CPU%", "CPU", "MEM", "PEAK"});
    for (std::size_t i = 0; i < std::min(most, rows_.size()); ++i) {
        const auto& [name, usage, percent] = rows_[i];
        const auto [tasks, cpu, memory] = usage_cells(usage);
        table.add(
            "", {escaped(name), tasks, percent ? decimal(*percent, 1) : "-", cpu, memory, or_dash(usage.memory_peak)});
    }
    return table.text() + (problem_.empty() ? "" : "not all is known: " + escaped(problem_) + "\n");
}

}  // namespace procsup::ctl
