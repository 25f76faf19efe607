#include "daemon/engine/ports.h"

namespace procsup {

const JobCommand& command_of(const JobSpec& spec, SideRole role) {
    if (const auto hook = hook_of(role)) return *spec.hook(*hook);
    if (role == SideRole::ReadyProbe) return spec.readiness.probe;
    if (is_probe(role)) return spec.health.look.probe;
    return role == SideRole::StopCommand ? spec.stop_command : spec.reload_command;
}

std::string_view to_text(SideRole role) {
    if (const auto hook = hook_of(role)) return word_of(*hook);
    if (role == SideRole::ReadyProbe) return "the look whether it is ready";
    if (is_probe(role)) return "the look at its health";
    return role == SideRole::StopCommand ? "stop_command" : "reload_command";
}

}  // namespace procsup
