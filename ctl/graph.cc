#include <string>
#include <vector>

#include "ctl/graph_text.h"
#include "ctl/handlers.h"
#include "ctl/job_graph.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// One answer has about a MiB.
using Answers = std::vector<json::Value>;

/// All answers; nothing: it has failed, and was reported.
std::optional<Answers> gather(Session& session) {
    Answers answers;
    for (std::int64_t from = 0; from >= 0;) {
        auto reply =
            session.call_raw("io.procsupd.Job.Graph", names_parameters(session.line(), 0, [&](json::Writer& writer) {
                                 if (from > 0) writer.member_int("from", from);
                             }));
        if (!reply) return std::nullopt;
        if (!reply->error.empty()) {
            session.report(*reply);
            return std::nullopt;
        }
        const auto next = reply->parameters.int_or("next", -1);
        from = next > from ? next : -1;
        answers.push_back(std::move(reply->parameters));
    }
    return answers;
}

void print_json(Session& session, const Answers& answers, const JobGraph& graph,
                const std::vector<CriticalStep>& path) {
    json::Writer writer;
    writer.begin_object().member_int("boot_usec", graph.boot_usec).key("jobs").begin_array();
    for (const auto& answer : answers) {
        const auto* jobs = answer.find("jobs");
        if (jobs == nullptr || jobs->as_array() == nullptr) continue;
        for (const auto& job : *jobs->as_array()) write_snake_case(job, writer);
    }
    const auto* former = answers.empty() ? nullptr : answers.front().find("former");
    if (former != nullptr && former->as_array() != nullptr) {
        writer.end_array().key("former").begin_array();
        for (const auto& one : *former->as_array()) write_snake_case(one, writer);
    }
    writer.end_array().key("critical_path").begin_array();
    for (const auto& step : path) writer.string(step.instance->name);
    session.out().line(writer.end_array().end_object().take());
}

}  // namespace

int graph(Session& session) {
    const auto answers = gather(session);
    if (!answers) return session.exit_code();
    JobGraph graph;
    for (const auto& answer : *answers) graph.add(answer);
    const auto& line = session.line();
    const bool of_asked = !line.operands.empty();
    const auto path = critical_path(graph, of_asked);
    Output& out = session.out();
    if (line.json) {
        print_json(session, *answers, graph, path);
    } else if (line.dot) {
        out.add(graph_dot(graph, of_asked, line.critical ? path : std::vector<CriticalStep>()));
    } else if (!line.critical) {
        out.add(graph_table(graph, of_asked, out));
    } else if (path.empty()) {
        return session.fail(Error{std::string("cannot show the critical path: ") +
                                  (of_asked ? "none of these was ready since procsupd has them"
                                            : "nothing that was started with procsupd was ready yet")});
    } else {
        out.add(critical_text(graph, path, of_asked, out));
    }
    return kSuccess;
}

}  // namespace procsup::ctl
