#include "daemon/host/launch_text.h"

#include <sched.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "daemon/host/io_priority.h"

namespace procsup {
namespace {

ChildStream child_stream(const Stream& stream, bool input) {
    switch (stream.kind) {
        case Stream::Kind::Inherit: return {ChildStream::Kind::Keep, -1, nullptr};
        case Stream::Kind::Null:
        case Stream::Kind::Capture:
        case Stream::Kind::Journal:
        case Stream::Kind::Forward:
        case Stream::Kind::Connection:
        case Stream::Kind::Pipe: return {ChildStream::Kind::Descriptor, -1, nullptr};
        case Stream::Kind::File:
            return {input ? ChildStream::Kind::Read : ChildStream::Kind::Append, -1, stream.path.c_str()};
    }
    return {};
}

int policy_of(Scheduling::Policy policy) {
    switch (policy) {
        case Scheduling::Policy::Other: return SCHED_OTHER;
        case Scheduling::Policy::Batch: return SCHED_BATCH;
        case Scheduling::Policy::Idle: return SCHED_IDLE;
        case Scheduling::Policy::Fifo: return SCHED_FIFO;
        case Scheduling::Policy::Rr: return SCHED_RR;
    }
    return SCHED_OTHER;
}

int io_priority_of(const IoPriority& priority) {
    switch (priority.io_class) {
        case IoPriority::Class::Realtime: return ioprio::value(ioprio::kRealtime, priority.level);
        case IoPriority::Class::BestEffort: return ioprio::value(ioprio::kBestEffort, priority.level);
        case IoPriority::Class::Idle: return ioprio::value(ioprio::kIdle, 0);
    }
    return 0;
}

void lay_out_cpus(const std::vector<int>& cpus, ChildPlan& plan) {
    plan.cpu_words = 0;
    if (cpus.empty()) return;
    std::fill(std::begin(plan.cpus), std::end(plan.cpus), 0);
    for (const int cpu : cpus) plan.cpus[cpu / 64] |= std::uint64_t{1} << (cpu % 64);
    plan.cpu_words = static_cast<std::size_t>(cpus.back()) / 64 + 1;
}

}  // namespace

const char* LaunchText::keep(std::string text) {
    held_.push_back(std::move(text));
    return held_.back().c_str();
}

const char* LaunchText::hold(const std::string& text, const InstanceName& name) {
    // Most texts have no placeholder and are passed to the child as they are.
    if (text.find("${") == std::string::npos) return text.c_str();
    return keep(expand_job(text, name, credentials_));
}

void LaunchText::lay_out_environment(const JobSpec& spec, const InstanceName& name, const std::string& socket_path,
                                     std::string_view invocation_id, ChildPlan& plan) {
    envp_.clear();
    for (const auto& entry : spec.env) envp_.push_back(hold(entry, name));
    envp_.push_back(keep("PROCSUPD_JOB=" + name.job));
    envp_.push_back(keep("PROCSUPD_INSTANCE=" + name.instance));
    envp_.push_back(keep("PROCSUPD_INDEX=" + std::to_string(name.index)));
    envp_.push_back(keep("PROCSUPD_INVOCATION_ID=" + std::string(invocation_id)));
    envp_.push_back(keep("PROCSUPD_SOCKET=" + socket_path));
    if (!credentials_.empty()) envp_.push_back(keep("CREDENTIALS_DIRECTORY=" + credentials_));
    if (!notify_socket_.empty()) {
        envp_.push_back(keep("NOTIFY_SOCKET=" + notify_socket_));
        if (spec.has_watchdog()) envp_.push_back(keep("WATCHDOG_USEC=" + std::to_string(spec.watchdog.count())));
    }
    if (!remote_address_.empty()) {
        envp_.push_back(keep("REMOTE_ADDR=" + remote_address_));
        envp_.push_back(keep("REMOTE_PORT=" + remote_port_));
    }
    if (socket_count_ > 0) {
        envp_.push_back(keep("LISTEN_FDS=" + std::to_string(socket_count_)));
        envp_.push_back(keep("LISTEN_FDNAMES=" + names_of(spec.sockets)));
        envp_.push_back(plan.listen_pid);
    }
    envp_.push_back(nullptr);
}

void LaunchText::lay_out(const JobSpec& spec, const InstanceName& name, const std::string& socket_path,
                         std::string_view invocation_id, ChildPlan& plan) {
    held_.clear();
    // Pointers into held_ must survive its growth: short strings live inside the vector's elements.
    held_.reserve(spec.command.size() + spec.env.size() + 16);
    argv_.clear();
    for (const auto& argument : spec.command) argv_.push_back(hold(argument, name));
    argv_.push_back(nullptr);
    lay_out_environment(spec, name, socket_path, invocation_id, plan);

    // Like execvp(3): a name with a slash is a path, from the working directory on.
    const bool searched = spec.program.empty() && spec.command.front().find('/') == std::string::npos;
    plan.program = searched ? nullptr : spec.program.empty() ? argv_.front() : hold(spec.program, name);
    plan.search_path = searched ? keep(std::string(environment_value(spec.env, "PATH"))) : nullptr;
    plan.argv = const_cast<char* const*>(argv_.data());
    plan.envp = const_cast<char* const*>(envp_.data());
    plan.working_dir = hold(spec.working_dir, name);
    plan.umask = spec.umask;

    plan.change_ids = spec.identity.has_value();
    if (spec.identity) {
        plan.uid = spec.identity->uid;
        plan.gid = spec.identity->gid;
        plan.groups = spec.identity->groups.data();
        plan.group_count = spec.identity->groups.size();
    }
    const auto& privileges = spec.privileges;
    plan.rights.limits_capabilities = privileges.capabilities.has_value();
    plan.rights.capabilities = privileges.capabilities.value_or(0);
    plan.rights.ambient = privileges.ambient;
    plan.streams[0] = child_stream(spec.stdin_stream, true);
    plan.streams[1] = child_stream(spec.stdout_stream, false);
    plan.streams[2] = child_stream(spec.stderr_stream, false);
    for (auto& stream : plan.streams) {
        if (stream.path != nullptr) stream.path = keep(expand_job(stream.path, name));
    }

    plan.limit_count = std::min(spec.limits.size(), std::size(plan.limits));
    for (std::size_t i = 0; i < plan.limit_count; ++i) {
        plan.limits[i] = {spec.limits[i].resource, {spec.limits[i].soft, spec.limits[i].hard}};
    }
    plan.strict_limits = spec.strict_limits;
    plan.set_nice = spec.nice.has_value();
    plan.nice = spec.nice.value_or(0);
    plan.policy = spec.scheduling ? policy_of(spec.scheduling->policy) : -1;
    plan.realtime_priority = spec.scheduling ? spec.scheduling->priority : 0;
    plan.io_priority = spec.io_priority ? io_priority_of(*spec.io_priority) : -1;
    lay_out_cpus(spec.cpu_affinity, plan);
    plan.unmet = 0;
}

}  // namespace procsup
