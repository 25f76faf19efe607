// What is measured, in the text format of Prometheus:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
#include <map>
#include <string>
#include <vector>

#include "ctl/handlers.h"
#include "ctl/metrics_text.h"
#include "ctl/session.h"

namespace procsup::ctl {
namespace {

/// All answers; nothing: it has failed, and was reported.
std::optional<std::vector<json::Value>> gather(Session& session) {
    std::vector<json::Value> answers;
    for (std::int64_t from = 0; from >= 0;) {
        auto reply = session.call_raw("io.procsupd.Manager.Metrics",
                                      names_parameters(session.line(), 0, [&](json::Writer& writer) {
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

}  // namespace

int metrics(Session& session) {
    const auto answers = gather(session);
    if (!answers) return session.exit_code();
    MetricFamilies families;
    for (const auto& answer : *answers) families.add(answer);
    if (session.line().json) {
        session.out().line(families.json());
    } else {
        session.out().add(families.text());
    }
    return kSuccess;
}

}  // namespace procsup::ctl
