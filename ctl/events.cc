#include <string>

#include "ctl/clock.h"
#include "ctl/ended_run.h"
#include "ctl/handlers.h"
#include "ctl/instance_view.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// "10:11:02.123 web "
std::string beginning_text(const json::Value& event) {
    const std::int64_t time = event.int_or("timeUSec", 0);
    std::string fraction = std::to_string(time / 1000 % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return clock_text(time) + "." + fraction + " " + escaped(event.string_or("name", "")) + " ";
}

std::string event_text(const json::Value& event) {
    std::string text =
        beginning_text(event) + escaped(event.string_or("from", "")) + " -> " + escaped(event.string_or("to", ""));
    if (const auto pid = event.int_or("pid", 0); pid > 0) text += " (pid " + std::to_string(pid) + ")";
    if (const auto cause = event.string_or("cause", ""); !cause.empty()) text += ": " + escaped(cause);
    if (const auto run = EndedRun::of(event, "run")) text += "\n             " + took_text(*run);
    return text;
}

void add_words(const json::Value& words, Output& out) {
    if (const auto awaits = words.string_or("awaits", ""); !awaits.empty())
        out.line(beginning_text(words) + "waits for " + escaped(awaits));
    if (const auto* status = words.find("statusText"); status != nullptr && status->as_string() != nullptr)
        out.line(beginning_text(words) + "says: " + escaped(*status->as_string()));
}

void add_reply(const json::Value& reply, Output& out) {
    if (const auto* snapshot = reply.find("snapshot")) {
        out.add(instance_table(instances_of(*snapshot), realtime_usec(), out));
    }
    if (const auto* event = reply.find("event")) out.line(event_text(*event));
    if (const auto* words = reply.find("words")) add_words(*words, out);
    if (const auto lost = reply.int_or("lost", 0); lost > 0) {
        out.line(out.colored(Color::Red, std::to_string(lost) + " events lost: this reader was too slow"));
    }
}

}  // namespace

int events(Session& session) {
    const CommandLine& line = session.line();
    const std::string parameters = names_parameters(line, 0, [&](json::Writer& writer) {
        if (line.follow) writer.member_bool("words", true);
    });
    bool delivered = true;
    const bool done = session.call_more("io.procsupd.Job.Subscribe", parameters, [&](const json::Value& reply) {
        if (session.line().json) {
            session.print_json(reply);
        } else {
            add_reply(reply, session.out());
        }
        delivered = session.out().flush();
        return delivered && session.line().follow;
    });
    if (!done) return session.exit_code();
    return delivered ? kSuccess : kFailed;
}

}  // namespace procsup::ctl
