#include "daemon/control/log_methods.h"

#include <utility>

#include "daemon/control/interface_texts.h"

namespace procsup {
namespace {

/// What the host cannot do for another reason than the system's is that there is nothing to do it with.
void fail(varlink::PendingCall& call, const Error& error) {
    call.fail(error.os_error == 0 ? error_name(call, "NotCaptured") : "io.systemd.System", error.message);
}

void open(const ControlContext& context, varlink::PendingCall call) {
    const auto instances = selected_or_all(context, call);
    if (!instances) return;
    const auto& parameters = call.parameters();
    const auto writer = parameters.int_or("writer", 0);
    if (writer < 0) return call.fail_invalid_parameter("writer");
    auto reading =
        context.host.open_logs(*instances, parameters.bool_or("follow", false), static_cast<std::size_t>(writer));
    if (!reading) return fail(call, reading.error());
    json::Writer answer;
    answer.begin_object().member_int("writers", static_cast<std::int64_t>(reading->writers));
    answer.member("fileSystem", reading->disk);
    call.reply(answer.end_object().take(), std::move(reading->connection));
}

void rotate(const ControlContext& context, varlink::PendingCall call) {
    const auto ids = selected(context, call);
    if (!ids) return;
    std::vector<const Instance*> instances;
    for (const auto id : *ids) instances.push_back(context.supervisor.find(id));
    const auto rotated = context.host.rotate_logs(instances);
    if (!rotated) return fail(call, rotated.error());
    call.reply();
}

}  // namespace

varlink::Interface log_interface(ControlContext& context) {
    using varlink::PendingCall;
    varlink::Interface interface {
        "io.procsupd.Log", std::string(kLogText), {}
    };
    interface.methods["Open"] = [&](PendingCall call) { open(context, call); };
    interface.methods["Rotate"] = [&](PendingCall call) { rotate(context, call); };
    return interface;
}

}  // namespace procsup
