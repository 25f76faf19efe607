// What jobs ask for and cannot have.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "daemon/host/processes.h"
#include "daemon/host/run_mounts.h"

namespace procsup {

bool Processes::refuse_unenforceable(Incarnation incarnation, const JobSpec& spec) {
    if (!spec.strict_limits && !spec.sandbox.strict) return false;
    std::string text;
    for (const auto& shortfall : shortfalls(spec, unenforced_.abilities())) {
        if (!is_strict(spec, shortfall.key)) continue;
        text += (text.empty() ? "cannot enforce " : "; ") + to_text(shortfall);
    }
    if (text.empty()) return false;
    runs_.erase(incarnation);
    note(incarnation, NoteRefused{SpawnStage::Enforce, EPERM, std::move(text)});
    return true;
}

void Processes::note_controllers() {
    auto abilities = unenforced_.abilities();
    abilities.controller_faults = contained_.containment->controller_faults();
    unenforced_.set_abilities(std::move(abilities));
}

void Processes::enable_controllers_for(const Configured& jobs) {
    ControllerSet wanted = 0;
    for (const auto& job : jobs) wanted |= controllers_for(*job);
    if (wanted == 0) return;
    contained_.containment->enable(wanted);
    note_controllers();
}

/// Limits of its tree that the kernel has not taken: a strict job is not launched, another one runs without them.
Result<void> Processes::accept_refused_limits(Run& run, const Enclosure& enclosure) {
    for (const auto& [key, error] : enclosure.refused) {
        if (!run.spec->strict_limits) {
            unenforced_.refused(*run.spec, key, strerrordesc_np(error));
            continue;
        }
        run.refusal =
            fmt::format("cannot set {} = {}: {}", key_path(key), limit_setting(*run.spec, key), strerrordesc_np(error));
        return Error{run.refusal, error};
    }
    return {};
}

namespace {

/// Of a program that is there, while what it names to be run by is not.
std::string interpreter_text(const JobSpec& spec, std::string name) {
    const bool windows = name.ends_with('\r');
    if (windows) name.replace(name.size() - 1, 1, "\\r");
    // The file is anybody's.
    for (char& c : name) c = c < ' ' || c > '~' ? '?' : c;
    return fmt::format("cannot {}: {}: it is there, and what it is to be run by, {}, is not{}",
                       describe(SpawnStage::Exec, spec), strerrordesc_np(ENOENT), name,
                       windows ? ": its lines end as on Windows, with \\r" : "");
}

}  // namespace

Processes::NoteRefused Processes::refusal(const JobSpec& spec, const ChildFailure& failure) {
    NoteRefused refused{failure.stage, failure.os_error};
    if (failure.interpreter[0] != '\0') refused.text = interpreter_text(spec, failure.interpreter);
    const auto* limit = failure.stage == SpawnStage::Limits ? find_limit(failure.resource) : nullptr;
    if (limit != nullptr) {
        refused.text = fmt::format("cannot set {}: {}", key_path(limit->key), strerrordesc_np(failure.os_error));
    }
    if (failure.path != nullptr) {
        const bool read_only = failure.stage == SpawnStage::ReadOnlyPath;
        const char* why = failure.os_error == ELOOP
                              ? "it is, or is below, a symbolic link: write the path that this leads to"
                              : strerrordesc_np(failure.os_error);
        refused.text = fmt::format("cannot {} {}{}: {}", read_only ? "make" : "keep", failure.path,
                                   read_only ? " read-only" : " writable", why);
    }
    return refused;
}

/// What a launch is set apart by; `beside` is the run that it belongs to, if it is none itself.
SandboxOrder Processes::sandbox_order(const JobSpec& spec, Incarnation beside) const {
    SandboxOrder order;
    order.means = sandbox_means(spec, unenforced_.abilities());
    order.landlock = unenforced_.abilities().landlock;
    if (order.means != SandboxMeans::Mounts) return order;
    const auto run = runs_.find(beside);
    if (run == runs_.end() || run->second.main == 0) return order;
    order.mounts = mounts_of(run->second.main, run->second.kept ? run->second.child : getpid());
    return order;
}

/// The daemon's own protection from the OOM killer is not for its jobs.
std::optional<int> Processes::oom_score_for(const JobSpec& spec) const {
    if (!spec.oom_score_adjust && !protected_) return std::nullopt;
    return std::max(spec.oom_score_adjust.value_or(0), unenforced_.abilities().least_oom_score);
}

void Processes::forget_job(const std::string& name) {
    job_pipes_.forget(name);
    unenforced_.forget(name);
}

}  // namespace procsup
