#include "ctl/graph_text.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// In a line of `status`.
constexpr std::size_t kMostNamed = 10;

/// Names of a list, of which `more` are left out.
std::string some_of(const std::vector<std::string>& names, std::int64_t more = 0) {
    std::string text;
    const auto shown = std::min(names.size(), kMostNamed);
    for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : "") + names[i];
    more += static_cast<std::int64_t>(names.size() - shown);
    return more > 0 ? text + " and " + std::to_string(more) + " more" : text;
}

/// What must be so of the other, in parentheses; empty: nothing in particular.
std::string terms_of(const JobLink& link, const Output& out) {
    std::string text = escaped(link.condition);
    const auto add = [&](const std::string& term) { text += (text.empty() ? "" : ", ") + term; };
    if (link.kind == "before") add("as that says");
    if (link.kind == "group") add("of its group");
    if (!link.on_restart.empty() && link.on_restart != "ignore") add("on_restart = " + escaped(link.on_restart));
    if (!link.met) add(out.colored(Color::Yellow, "not yet"));
    return text.empty() ? text : " (" + text + ")";
}

/// What links of these kinds say, behind their word.
struct KindText {
    std::string_view word;
    std::array<std::string_view, 3> kinds;
};
constexpr std::array<KindText, 4> kKinds{{{"requires", {"requires"}},
                                          {"wants", {"wants"}},
                                          {"after", {"after", "before", "group"}},
                                          {"daemon of", {"daemon_of"}}}};

std::string names_in(const json::Value& parent, const std::string& member) {
    const auto* list = parent.find(member);
    if (list == nullptr || list->as_array() == nullptr) return {};
    std::vector<std::string> names;
    for (const auto& name : *list->as_array()) {
        if (name.as_string() != nullptr) names.push_back(escaped(*name.as_string()));
    }
    return names.empty() ? std::string() : some_of(names, parent.int_or(member + "Omitted", 0));
}

std::string needs_text(const std::vector<JobLink>& links, std::size_t most, const Output& out) {
    std::string text;
    for (const auto& [word, kinds] : kKinds) {
        std::size_t count = 0;
        for (const auto& link : links) {
            if (std::find(kinds.begin(), kinds.end(), link.kind) == kinds.end()) continue;
            if (++count > most) continue;
            text += count > 1 ? ", " : (text.empty() ? "" : "; ") + std::string(word) + " ";
            text += escaped(link.to) + terms_of(link, out);
        }
        if (count > most) text += " and " + std::to_string(count - most) + " more";
    }
    return text;
}

/// Jobs that depend on others, or others on them.
std::set<std::string_view> linked_jobs(const JobGraph& graph) {
    std::set<std::string_view> names;
    for (const auto& job : graph.jobs) {
        if (!job.links.empty()) names.insert(job.name);
        for (const auto& link : job.links) names.insert(link.to);
    }
    return names;
}

/// Of two in the same state the one that is not ready comes first, and stands for the job.
std::vector<InstanceView> views_of(const GraphJob& job) {
    std::vector<InstanceView> views;
    for (const auto& instance : job.instances) views.push_back(instance.view());
    std::stable_partition(views.begin(), views.end(), [](const auto& view) { return !does_its_work(view); });
    return views;
}

/// A string of the DOT language.
std::string dot_quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : escaped(text)) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "\"";
}

/// The lines of a label.
std::string dot_label(std::string_view first, std::string_view second) {
    auto label = dot_quoted(first);
    label.pop_back();
    return label + "\\n" + dot_quoted(second).substr(1);
}

std::string_view dot_color(const JobRow& row) {
    const auto state = row.worst->state;
    if (state == "failed") return "red";
    if (row.ready == row.instances) return "forestgreen";
    return state == "stopped" || state == "exited" ? "gray" : "orange";
}

std::string dot_node(const GraphJob& job, bool marked) {
    const auto views = views_of(job);
    const auto rows = job_rows(views);
    std::string state = "no instance";
    std::string_view color = "gray";
    if (!rows.empty()) {
        const auto& row = rows.front();
        state = std::string(row.worst->state) + ", ";
        if (row.instances > 1) state += std::to_string(row.ready) + "/" + std::to_string(row.instances) + " ";
        state += row.ready == 0 ? "not ready" : "ready";
        color = dot_color(row);
    }
    return "    " + dot_quoted(job.name) + " [label=" + dot_label(job.name, state) + ", color=" + std::string(color) +
           (marked ? ", penwidth=3" : "") + "];\n";
}

std::string dot_edge(const GraphJob& job, const JobLink& link, bool marked) {
    std::string style = "dotted", label = "after";
    if (link.kind == "requires") {
        style = "solid";
        label = "requires " + link.condition;
    } else if (link.kind == "wants") {
        style = "dashed";
        label = "wants";
    } else if (link.kind == "daemon_of") {
        style = "bold";
        label = "daemon of";
    }
    return "    " + dot_quoted(job.name) + " -> " + dot_quoted(link.to) + " [label=" + dot_quoted(label) +
           ", style=" + style + (marked ? ", color=red, penwidth=2" : "") + "];\n";
}

/// "2.314s".
std::string seconds_text(std::int64_t usec) {
    constexpr std::int64_t kMsec = 1000;
    const auto msec = std::max<std::int64_t>(usec, 0) / kMsec;
    const auto fraction = std::to_string(kMsec + msec % kMsec).substr(1);
    return std::to_string(msec / kMsec) + "." + fraction + "s";
}

std::string what_was_waited_for(const CriticalStep& step, const Output& out) {
    const auto& name = step.instance->first_start->waited_for;
    if (name.empty()) return "-";
    std::string terms;
    for (const auto* link : step.links) {
        JobLink then = *link;
        then.met = true;
        terms += (terms.empty() ? "" : "; ") + needs_text({then}, 1, out);
    }
    if (terms.empty()) return escaped(name);
    return name == step.links.front()->to ? terms : escaped(name) + ": " + terms;
}

/// What else than to be ready `waiter` required of the job of `step`; empty: nothing.
std::string_view awaited_of(const CriticalStep& step, const CriticalStep* waiter) {
    if (waiter == nullptr || !waiter->instance->first_start->started) return {};
    for (const auto* link : waiter->links) {
        const bool was_ready_then = step.job->oneshot && link->condition == "exited_ok";
        const bool later = link->condition == "healthy" || link->condition.starts_with("exited");
        if (later && !was_ready_then) return link->condition;
    }
    return {};
}

/// `waiter`: the step above, which could be started when this one was as that required.
void add_step(Table& table, const CriticalStep& step, const CriticalStep* waiter, std::int64_t base,
              const Output& out) {
    const auto& first = *step.instance->first_start;
    const auto awaited = awaited_of(step, waiter);
    const auto& end = !awaited.empty() ? waiter->instance->first_start->started
                      : first.ready    ? first.ready
                                       : first.failed;
    const auto at = [&](const std::optional<std::int64_t>& time) {
        return time ? seconds_text(*time - base) : std::string("-");
    };
    std::string remark;
    if (!awaited.empty()) {
        remark = " (" + std::string(awaited) + ")";
    } else if (!first.ready) {
        remark = first.failed ? " (failed)" : "";
    } else if (first.failed) {
        remark = " (failed before)";
    } else if (step.job->oneshot) {
        remark = " (ended)";
    }
    // Of what is no longer configured it is all that is known.
    if (step.instance->state.empty()) remark += " (removed since)";
    table.add("", {escaped(step.instance->name), at(first.started), at(end) + remark,
                   first.started && end ? seconds_text(*end - *first.started) : std::string("-"),
                   what_was_waited_for(step, out)});
}

/// What was to be started too, and is not ready.
std::string not_ready_text(const JobGraph& graph, bool of_asked) {
    std::vector<std::string> waiting, failed;
    for (const auto& job : graph.jobs) {
        for (const auto& instance : job.instances) {
            const auto& first = instance.first_start;
            if (!first || first->ready || instance.ready || !(of_asked ? job.asked : first->at_boot)) continue;
            if (instance.state == "failed") {
                failed.push_back(escaped(instance.name));
            } else if (instance.state != "stopped" && instance.state != "exited") {
                waiting.push_back(escaped(instance.name));
            }
        }
    }
    std::string text;
    if (!waiting.empty()) text += "not ready yet: " + some_of(waiting) + "\n";
    if (!failed.empty()) text += "failed: " + some_of(failed) + "\n";
    return text;
}

}  // namespace

std::string needs_text(const std::vector<JobLink>& links, const Output& out) {
    return needs_text(links, links.size(), out);
}

std::string dependencies_text(const json::Value& dependencies, const Output& out) {
    auto text = needs_text(links_of(dependencies), kMostNamed, out);
    const auto add = [&](const char* what, const std::string& names) {
        if (!names.empty()) text += (text.empty() ? "" : "; ") + std::string(what) + names;
    };
    add("needed by: ", names_in(dependencies, "neededBy"));
    add("before: ", names_in(dependencies, "before"));
    return text;
}

std::string graph_table(const JobGraph& graph, bool whole, const Output& out) {
    const auto linked = linked_jobs(graph);
    std::size_t omitted = 0;
    Table table;
    table.add("  ", {"STEP", "JOB", "STATE", "READY", "NEEDS"});
    for (const auto& job : graph.jobs) {
        const auto views = views_of(job);
        const auto rows = job_rows(views);
        if (rows.empty()) continue;
        if (!whole && !linked.contains(job.name)) {
            ++omitted;
            continue;
        }
        const auto& row = rows.front();
        const auto needs = needs_text(job.links, out);
        table.add(symbol(*row.worst, out) + " ",
                  {std::to_string(job.step),
                   escaped(job.name),
                   {colored_state(*row.worst, out), display_width(escaped(row.worst->state))},
                   std::to_string(row.ready) + "/" + std::to_string(row.instances),
                   needs.empty() ? "-" : needs});
    }
    const auto besides = std::to_string(omitted) + (omitted == 1 ? " job depends" : " jobs depend") + " on nothing";
    if (linked.empty() && !whole) return omitted == 0 ? "there are no jobs\n" : besides + "\n";
    return table.text() + (omitted == 0 ? "" : besides + ", and nothing on " + (omitted == 1 ? "it" : "them") + "\n");
}

std::string graph_dot(const JobGraph& graph, bool whole, const std::vector<CriticalStep>& path) {
    const auto linked = linked_jobs(graph);
    std::set<std::string_view> nodes;
    std::set<std::pair<std::string_view, std::string_view>> edges;
    for (std::size_t i = 0; i < path.size(); ++i) {
        nodes.insert(path[i].job->name);
        if (i > 0) edges.emplace(path[i - 1].job->name, path[i].job->name);
    }
    std::string text = "digraph procsupd {\n    rankdir=LR;\n    node [shape=box];\n";
    for (const auto& job : graph.jobs) {
        if (whole || linked.contains(job.name)) text += dot_node(job, nodes.contains(job.name));
    }
    for (const auto& job : graph.jobs) {
        for (const auto& link : job.links) text += dot_edge(job, link, edges.contains({job.name, link.to}));
    }
    return text + "}\n";
}

std::string critical_text(const JobGraph& graph, const std::vector<CriticalStep>& path, bool of_asked,
                          const Output& out) {
    std::int64_t base = path.front().instance->first_start->wanted;
    for (const auto& step : path) base = std::min(base, step.instance->first_start->wanted);
    const auto& last = *path.front().instance;
    auto text = escaped(last.name) + " was ready " + (of_asked ? "" : "last, ") +
                seconds_text(*last.first_start->ready - base) + " after " + date_text(graph.boot_usec + base) + "\n";
    Table table;
    table.add("", {"INSTANCE", "STARTED", "READY", "TOOK", "WAITED FOR"});
    const CriticalStep* waiter = nullptr;
    for (const auto& step : path) {
        add_step(table, step, waiter, base, out);
        waiter = &step;
    }
    return text + table.text() + not_ready_text(graph, of_asked);
}

}  // namespace procsup::ctl
