// Groups of jobs: how many of each work, and how near it is to be given up.
#include <string>

#include "ctl/handlers.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

void add_row(Table& table, const json::Value& group, const Output& out) {
    std::string members;
    for (const auto& member : list_in(group, "members")) {
        if (const auto* name = member.as_string()) members += (members.empty() ? "" : ", ") + escaped(*name);
    }
    const auto ready = group.int_or("ready", 0), instances = group.int_or("instances", 0);
    const auto share = std::to_string(ready) + "/" + std::to_string(instances);
    const auto intensity = escaped(group.string_or("intensity", ""));
    const auto restarts = std::to_string(group.int_or("restarts", 0));
    table.add("", {escaped(group.string_or("name", "")),
                   {out.colored(ready == instances ? Color::Green : Color::Yellow, share), display_width(share)},
                   escaped(group.string_or("strategy", "")),
                   intensity == "none" ? "not counted" : restarts + " of " + intensity,
                   escaped(group.string_or("onExhausted", "")),
                   members});
}

}  // namespace

int groups(Session& session) {
    const auto reply = session.call("io.procsupd.Manager.Groups", "");
    if (!reply) return session.exit_code();
    if (session.line().json) return kSuccess;
    const auto& all = list_in(*reply, "groups");
    auto& out = session.out();
    if (all.empty()) {
        out.note("there are no groups");
        return kSuccess;
    }
    Table table;
    table.add("", {"GROUP", "READY", "STRATEGY", "RESTARTS", "THEN", "MEMBERS"});
    for (const auto& group : all) add_row(table, group, out);
    out.add(table.text());
    return kSuccess;
}

}  // namespace procsup::ctl
