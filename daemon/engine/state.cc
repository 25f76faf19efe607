#include "daemon/engine/state.h"

namespace procsup {

std::string_view to_text(State state) {
    switch (state) {
        case State::Stopped: return "stopped";
        case State::Waiting: return "waiting";
        case State::Listening: return "listening";
        case State::Starting: return "starting";
        case State::Running: return "running";
        case State::Reloading: return "reloading";
        case State::Paused: return "paused";
        case State::Stopping: return "stopping";
        case State::Backoff: return "backoff";
        case State::Exited: return "exited";
        case State::Failed: return "failed";
    }
    return "?";
}

}  // namespace procsup
