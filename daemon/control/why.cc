#include "daemon/control/why.h"

#include <signal.h>

#include <algorithm>

#include "common/signal_name.h"
#include "daemon/control/instance_json.h"
#include "daemon/control/missing.h"

namespace procsup {
namespace {

/// It has a main process, or a command that runs without one.
bool hears_signals(const Instance& instance) {
    const auto& sides = instance.sides();
    return instance.pid() != 0 ||
           std::any_of(sides.begin(), sides.end(), [](const SideRun& side) { return side.stands_alone(); });
}

std::vector<std::string> advice_for(const Instance& instance) {
    const auto& name = instance.name().instance;
    const auto show = "procsupctl show " + instance.name().job;
    const auto again = "procsupctl start " + name;
    switch (instance.state()) {
        case State::Failed:
            if (instance.held_back()) return {"procsupctl why " + waited_for(instance)};
            // Only a connection starts it.
            if (instance.spec().serves_connection()) return {"procsupctl logs " + name, show};
            if (!instance.last_run()) return {show, again};
            return {"procsupctl logs " + name, show, again};
        case State::Backoff: return {"procsupctl start " + name, "procsupctl stop " + name};
        case State::Stopped: return {"procsupctl start " + name};
        case State::Exited: return {(instance.ready() ? "procsupctl restart " : "procsupctl start ") + name};
        case State::Paused: return {"procsupctl resume " + name};
        case State::Stopping:
            if (instance.stop_held()) return {"procsupctl why " + waited_for(instance)};
            if (!hears_signals(instance)) return {"procsupctl tree " + name};
            if (instance.taken_down()) return {"procsupctl logs " + name, "procsupctl signal KILL " + name};
            return {"procsupctl signal KILL " + name};
        case State::Waiting: return {"procsupctl why " + waited_for(instance)};
        case State::Starting:
        case State::Running:
        case State::Reloading:
        case State::Listening: break;
    }
    if (instance.state() == State::Starting || instance.awaits_readiness()) return {"procsupctl logs -f " + name};
    const auto* health = instance.health();
    if (health != nullptr && health->verdict == HealthVerdict::Unhealthy)
        return {"procsupctl check-health " + name, "procsupctl logs " + name};
    return {};
}

std::vector<std::string> advice_for(const Instance& instance, const std::vector<Behind>& behind) {
    if (behind.empty()) return advice_for(instance);
    const auto& last = *behind.back().instance;
    auto advice = advice_for(last);
    if (advice.empty()) advice.push_back("procsupctl logs " + last.name().instance);
    return advice;
}

void write_lines(json::Writer& writer, std::string_view name, const std::vector<LastLines>& lines) {
    writer.key(name).begin_array();
    for (const auto& last : lines) {
        writer.begin_object().member("stream", last.stream).key("lines").begin_array();
        for (const auto& line : last.lines) writer.string(line);
        writer.end_array().end_object();
    }
    writer.end_array();
}

/// What of a stop its cause does not say: how it goes on, and what follows.
std::string stop_text(const Instance& instance, TimePoint now) {
    const auto& sides = instance.sides();
    const auto command = std::find_if(sides.begin(), sides.end(), [](const SideRun& side) {
        return side.role == SideRole::StopCommand && !side.left_others;
    });
    const auto& told = instance.told();
    std::string text;
    if (told.signal == SIGKILL) {
        text = "; killed " + rest_text(now, told.when) + " ago, and not gone yet";
    } else if (command != sides.end()) {
        text = "; its stop_command has been running for " + rest_text(now, command->began);
    } else if (told.signal != 0) {
        text = "; told to end with " + signal_name(told.signal) + " " + rest_text(now, told.when) + " ago";
    }
    if (const auto due = instance.kill_due(); due != kNever) {
        text += (text.empty() ? "; is killed in " : ", is killed in ") + rest_text(due, now);
    } else if (!text.empty() && told.signal != SIGKILL && instance.spec().stop_timeout == kForever) {
        text += ", is never killed (stop_timeout = \"none\")";
    }
    return text + (instance.starts_again() ? "; is started again when it has ended" : "");
}

std::string full_cause(const Instance& instance, TimePoint now, Sees sees) {
    std::string cause = instance.cause();
    const auto& policy = instance.spec().restart;
    if (instance.tells_of_later()) cause += " (its start: " + instance.start_cause() + ")";
    if (instance.state() == State::Paused || instance.state() == State::Reloading) {
        cause += "; " + std::string(to_text(instance.state())) + " for " + rest_text(now, instance.state_since());
    }
    if (instance.awaits_readiness()) {
        cause += "; not ready yet: waits for " +
                 (sees == Sees::Output ? instance.awaited_with_output() : instance.awaited());
        if (const auto until = instance.ready_due(); until != kNever) cause += " (" + rest_text(until, now) + " left)";
        if (!instance.status_text().empty()) cause += "; it says: " + instance.status_text();
    } else if (instance.says_it_reloads()) {
        cause += "; has said RELOADING=1 " + rest_text(now, instance.state_since()) + " ago and not READY=1 since";
    } else if (const auto until = instance.ready_due(); until != kNever) {
        cause += ", " + rest_text(until, now) + " left of start_timeout";
    } else if (instance.state() == State::Backoff) {
        cause += "; next start in " + rest_text(instance.next_start(), now) + ", restart number " +
                 std::to_string(instance.restarts() + 1);
        const auto& limit = policy.start_limit;
        // The one that it waits for is among them.
        if (limit.count > 0 && !instance.can_reach_start_limit()) {
            cause += " (start_limit, " + to_text(limit) + ", cannot be reached with delays this long)";
        } else if (limit.count > 0) {
            const auto left = limit.count - std::min(limit.count, instance.limited_starts(now));
            cause += " (" + std::to_string(left) + " more before start_limit, " + to_text(limit) + ", gives it up)";
        }
    } else if (instance.state() == State::Stopping) {
        cause += stop_text(instance, now);
    } else if (instance.held_back()) {
        cause += "; it is started when that is there again";
    } else if (instance.state() == State::Failed && policy.when == Restart::No) {
        cause += "; restart = \"no\"";
    } else if (instance.state() == State::Exited && policy.when == Restart::OnFailure) {
        cause += ", which counts as success; restart = \"on-failure\"";
    }
    return cause;
}

/// "http at 127.0.0.1:8080"
void write_listens(json::Writer& writer, const Instance& instance) {
    const auto& sockets = instance.spec().sockets;
    if (sockets.empty()) return;
    writer.key("listens").begin_array();
    for (const auto& socket : sockets)
        writer.string(place_text(socket.name, expand_job(socket.listen, instance.name())));
    writer.end_array();
}

}  // namespace

std::string waited_for(const Instance& instance) {
    if (instance.state() != State::Waiting && !instance.held_back() && !instance.stop_held()) return {};
    std::string_view what = instance.waits_for();
    constexpr std::string_view kDaemon = "its daemon ";
    if (what.starts_with(kDaemon)) what.remove_prefix(kDaemon.size());
    return std::string(what.substr(0, what.find_first_of(" ,")));
}

bool is_told_by_its_lines(const Instance& instance) {
    const auto& reloads = instance.reloads();
    const bool failed_to_reload = is_executing(instance.state()) && reloads.over > 0 && !reloads.failure.empty() &&
                                  instance.cause().ends_with(reloads.text());
    return instance.state() == State::Starting || instance.state() == State::Reloading || instance.awaits_readiness() ||
           failed_to_reload;
}

void write_why(json::Writer& writer, const Instance& instance, const std::vector<Behind>& behind,
               const std::vector<LastLines>& newest, const std::string& schedule, const HostPort& host, TimePoint now) {
    writer.begin_object().member("name", instance.name().instance).member("state", to_text(instance.state()));
    write_awaits(writer, instance, Sees::Output);
    write_stopping(writer, instance, host);
    writer.member("cause", full_cause(instance, now, Sees::Output)).member("origin", instance.spec().origin);
    if (!schedule.empty()) writer.member("schedule", schedule);
    write_listens(writer, instance);
    writer.key("advice").begin_array();
    for (const auto& line : advice_for(instance, behind)) writer.string(line);
    writer.end_array().key("history").begin_array();
    const auto& history = instance.history();
    for (auto entry = history.rbegin(); entry != history.rend(); ++entry) {
        writer.begin_object().member_int("timeUSec", wall_usec(host, entry->when));
        writer.member("from", to_text(entry->from)).member("to", to_text(entry->to)).member("cause", entry->cause);
        if (entry->pid > 0) writer.member_int("pid", entry->pid);
        write_run(writer, "run", entry->run ? &*entry->run : nullptr, host);
        writer.end_object();
    }
    writer.end_array();
    if (const auto& limits = instance.limits_behind(); !limits.empty()) {
        writer.key("limits").begin_array();
        for (const auto& limit : limits) writer.string(limit);
        writer.end_array();
    }
    write_changed_keys(writer, instance);
    const auto output = host.captured_output(instance.id());
    write_lines(writer, "lastLines", output.last_lines);
    if (behind.empty() && !newest.empty()) write_lines(writer, "newestLines", newest);
    if (!output.problem.empty()) writer.member("outputProblem", output.problem);
    if (!behind.empty()) {
        writer.key("behind").begin_array();
        for (const auto& [other, lines] : behind) {
            writer.begin_object().member("name", other->name().instance).member("state", to_text(other->state()));
            const auto sees = lines ? Sees::Output : Sees::States;
            write_awaits(writer, *other, sees);
            writer.member("cause", full_cause(*other, now, sees)).member("origin", other->spec().origin);
            write_lines(writer, "lastLines",
                        lines ? host.captured_output(other->id()).last_lines : std::vector<LastLines>());
            if (other == behind.back().instance && !newest.empty()) write_lines(writer, "newestLines", newest);
            writer.end_object();
        }
        writer.end_array();
    }
    writer.end_object();
}

}  // namespace procsup
