// Looks at what an instance uses, for [health] memory_above and cpu_above: no process is needed for that.
#include <algorithm>
#include <array>
#include <utility>

#include "conf/resource_limits.h"
#include "daemon/engine/instance.h"

namespace procsup {
namespace {

/// In less time a process that ran once looks as if it always did.
constexpr Duration kShortestSpan = std::chrono::milliseconds(100);

/// "612MiB": what it is about.
std::string rough_size(std::uint64_t size) {
    constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; size >= 10 * 1024 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
    return std::to_string(size) + kUnits[unit];
}

}  // namespace

void Instance::forget_health() {
    health_->state = {};
    health_->probe = {};
    health_->usage.reset();
}

void Instance::watch_usage(Context& context) {
    const auto& health = spec_->health;
    if (!health.has_thresholds() || is_armed(TimerKind::HealthMeasure)) return;
    auto& usage = health_watch().usage;
    if (!usage) usage.emplace(UsageWatch{{}, {health.failures, health.of, health.successes}, context.now});
    measure_usage(context);
}

void Instance::measure_usage(Context& context) {
    if (!health_ || !health_->usage || std::exchange(health_->usage->measuring, true)) return;
    context.actions.push_back(MeasureAction{});
}

/// What is too much, for people; empty: nothing; nothing: that is not known.
std::optional<std::string> Instance::exceeded(const TreeUsage& used, TimePoint now) {
    const auto& health = spec_->health;
    auto& usage = *health_->usage;
    std::optional<std::string> words;
    if (used.cpu && health.cpu_above > 0 && now - usage.measured >= kShortestSpan) {
        const auto span = std::chrono::duration<double>(now - std::exchange(usage.measured, now));
        const auto busy = std::chrono::duration<double>(*used.cpu - std::exchange(usage.cpu, *used.cpu));
        // The first time tells nothing yet.
        if (now - usage.begun >= kShortestSpan) words.emplace();
        if (words && busy / span > health.cpu_above)
            words = "uses " + processors_text(busy / span) + " processors, more than cpu_above (" +
                    processors_text(health.cpu_above) + ")";
    }
    if (used.memory && health.memory_above > 0) {
        if (!words) words.emplace();
        if (*used.memory > health.memory_above)
            words = "uses " + rough_size(*used.memory) + " of memory, more than memory_above (" +
                    exact_size(health.memory_above) + ")";
    }
    return words;
}

void Instance::on(const UsageMeasured& event, Context& context) {
    if (!health_ || !health_->usage) return;
    auto& usage = *health_->usage;
    usage.measuring = false;
    if (!is_watched()) return;
    const auto words = exceeded(event.usage, context.now);
    if (std::exchange(health_->checks.measures, false)) {
        if (words && !words->empty()) health_->checks.words = *words;
        health_check_over(!words || words->empty(), {});
    }
    if (!is_armed(TimerKind::HealthMeasure)) arm(TimerKind::HealthMeasure, spec_->health.look.interval, context);
    if (!words) return;
    const bool counts = context.now - usage.begun >= spec_->health.grace;
    usage.part.words = *words;
    usage.part.verdict = usage.window.add(words->empty(), counts);
    judge_health(context);
}

}  // namespace procsup
