#include <map>
#include <string>
#include <vector>

#include "ctl/clock.h"
#include "ctl/handlers.h"
#include "ctl/output.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// The processes of one tree, drawn below each other as they are each other's children.
class Drawing {
public:
    Drawing(const json::Value& tree, Output& out) : out_(out) {
        const auto* list = tree.find("processes");
        if (list == nullptr || list->as_array() == nullptr) return;
        for (const auto& process : *list->as_array()) by_pid_[process.int_or("pid", 0)] = &process;
        for (const auto& [pid, process] : by_pid_) {
            const auto parent = process->int_or("parent", 0);
            below_[by_pid_.contains(parent) ? parent : 0].push_back(pid);
        }
    }

    bool empty() const { return by_pid_.empty(); }

    void draw(std::int64_t above, const std::string& indent) {
        const auto found = below_.find(above);
        // What a hostile process calls itself must not make this endless: a chain of parents cannot be longer than the list.
        if (found == below_.end() || indent.size() > 4 * by_pid_.size() + 4) return;
        for (std::size_t i = 0; i < found->second.size(); ++i) {
            const bool last = i + 1 == found->second.size();
            const auto pid = found->second[i];
            out_.line(indent + (last ? "`-" : "|-") + text_of(pid));
            draw(pid, indent + (last ? "  " : "| "));
        }
    }

private:
    std::string text_of(std::int64_t pid) const {
        const auto& process = *by_pid_.at(pid);
        std::string text = std::to_string(pid) + " " + escaped(process.string_or("command", ""));
        const auto state = process.string_or("state", "");
        const auto age = age_text(Duration(realtime_usec() - process.int_or("startedUSec", 0)));
        if (state == "Z") {
            const auto parent = process.int_or("parent", 0);
            text += out_.colored(Color::Red, "  ! zombie: " + std::to_string(parent) + " has not collected it");
        } else if (process.bool_or("orphan", false)) {
            text += out_.colored(Color::Yellow, "  ! orphan, started " + age + " ago");
        }
        if (state == "T" || state == "t") text += out_.colored(Color::Yellow, "  (stopped)");
        if (state == "D") text += out_.colored(Color::Yellow, "  (waits for a device)");
        return text;
    }

    Output& out_;
    std::map<std::int64_t, const json::Value*> by_pid_;
    std::map<std::int64_t, std::vector<std::int64_t>> below_;
};

void add_omitted(const json::Value& tree, Output& out) {
    if (const auto omitted = tree.int_or("omitted", 0); omitted > 0) {
        out.line("  and " + std::to_string(omitted) + " more");
    }
}

void add_tree(const json::Value& tree, Output& out) {
    std::string title = escaped(tree.string_or("name", ""));
    const auto place = tree.string_or("place", "");
    title += " (" + escaped(place.empty() ? tree.string_or("containment", "") : place) + ")";
    Drawing drawing(tree, out);
    out.line(drawing.empty() ? title + ": no process" : title);
    drawing.draw(0, "");
    add_omitted(tree, out);
}

}  // namespace

int tree(Session& session) {
    json::Writer parameters;
    parameters.begin_object().key("names").begin_array();
    for (const auto name : session.line().operands) parameters.string(name);
    const auto reply = session.call("io.procsupd.Job.Tree", parameters.end_array().end_object().text());
    if (!reply) return session.exit_code();
    if (session.line().json) return kSuccess;
    Output& out = session.out();
    if (const auto* trees = reply->find("trees"); trees != nullptr && trees->as_array() != nullptr) {
        for (const auto& one : *trees->as_array()) add_tree(one, out);
    }
    const auto* strays = reply->find("strays");
    if (strays == nullptr) return kSuccess;
    Drawing drawing(*strays, out);
    if (drawing.empty()) return kSuccess;
    out.line("orphans of no job");
    drawing.draw(0, "");
    add_omitted(*strays, out);
    return kSuccess;
}

}  // namespace procsup::ctl
