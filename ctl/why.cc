#include "ctl/why.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "common/utf8.h"
#include "ctl/handlers.h"
#include "ctl/instance_view.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

struct Change {
    std::int64_t time_usec = 0;
    std::string_view from;
    std::string_view to;
    std::string_view cause;
    std::optional<EndedRun> run;

    static bool has_process(std::string_view state) {
        constexpr std::array<std::string_view, 5> kStates{"starting", "running", "reloading", "paused", "stopping"};
        return std::find(kStates.begin(), kStates.end(), state) != kStates.end();
    }
    bool on_the_way() const { return to == "waiting" || has_process(to); }
    /// Enters a state without a process, from one with.
    bool settles() const { return has_process(from) && !on_the_way(); }
    /// A run that has ended and is followed by the next at once.
    bool restarts() const { return has_process(from) && to == "starting" && cause.starts_with(kRestarted); }
    /// How the run or start before has ended.
    std::string_view end_before_restart() const {
        constexpr std::string_view kNext = "; running pre_start";
        auto end = cause.substr(kRestarted.size());
        if (end.ends_with(kNext)) end.remove_suffix(kNext.size());
        return end;
    }
    static constexpr std::string_view kRestarted = "restarted after ";
};

/// The history, oldest first.
std::vector<Change> changes_of(const json::Value& reply) {
    std::vector<Change> changes;
    const json::Value* history = reply.find("history");
    if (history == nullptr || history->as_array() == nullptr) return changes;
    for (const auto& entry : *history->as_array()) {
        changes.push_back({entry.int_or("timeUSec", 0), entry.string_or("from", ""), entry.string_or("to", ""),
                           entry.string_or("cause", ""), EndedRun::of(entry, "run")});
    }
    std::reverse(changes.begin(), changes.end());
    return changes;
}

struct Described {
    PastEvent event;
    std::string_view key;  ///< what must be the same to be one line
    bool settles = false;
    bool on_the_way = false;
};

void drop_passing(std::vector<Described>& lines) {
    while (!lines.empty() && lines.back().on_the_way) lines.pop_back();
}

/// With how long the run has lasted, right behind how it has ended where `text` says that.
std::string with_duration(std::string text, const EndedRun& run) {
    const auto is_part_of_word = [&](std::size_t at) {
        return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
    };
    auto at = run.how.empty() ? std::string::npos : text.find(run.how);
    while (at != std::string::npos && is_part_of_word(at + run.how.size())) at = text.find(run.how, at + 1);
    return text.insert(at == std::string::npos ? text.size() : at + run.how.size(),
                       " after " + span_text(run.lasted()));
}

/// All changes as lines, oldest first; a start that led to an end is left out.
std::vector<Described> describe(const std::vector<Change>& changes) {
    std::vector<Described> lines;
    for (const Change& change : changes) {
        const auto lasted = change.run ? span_text(change.run->lasted()) : std::string();
        if (change.settles() || change.restarts()) {
            drop_passing(lines);
            const auto cause = change.restarts() ? change.end_before_restart() : change.cause;
            std::string text = escaped(cause.empty() ? change.to : cause);
            // That is about another job.
            if (change.run && change.cause.starts_with("requires ")) {
                text += "; its run lasted " + lasted;
            } else if (change.run) {
                text = with_duration(std::move(text), *change.run);
            }
            if (change.restarts()) text += "; started again";
            lines.push_back({{change.time_usec, std::move(text), 0, change.run}, change.cause, true, false});
        } else {
            std::string text = escaped(change.to);
            if (!change.cause.empty()) text += ": " + escaped(change.cause);
            if (change.run) text += "; the run before lasted " + lasted;
            // What a run took that was ended by order is kept, and that what it has done was not undone.
            const bool not_undone =
                change.to == "starting" && change.cause.find("(stop_command ") != std::string_view::npos;
            if (not_undone) drop_passing(lines);
            const bool passing = change.on_the_way() && !change.run && !not_undone;
            lines.push_back({{change.time_usec, std::move(text), 0, change.run}, change.cause, false, passing});
        }
    }
    return lines;
}

/// Of a job with several instances the one most in need is explained; which others do not run either.
std::string others_text(Session& session, std::string_view explained) {
    json::Writer parameters;
    parameters.begin_object().key("names").begin_array().string(session.line().operands.front());
    const auto status = session.call_raw("io.procsupd.Manager.Status", parameters.end_array().end_object().text());
    if (!status || !status->error.empty()) return {};
    std::string text;
    for (const auto& instance : instances_of(status->parameters)) {
        if (instance.name == explained || instance.state == "running") continue;
        text += "  also " + escaped(instance.state) + ": procsupctl why " + shell_quoted(escaped(instance.name)) + "\n";
    }
    return text;
}

/// "3 zombies: 4711 (/usr/bin/web) has not collected them", for each process of the instance that neglects some.
std::string zombies_text(Session& session, std::string_view name) {
    constexpr std::size_t kMostOfCommand = 48;
    json::Writer parameters;
    parameters.begin_object().key("names").begin_array().string(name);
    const auto reply = session.call_raw("io.procsupd.Job.Tree", parameters.end_array().end_object().text());
    if (!reply || !reply->error.empty()) return {};
    std::map<std::int64_t, std::string> commands;
    std::map<std::int64_t, int> neglected;
    const auto* trees = reply->parameters.find("trees");
    for (const auto& tree : trees != nullptr && trees->as_array() ? *trees->as_array() : json::Value::Array()) {
        const auto* processes = tree.find("processes");
        for (const auto& one :
             processes != nullptr && processes->as_array() ? *processes->as_array() : json::Value::Array()) {
            commands[one.int_or("pid", 0)] = beginning_of(escaped(one.string_or("command", "")), kMostOfCommand);
            if (one.string_or("state", "") == "Z") ++neglected[one.int_or("parent", 0)];
        }
    }
    std::string text;
    for (const auto& [parent, count] : neglected) {
        const auto who =
            commands.contains(parent) ? std::to_string(parent) + " (" + commands[parent] + ")" : "procsupd";
        text += "  " + std::to_string(count) + (count == 1 ? " zombie: " : " zombies: ") + who + " has not collected " +
                (count == 1 ? "it\n" : "them\n");
    }
    return text;
}

/// "starts by itself?", for the states in which that is a question.
std::string start_question(std::string_view state) {
    if (state == "failed" || state == "stopped") {
        return "  starts by itself? no: state " + escaped(state) + ".";
    }
    if (state == "exited") return "  starts by itself? no: it has ended well.";
    if (state == "backoff") return "  starts by itself? yes, when its delay is over.";
    return {};
}

}  // namespace

std::vector<PastEvent> past_events(const json::Value& reply) {
    const auto lines = describe(changes_of(reply));
    std::vector<PastEvent> result;
    std::string_view key;
    bool settles = false;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        if (line->settles && settles && line->key == key) {
            ++result.back().repeated;
        } else {
            result.push_back(line->event);
        }
        key = line->key;
        settles = line->settles;
    }
    return result;
}

static std::string lines_text(const json::Value& reply, std::string_view member, const std::string& title,
                              const std::string& indent) {
    std::string text;
    const auto* streams = reply.find(member);
    if (streams == nullptr || streams->as_array() == nullptr) return text;
    for (const auto& stream : *streams->as_array()) {
        const auto* lines = stream.find("lines");
        if (lines == nullptr || lines->as_array() == nullptr) continue;
        for (const auto& line : *lines->as_array()) {
            if (const auto* words = line.as_string())
                text += indent + "  " + escaped(stream.string_or("stream", "")) + " | " + escaped(*words) + "\n";
        }
    }
    return text.empty() ? text : indent + title + ":\n" + text;
}

std::string newest_lines_text(const json::Value& reply, const std::string& indent) {
    return lines_text(reply, "newestLines", "the last lines that its present run has written", indent);
}

static std::string last_lines_text(const json::Value& reply, const std::string& indent = "  ") {
    return lines_text(reply, "lastLines", "the last lines of the newest run that failed", indent) +
           newest_lines_text(reply, indent);
}

static std::string listens_text(const json::Value& reply) {
    const auto* list = reply.find("listens");
    std::string text;
    if (list == nullptr || list->as_array() == nullptr) return text;
    for (const auto& socket : *list->as_array()) {
        if (socket.as_string() != nullptr) text += (text.empty() ? "" : ", ") + escaped(*socket.as_string());
    }
    return text.empty() ? text : "  sockets: " + text + "\n";
}

static std::string limits_text(const json::Value& reply) {
    const auto* limits = reply.find("limits");
    if (limits == nullptr || limits->as_array() == nullptr) return {};
    std::string text;
    for (const auto& limit : *limits->as_array()) {
        if (const auto* words = limit.as_string()) text += (text.empty() ? "" : ", ") + escaped(*words);
    }
    return text.empty() ? text : "  this may be a limit of the job: " + text + "\n";
}

/// Nothing has to be done about it; a one-shot that has ended well has done its work.
static bool is_in_order(const InstanceView& instance) {
    return does_its_work(instance) || instance.state == "listening" || instance.state == "reloading" ||
           instance.state == "exited";
}

/// Where its file says what it is, of what does not do its work.
static std::string place_text(const json::Value& reply, const InstanceView& instance, const std::string& indent) {
    const auto origin = reply.string_or("origin", "");
    return origin.empty() || is_in_order(instance) ? std::string() : indent + "its settings: " + escaped(origin) + "\n";
}

/// What it waits for, and what that waits for: the last one is where to look.
static std::string behind_text(const json::Value& reply, const Output& out) {
    const auto* behind = reply.find("behind");
    if (behind == nullptr || behind->as_array() == nullptr) return {};
    std::string text;
    for (const auto& one : *behind->as_array()) {
        InstanceView instance;
        instance.state = one.string_or("state", "");
        instance.awaits = one.string_or("awaits", "");
        text += "  " + escaped(one.string_or("name", "")) + " is " + colored_state(instance, out);
        if (const auto cause = one.string_or("cause", ""); !cause.empty()) text += " because " + escaped(cause);
        text += "\n" + place_text(one, instance, "    ") + last_lines_text(one, "    ");
    }
    return text;
}

/// The supervisor keeps so many changes of an instance (Instance::kHistory).
static bool remembers_no_more(const json::Value& reply) {
    constexpr std::size_t kMostRemembered = 16;
    const auto* history = reply.find("history");
    return history != nullptr && history->as_array() != nullptr && history->as_array()->size() >= kMostRemembered;
}

std::string why_text(const json::Value& reply, const Output& out) {
    InstanceView instance;
    instance.state = reply.string_or("state", "");
    instance.awaits = reply.string_or("awaits", "");
    const std::string_view cause = reply.string_or("cause", "");
    std::string text = escaped(reply.string_or("name", "")) + " is " + colored_state(instance, out);
    if (!cause.empty()) text += " because " + escaped(cause);
    text += "\n" + behind_text(reply, out);
    bool has_older = remembers_no_more(reply);
    for (const PastEvent& event : past_events(reply)) {
        text += "  " + clock_text(event.time_usec) + " " + event.text;
        // How often is not known: only the newest changes are remembered.
        if (event.repeated > 0) text += "   (not for the first time)";
        has_older = has_older || event.repeated > 0;
        text += "\n";
        if (event.run) text += "           " + took_text(*event.run) + "\n";
    }
    if (has_older) text += "  older: procsupctl history " + shell_quoted(escaped(reply.string_or("name", ""))) + "\n";
    if (const auto changed = changed_text(reply); !changed.empty()) text += "  " + changed + "\n";
    text += limits_text(reply) + last_lines_text(reply) + place_text(reply, instance, "  ");
    if (const auto problem = reply.string_or("outputProblem", ""); !problem.empty())
        text += "  what it writes waits: " + escaped(problem) + "\n";
    const auto schedule = escaped(reply.string_or("schedule", ""));
    if (!schedule.empty()) text += "  schedule: " + schedule + "\n";
    text += listens_text(reply);
    // What its schedule says of that stands there.
    std::string last = schedule.empty() ? start_question(instance.state) : std::string();
    if (const auto* advice = reply.find("advice"); advice != nullptr && advice->as_array() != nullptr) {
        for (const auto& step : *advice->as_array()) {
            if (step.as_string() == nullptr) continue;
            last += (last.empty()           ? "  try: "
                     : last.ends_with('\n') ? "  or: "
                                            : " try: ") +
                    escaped(*step.as_string()) + "\n";
        }
    }
    if (!last.empty() && !last.ends_with('\n')) last += "\n";
    return text + last;
}

int why(Session& session) {
    json::Writer parameters;
    parameters.begin_object().member("name", session.line().operands.front()).end_object();
    const auto reply = session.call("io.procsupd.Job.Why", parameters.text());
    if (!reply) return session.exit_code();
    if (!session.line().json) {
        const auto name = reply->string_or("name", "");
        const auto state = reply->string_or("state", "");
        const bool lives = state == "running" || state == "paused" || state == "stopping";
        session.out().add(why_text(*reply, session.out()) + (lives ? zombies_text(session, name) : std::string()) +
                          others_text(session, name));
    }
    InstanceView instance;
    instance.state = reply->string_or("state", "");
    instance.awaits = reply->string_or("awaits", "");
    return is_in_order(instance) ? kSuccess : kNotRunning;
}

}  // namespace procsup::ctl
