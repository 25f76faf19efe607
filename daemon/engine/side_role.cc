#include "daemon/engine/ports.h"

namespace procsup {

const JobCommand& command_of(const JobSpec& spec, SideRole role) {
    switch (role) {
        case SideRole::StopCommand: return spec.stop_command;
        case SideRole::ReadyProbe: return spec.readiness.probe;
    }
    return spec.stop_command;
}

std::string_view to_text(SideRole role) {
    switch (role) {
        case SideRole::StopCommand: return "stop_command";
        case SideRole::ReadyProbe: return "the look whether it is ready";
    }
    return {};
}

}  // namespace procsup
