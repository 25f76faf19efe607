#include "ctl/acquire.h"

#include <stdlib.h>

#include <array>
#include <cstdint>
#include <string>

#include "ctl/broker.h"
#include "ctl/deadline.h"
#include "ctl/held_command.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// For the process that calls, or that of --pid.
std::string parameters_of(const CommandLine& line, const Acquisition& what) {
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front()).member_int("pid", line.pid);
    what.request(writer);
    if (line.try_only) writer.member_bool("try", true);
    if (line.timeout) writer.member_int("timeoutUSec", line.timeout->count());
    return writer.end_object().take();
}

/// What the command finds of what it has.
void set_environment(std::int64_t token, const std::string& abandoned_by) {
    setenv("PROCSUPD_FENCING_TOKEN", std::to_string(token).c_str(), 1);
    if (abandoned_by.empty()) {
        unsetenv("PROCSUPD_ABANDONED_BY");
    } else {
        setenv("PROCSUPD_ABANDONED_BY", abandoned_by.c_str(), 1);
    }
}

/// 0: this process has it, or the other one.
int acquire(Session& session, const Acquisition& what) {
    const auto& line = session.line();
    const auto reply = session.call_raw(std::string(what.interface) + ".Acquire", parameters_of(line, what));
    if (!reply) return session.exit_code();
    if (!reply->error.empty()) return report_refusal(session, *reply);
    const std::string abandoned_by(reply->parameters.string_or("abandonedBy", ""));
    if (!abandoned_by.empty() && !line.quiet)
        session.out().warning(escaped(line.operands.front()) + " was abandoned by " + escaped(abandoned_by) +
                              ": what it protects may be half done");
    if (line.command.empty() && line.json) session.print_json(reply->parameters);
    set_environment(reply->parameters.int_or("fencingToken", 0), abandoned_by);
    return 0;
}

}  // namespace

int acquire_for_command_or_process(Session& session, const Acquisition& what) {
    if (session.line().command.empty()) return acquire(session, what);
    // An answer to anything means that the broker has seen the end, which came before. One that stands still is not waited for.
    const auto see_end = [&] {
        auto* client = session.client_if_up();
        if (client == nullptr || !client->send("org.varlink.service.GetInfo", "", false)) return;
        std::array<pollfd, 1> answer{{{client->fd(), POLLIN, 0}}};
        Deadline(std::chrono::seconds(1)).poll(answer);
    };
    const auto code = run_holding(
        session.line().command, [&] { return acquire(session, what); }, see_end);
    return code ? *code : session.fail(code.error());
}

}  // namespace procsup::ctl
