// Jobs that are ready when they have written a line.
#include "daemon/host/log_capture.h"
#include "daemon/host/processes.h"

namespace procsup {

/// False: the run was refused.
bool Processes::await_ready_line(InstanceId id, Incarnation incarnation, const JobSpec& spec,
                                 const InstanceName& name) {
    if (spec.readiness.kind != Readiness::Kind::LogLine || log_capture_ == nullptr) return true;
    auto awaited = log_capture_->await_line(id, incarnation, expand_job(spec.readiness.target, name),
                                            {[this, incarnation] { said_ready(incarnation); },
                                             [this, incarnation](const std::string& fault) {
                                                 note(incarnation, NoteHindered{", which " + fault, {}});
                                             }});
    if (!awaited) refuse(incarnation, SpawnStage::ReadyChannel, 0, std::move(awaited.error().message));
    return awaited.has_value();
}

/// Nothing of it is left that could say so.
void Processes::forget_readiness(Incarnation incarnation) {
    ready_channels_.close(incarnation);
    if (log_capture_ != nullptr) log_capture_->forget_line(incarnation);
}

}  // namespace procsup
