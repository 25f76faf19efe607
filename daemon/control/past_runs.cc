#include "daemon/control/past_runs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/signal_name.h"
#include "common/utf8.h"
#include "conf/key_reader.h"
#include "daemon/control/instance_json.h"

namespace procsup {
namespace {

/// Of a cause, in bytes.
constexpr std::size_t kLongestCause = 500;
/// In one answer, so that it stays short, and the names fit into one packet of a logger.
constexpr std::int64_t kMostJobs = 500;

void write_cause(json::Writer& writer, std::string_view name, std::string_view cause) {
    writer.member(name, beginning_of(cause, kLongestCause));
}

void write_live(json::Writer& writer, const Instance& instance, const HostPort& host) {
    writer.begin_object().member("name", instance.name().instance).member("job", instance.name().job);
    writer.member("state", to_text(instance.state()));
    if (instance.pid() > 0) writer.member_int("pid", instance.pid());
    writer.member_int("startedUSec", wall_usec(host, instance.began()));
    write_cause(writer, "startCause", instance.start_cause());
    writer.end_object();
}

/// Those that are asked for, by job.
using ByJob = std::map<std::string, std::vector<const Instance*>, std::less<>>;

/// Of a job as a whole also what is left of instances that it has no more.
void write_job(json::Writer& writer, const std::string& job, const std::vector<const Instance*>& asked, bool whole) {
    writer.begin_object().member("job", job);
    if (!whole) {
        writer.key("instances").begin_array();
        for (const auto* instance : asked) writer.string(instance->name().instance);
        writer.end_array();
    }
    writer.end_object();
}

/// What is asked for: instances, and names of jobs that are no more, of which files may be left.
struct Asked {
    ByJob by_job;
    std::vector<std::string> former;
};

/// Of a job that is no more nobody is the owner.
std::optional<Asked> asked_for(const ControlContext& context, varlink::PendingCall& call) {
    Asked asked;
    std::vector<std::string> names;
    const bool may_see_all = context.access.allows(call.peer(), Tier::Operate);
    for (auto& name : names_of(call)) {
        const bool former = may_see_all && is_job_name(name) && context.supervisor.select(name, Surplus::With).empty();
        (former ? asked.former : names).push_back(std::move(name));
    }
    std::vector<const Instance*> instances;
    if (asked.former.empty()) {
        auto all = selected_or_all(context, call);
        if (!all) return std::nullopt;
        instances = std::move(*all);
    } else if (!names.empty()) {
        const auto ids = selected(context, call, names);
        if (!ids) return std::nullopt;
        for (const auto id : *ids) instances.push_back(context.supervisor.find(id));
    }
    for (const auto* instance : instances) asked.by_job[instance->name().job].push_back(instance);
    return asked;
}

}  // namespace

std::string past_run_record(const Transition& transition, std::int64_t daemon, const HostPort& host) {
    const auto& past = *transition.past;
    json::Writer writer;
    writer.begin_object().member("name", transition.instance).member("job", transition.job);
    const auto* run = past.teardown ? nullptr : transition.run;
    if (past.teardown) writer.member_bool("teardown", true);
    if (const auto pid = run != nullptr ? run->pid : past.pid; pid > 0) writer.member_int("pid", pid);
    // Of one look at the wall clock, so that their difference is how long it took.
    const auto ended = wall_usec(host, past.ended);
    const auto lasted = std::chrono::duration_cast<Duration>(past.ended - past.began);
    writer.member_int("startedUSec", ended - lasted.count()).member_int("endedUSec", ended);
    if (const auto status = run != nullptr ? run->status : past.status; status && status->by_signal()) {
        writer.member("exitSignal", signal_name(status->value)).member_bool("coreDumped", status->dumped_core);
    } else if (status) {
        writer.member_int("exitCode", status->value);
    }
    if (run != nullptr) {
        writer.member_int("cpuUSec", run->account.main_cpu.count());
        if (const auto& orphans = run->account.orphans; orphans.count > 0) {
            writer.member_int("orphans", static_cast<std::int64_t>(orphans.count));
            writer.member_int("orphansCpuUSec", orphans.cpu.count());
        }
        write_former_mains(writer, run->account);
        if (run->account.oom.count > 0) writer.member_bool("oomKilled", run->out_of_memory);
    }
    write_cause(writer, "startCause", past.start_cause);
    write_cause(writer, "endCause", past.end_cause);
    writer.member_int("daemon", daemon).member_int("sequence", static_cast<std::int64_t>(transition.sequence));
    return writer.end_object().take();
}

void history(const ControlContext& context, varlink::PendingCall call) {
    const auto wanted = asked_for(context, call);
    if (!wanted) return;
    const auto& by_job = wanted->by_job;
    const auto asked_from = call.parameters().int_or("from", 0);
    if (asked_from < 0) return call.fail_invalid_parameter("from");
    const auto count = static_cast<std::int64_t>(by_job.size());
    const auto from = std::min(asked_from, count);
    const auto first = std::next(by_job.begin(), from);
    const auto last = std::next(by_job.begin(), std::min(from + kMostJobs, count));
    std::vector<std::string> jobs;
    json::Writer writer;
    writer.begin_object().key("jobs").begin_array();
    for (auto asked = first; asked != last; ++asked) {
        const auto& [job, its] = *asked;
        const auto known = context.supervisor.jobs().find(job);
        if (known == context.supervisor.jobs().end()) continue;
        const auto& all = known->second;
        write_job(writer, job, its, its.size() >= present_of(all).size());
        // Nothing is kept of a transient one, and what was kept of another that had its name is not for who has chosen it.
        if (!known->second.transient) jobs.push_back(job);
    }
    for (const auto& name : from == 0 ? wanted->former : std::vector<std::string>()) {
        writer.begin_object().member("job", name).member("former", no_such_job_text(context, name)).end_object();
        jobs.push_back(name);
    }
    auto past = context.host.past_runs(jobs);
    writer.end_array().key("runs").begin_array();
    for (const auto& record : past.records) writer.raw(record);
    for (auto asked = first; asked != last; ++asked) {
        for (const auto* instance : asked->second) {
            // Of one that is taken down the run is over.
            if (is_live(instance->state()) && !instance->taken_down()) write_live(writer, *instance, context.host);
        }
    }
    writer.end_array().member("directory", past.directory);
    if (!past.problem.empty()) writer.member("problem", past.problem);
    if (last != by_job.end()) writer.member_int("next", from + kMostJobs);
    writer.end_object();
    if (past.files) {
        call.reply(writer.take(), std::move(past.files));
    } else {
        call.reply(writer.text());
    }
}

}  // namespace procsup
