#include <string>

#include "ctl/deadline.h"
#include "ctl/handlers.h"
#include "ctl/session.h"
#include "ctl/shutdown.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// A member's value for people: times as dates and durations.
std::string shown(std::string_view name, const json::Value& value) {
    const auto* number = value.as_int();
    if (number == nullptr) {
        const auto* text = value.as_string();
        return escaped(text != nullptr ? *text : json::to_text(value));
    }
    if (name == "sinceUSec" || name.ends_with("SinceUSec")) return date_text(*number);
    if (name.ends_with("USec")) return to_text(Duration(*number));
    return std::to_string(*number);
}

}  // namespace

int ping(Session& session) {
    const std::int64_t before = monotonic_usec();
    if (!session.call("io.procsupd.Manager.Ping", "")) return session.exit_code();
    if (session.line().json) return kSuccess;
    session.out().note("procsupd answered in " + to_text(Duration(monotonic_usec() - before)));
    return kSuccess;
}

int shut_down(Session& session) { return shut_down_and_wait(session); }

int daemon_status(Session& session) {
    const auto reply = session.call_raw("io.procsupd.Manager.Status", "");
    if (!reply) return session.exit_code();
    if (!reply->error.empty()) return session.report(*reply);
    const json::Value* daemon = reply->parameters.find("daemon");
    const auto* members = daemon == nullptr ? nullptr : daemon->as_object();
    if (members == nullptr) return session.fail(Error{"the supervisor's answer does not describe it"});
    if (session.line().json) {
        session.print_json(*daemon);
        return kSuccess;
    }
    for (const auto& [name, value] : *members) {
        std::string label = snake_case(name);
        if (label.ends_with("_usec")) label.resize(label.size() - 5);
        session.out().line(escaped(label) + ": " + shown(name, value));
    }
    if (daemon->bool_or("rolledBack", false)) {
        session.out().line("the files are newer than what is in force: `procsupctl apply` takes them");
    }
    return kSuccess;
}

int version(Session& session) {
    if (session.line().json) {
        json::Writer writer;
        session.out().line(writer.begin_object().member("version", PROCSUP_VERSION).end_object().take());
    } else {
        session.out().line("procsupctl " PROCSUP_VERSION);
    }
    return kSuccess;
}

}  // namespace procsup::ctl
