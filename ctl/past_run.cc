#include "ctl/past_run.h"

#include <algorithm>
#include <iterator>

#include "common/signal_name.h"
#include "ctl/ended_run.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// The year 9999: beyond it nothing can be shown, and below it nothing overflows.
constexpr std::int64_t kLastMoment = 253'402'300'799'000'000;

/// A sum of many does not overflow.
constexpr std::int64_t kMostLost = 1'000'000'000;

bool is_moment(std::int64_t usec) { return usec >= 0 && usec <= kLastMoment; }

std::optional<ExitStatus> exit_of(const json::Value& value) {
    const auto signal = parse_signal(value.string_or("exitSignal", ""));
    if (signal) return ExitStatus::killed(*signal, value.bool_or("coreDumped", false));
    const auto* code = value.find("exitCode");
    if (code == nullptr || code->as_int() == nullptr) return std::nullopt;
    return ExitStatus::exited(static_cast<int>(std::clamp<std::int64_t>(*code->as_int(), 0, 255)));
}

/// Why it was ended, without how.
std::string_view reason_of(const PastRun& run) {
    std::string_view reason = run.end_cause;
    if (!run.exit) return reason;
    const auto how = to_text(*run.exit);
    if (reason == how) return {};
    // "exit 78; 78 is in prevent_restart_codes"
    if (reason.starts_with(how + "; ")) return reason.substr(how.size() + 2);
    for (const std::string_view separator : {"; ", ", "}) {
        if (reason.ends_with(std::string(separator) + how)) {
            reason.remove_suffix(separator.size() + how.size());
            break;
        }
    }
    return reason;
}

Table::Cell end_cell(const PastRun& run, const Output& out) {
    const auto text = run.end_text();
    const auto width = display_width(text);
    if (run.goes_on()) return {out.colored(Color::Green, text), width};
    const bool by_itself = reason_of(run).empty() && run.exit;
    const bool badly = !run.exit || (by_itself && !run.exit->success());
    return {badly ? out.colored(Color::Red, text) : text, width};
}

}  // namespace

std::optional<PastRun> PastRun::of(json::Value value) {
    PastRun run;
    run.name = value.string_or("name", "");
    run.job = value.string_or("job", "");
    run.started_usec = value.int_or("startedUSec", -1);
    if (run.name.empty() || !is_moment(run.started_usec)) return std::nullopt;
    if (value.find("endedUSec") != nullptr) run.ended_usec = value.int_or("endedUSec", -1);
    if (run.ended_usec && !is_moment(*run.ended_usec)) return std::nullopt;
    run.state = value.string_or("state", "");
    run.teardown = value.bool_or("teardown", false);
    run.exit = exit_of(value);
    const auto cpu = value.int_or("cpuUSec", -1);
    if (is_moment(cpu)) run.cpu = Duration(cpu);
    run.start_cause = value.string_or("startCause", "");
    run.end_cause = value.string_or("endCause", "");
    run.lost = std::clamp<std::int64_t>(value.int_or("lost", 0), 0, kMostLost);
    run.id = {value.int_or("daemon", 0), value.int_or("sequence", 0)};
    run.as_it_came = std::move(value);
    return run;
}

std::string PastRun::end_text() const {
    if (goes_on()) return escaped(state);
    if (!exit) return "not started";
    if (!exit->by_signal()) return "exit " + std::to_string(exit->value);
    return signal_name(exit->value) + (exit->dumped_core ? " (core)" : "");
}

std::string PastRun::cause_text() const {
    auto text = (teardown ? "stop_command: " : "") + escaped(start_cause);
    if (const auto reason = reason_of(*this); !reason.empty()) text += " -> " + escaped(reason);
    return text;
}

void JobRuns::add(PastRun run) {
    const bool wanted = !instances_ || std::find(instances_->begin(), instances_->end(), run.name) != instances_->end();
    if (!wanted || complete()) return;
    // Twice: not in its file for certain when it was asked for, or written by a logger that was killed before it had said so.
    if (run.id != std::pair<std::int64_t, std::int64_t>() && !known_.insert(run.id).second) return;
    runs_.push_back(std::move(run));
}

void JobRuns::add_lines(std::string_view lines, bool cut) {
    // Nothing that is written is without its end.
    if (!lines.empty() && !lines.ends_with('\n')) ++unreadable_;
    lines = lines.substr(0, lines.rfind('\n') + 1);
    while (!lines.empty() && !complete()) {
        lines.remove_suffix(1);
        const auto begin = lines.rfind('\n') + 1;
        const auto line = lines.substr(begin);
        lines = lines.substr(0, begin);
        if (begin == 0 && cut) return;
        auto value = json::parse(line);
        auto run = value ? PastRun::of(std::move(*value)) : std::nullopt;
        if (run && !run->goes_on()) {
            add(std::move(*run));
        } else {
            ++unreadable_;
        }
    }
}

std::vector<PastRun> JobRuns::take() {
    std::reverse(runs_.begin(), runs_.end());
    return std::move(runs_);
}

std::vector<PastRun> merged(std::vector<std::vector<PastRun>> jobs, std::size_t most) {
    struct Placed {
        std::int64_t time;
        PastRun run;
    };
    std::vector<Placed> placed;
    for (auto& runs : jobs) {
        std::int64_t latest = 0;
        for (auto& run : runs) {
            latest = std::max(latest, run.ended_usec.value_or(0));
            placed.push_back({latest, std::move(run)});
        }
    }
    std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.time < b.time; });
    const auto kept = std::min(placed.size(), most);
    std::vector<PastRun> result;
    result.reserve(kept);
    std::transform(placed.end() - static_cast<std::ptrdiff_t>(kept), placed.end(), std::back_inserter(result),
                   [](Placed& one) { return std::move(one.run); });
    return result;
}

std::string runs_table(const std::vector<PastRun>& runs, std::int64_t now_usec, const Output& out) {
    Table table;
    table.add("", {"INSTANCE", "STARTED", "LASTED", "END", "CPU", "CAUSE"});
    for (const auto& run : runs) {
        const Duration lasted(run.ended_usec.value_or(now_usec) - run.started_usec);
        table.add("", {escaped(run.name), moment_text(run.started_usec), span_text(lasted), end_cell(run, out),
                       run.cpu ? span_text(*run.cpu) : std::string("-"), run.cause_text()});
    }
    return table.text();
}

}  // namespace procsup::ctl
