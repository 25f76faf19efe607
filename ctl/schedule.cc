// When tasks are started next, and how their last runs have ended.
#include <algorithm>
#include <string>

#include "ctl/clock.h"
#include "ctl/handlers.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

std::string next_text(const json::Value& schedule) {
    if (!schedule.bool_or("enabled", true)) return "not enabled";
    if (schedule.bool_or("stopped", false)) return "stopped";
    if (schedule.bool_or("makesUp", false)) return "makes up now";
    const auto next = schedule.int_or("nextUSec", 0);
    return next == 0 ? "never" : moment_text(next);
}

std::string wait_text(const json::Value& schedule, std::int64_t now_usec) {
    const auto due = schedule.int_or("dueUSec", 0);
    const bool is_due = schedule.bool_or("enabled", true) && !schedule.bool_or("stopped", false) && due != 0;
    return is_due ? age_text(Duration(std::max(due - now_usec, std::int64_t{0}))) : "-";
}

Table::Cell result_cell(const json::Value* last, const Output& out) {
    if (last == nullptr) return "-";
    if (last->find("endedUSec") == nullptr) return {out.colored(Color::Green, "running"), 7};
    const auto text = escaped(last->string_or("cause", ""));
    const auto lasted = last->int_or("endedUSec", 0) - last->int_or("startedUSec", 0);
    const auto whole = text + " after " + run_time_text(Duration(std::max(lasted, std::int64_t{0})));
    return {last->bool_or("failed", false) ? out.colored(Color::Red, whole) : whole, display_width(whole)};
}

void add_row(Table& table, const json::Value& schedule, std::int64_t now_usec, const Output& out) {
    const auto* last = schedule.find("last");
    const auto started = last == nullptr ? 0 : last->int_or("startedUSec", 0);
    table.add("",
              {escaped(schedule.string_or("job", "")), escaped(schedule.string_or("schedule", "")), next_text(schedule),
               wait_text(schedule, now_usec), started == 0 ? "-" : moment_text(started), result_cell(last, out)});
}

/// What the columns have no place for.
std::string remarks(const json::Value::Array& all) {
    std::string text;
    for (const auto& schedule : all) {
        const auto job = escaped(schedule.string_or("job", ""));
        const auto told = escaped(schedule.string_or("told", ""));
        if (schedule.bool_or("stopped", false)) {
            text += job + ": it was stopped by order; procsupctl start " + job +
                    " runs it and lets its schedule go on, procsupctl reset only does that\n";
        } else if (!told.empty()) {
            text += job + ": " + told + "\n";
        }
    }
    return text.empty() ? text : "\n" + text;
}

}  // namespace

int schedule(Session& session) {
    const auto reply = session.call("io.procsupd.Job.Schedules", names_parameters(session.line()));
    if (!reply) return session.exit_code();
    if (session.line().json) return kSuccess;
    const auto* list = reply->find("schedules");
    const auto all = list == nullptr || list->as_array() == nullptr ? json::Value::Array() : *list->as_array();
    auto& out = session.out();
    if (all.empty()) {
        out.note(session.line().operands.empty() ? "there are no schedules" : "no schedule there");
        return kSuccess;
    }
    Table table;
    table.add("", {"TASK", "SCHEDULE", "NEXT RUN", "IN", "LAST RUN", "RESULT"});
    const auto now = realtime_usec();
    for (const auto& one : all) add_row(table, one, now, out);
    out.add(table.text() + remarks(all));
    return kSuccess;
}

}  // namespace procsup::ctl
