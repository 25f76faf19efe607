// Verbs that change the configuration in force, and what they say of it.
#include <string>

#include "ctl/handlers.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

const json::Value::Array& list_of(const json::Value& value, std::string_view name) {
    static const json::Value::Array kNone;
    const auto* member = value.find(name);
    const auto* list = member == nullptr ? nullptr : member->as_array();
    return list == nullptr ? kNone : *list;
}

std::string joined(const json::Value& value, std::string_view name) {
    std::string text;
    for (const auto& one : list_of(value, name)) {
        if (const auto* word = one.as_string()) text += (text.empty() ? "" : ", ") + escaped(*word);
    }
    return text;
}

/// "command, env.PORT; starts web@2; with api; starts with it db".
std::string reason_of(const json::Value& change) {
    const auto action = change.string_or("action", "");
    std::string text;
    const auto add = [&](const std::string& part) {
        if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
    };
    const auto add_list = [&](const char* word, std::string_view name) {
        const auto names = joined(change, name);
        if (!names.empty()) add(word + names);
    };
    if (action == "start") add("new");
    if (action == "add") add("new, and not enabled");
    if (action == "stop") add("no longer configured");
    add(joined(change, "keys"));
    if (action == "later") add("from its next start on");
    add_list("starts ", "started");
    add_list("stops ", "stopped");
    add_list("with ", "with");
    add_list("starts with it ", "pulled");
    if (const auto keys = joined(change, "withdrawn"); !keys.empty())
        add(keys + " as it runs, no restart needed any more");
    return text;
}

Color color_of(std::string_view action) {
    if (action == "start" || action == "live") return Color::Green;
    if (action == "stop") return Color::Red;
    return action == "restart" ? Color::Yellow : Color::Dim;
}

std::string changes_text(const json::Value& reply, const Output& out) {
    Table table;
    for (const auto& change : list_of(reply, "changes")) {
        const auto action = escaped(change.string_or("action", ""));
        table.add("", {{out.colored(color_of(action), action), display_width(action)},
                       escaped(change.string_or("job", "")),
                       reason_of(change)});
    }
    return table.text();
}

void report_changes(Session& session, const json::Value& reply) {
    auto& out = session.out();
    const bool dry = session.line().dry_run;
    if (out.quiet() && !dry) return;
    out.add(changes_text(reply, out));
    if (list_of(reply, "changes").empty()) return out.note(dry ? "nothing would change" : "nothing has changed");
    out.note("unchanged: " + std::to_string(reply.int_or("unchanged", 0)));
    if (dry) out.note("nothing was changed: it is a dry run");
}

int change(Session& session, std::string_view method, const std::string& parameters) {
    const auto reply = session.call(method, parameters);
    if (!reply) return session.exit_code();
    if (session.line().json) return kSuccess;
    report_changes(session, *reply);
    if (const auto since = reply->int_or("configSinceUSec", 0); since > 0) {
        session.out().note("in force: the configuration of " + date_text(since) +
                           "; the files are newer: `procsupctl apply` takes them");
    }
    return kSuccess;
}

int change_to(Session& session, bool back) {
    const auto& line = session.line();
    json::Writer parameters;
    parameters.begin_object();
    if (back && line.dry_run) parameters.member_bool("rollback", true);
    if (line.no_restart) parameters.member_bool("restart", false);
    parameters.end_object();
    const char* const method = line.dry_run ? "io.procsupd.Manager.Plan"
                               : back       ? "io.procsupd.Manager.Rollback"
                                            : "io.procsupd.Manager.Apply";
    return change(session, method, parameters.text());
}

}  // namespace

int apply(Session& session) { return change_to(session, false); }

int rollback(Session& session) { return change_to(session, true); }

}  // namespace procsup::ctl
