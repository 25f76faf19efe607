// The daemon's own short-lived helpers.
#include <signal.h>

#include <algorithm>
#include <utility>

#include "daemon/host/processes.h"

namespace procsup {

Incarnation Processes::run_helper(JobSpec spec, StandardFds fds, HelperEnded ended, bool lasting) {
    const auto incarnation = next_helper_++;
    auto& helper = helpers_[incarnation];
    helper.spec = std::make_unique<JobSpec>(std::move(spec));
    helper.spec->stdout_stream = helper.spec->stderr_stream = {Stream::Kind::Inherit, {}};
    helper.name = InstanceName{helper.spec->name, helper.spec->name, 0, {}};
    helper.ended = std::move(ended);
    helper.lasting = lasting;
    runs_[incarnation].spec = helper.spec.get();
    LaunchOrder order;
    order.incarnation = incarnation;
    order.spec = helper.spec.get();
    order.name = &helper.name;
    order.fds = std::move(fds);
    order.has_daemons_rights = true;
    order.oom_score = oom_score_for(*helper.spec);
    spawner_.launch(std::move(order));
    return incarnation;
}

void Processes::kill_helper(Incarnation helper) {
    if (cancelled(helper)) return;
    const auto run = runs_.find(helper);
    if (run != runs_.end() && run->second.child != 0) kill(run->second.child, SIGKILL);
}

bool Processes::end_helpers() {
    const auto is_lasting = [&](Incarnation incarnation) {
        const auto helper = helpers_.find(incarnation);
        return helper != helpers_.end() && helper->second.lasting;
    };
    for (const auto& [pid, incarnation] : by_pid_) {
        if (incarnation >= kFirstHelper && !is_lasting(incarnation)) kill(pid, SIGKILL);
    }
    return std::any_of(helpers_.begin(), helpers_.end(), [](const auto& helper) { return !helper.second.lasting; });
}

void Processes::helper_noted(const Note& noted) {
    const auto found = helpers_.find(noted.incarnation);
    if (found == helpers_.end()) return;
    const auto* exit = std::get_if<NoteExited>(&noted.what);
    const auto* refusal = std::get_if<NoteRefused>(&noted.what);
    if (exit == nullptr && refusal == nullptr) return;
    const Helper helper = std::move(found->second);
    helpers_.erase(found);
    if (exit != nullptr) {
        helper.ended(exit->status);
    } else {
        helper.ended(os_failure(describe(refusal->stage, *helper.spec), refusal->os_error));
    }
}

}  // namespace procsup
