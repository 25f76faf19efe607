// What a launch lays out for its child and its keeper before they exist.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <iterator>

#include "conf/tree_limits.h"
#include "daemon/host/kept_pipe.h"
#include "daemon/host/launch_slot.h"

namespace procsup {
namespace {

void lay_out_oom_score(const std::optional<int>& score, ChildPlan& plan) {
    plan.oom_score_length = 0;
    if (!score) return;
    const auto end = std::to_chars(std::begin(plan.oom_score), std::end(plan.oom_score), *score).ptr;
    plan.oom_score_length = static_cast<std::size_t>(end - plan.oom_score);
}

bool limits_memory(const JobSpec& spec) { return (controllers_for(spec) & bit_of(Controller::Memory)) != 0; }

}  // namespace

void* Spawner::Slot::map_stack() {
    void* stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return stack == MAP_FAILED ? nullptr : stack;
}

void Spawner::prepare(Slot& slot, LaunchOrder& order) {
    const auto invocation = order.invocation != 0 ? order.invocation : order.incarnation;
    slot.text.set_credentials(order.spec->credentials.empty() ? std::string() : credentials_ + order.name->instance);
    slot.text.set_notify_socket(std::move(order.notify_socket));
    slot.text.set_socket_count(order.socket_count);
    slot.text.set_remote(std::move(order.remote_address), std::move(order.remote_port));
    slot.text.lay_out(*order.spec, *order.name, socket_path_, invocation_prefix_ + fmt::format("{:016x}", invocation),
                      slot.plan);
    slot.sandbox.lay_out(*order.spec, *order.name, std::move(order.sandbox), runtime_dir_, slot.plan.sandbox);
    lay_out_oom_score(order.oom_score, slot.plan);
    slot.plan.own_memory = order.oom_score || limits_memory(*order.spec);
    slot.plan.open_files = original_open_files_;
    slot.plan.rights.inherits_capabilities = inherits_capabilities_ && !order.has_daemons_rights;
    slot.plan.drop_realtime = realtime_.in_force();
    slot.plan.timer_slack = realtime_.timer_slack();
    prepare_streams(slot, order);
    slot.plan.ready_source = -1;
    slot.plan.socket_count = order.socket_count;
    slot.plan.own_status_fd = slot.plan.status_fd;
    if (!order.ready_pipe) return;
    constexpr int kBehindStreams = 4;
    slot.plan.ready_source = slot.plan.status_fd + kBehindStreams;
    slot.plan.ready_target = order.socket_count == 0 || order.has_ready_pipe ? order.spec->readiness.fd : -1;
    dup3(order.ready_pipe.get(), slot.plan.ready_source, O_CLOEXEC);
}

void Spawner::prepare_streams(Slot& slot, LaunchOrder& order) {
    slot.passes_fds = order.fds || order.pipes[0] >= 0 || order.pipes[1] >= 0;
    for (std::size_t i = 0; i < 3; ++i) {
        ChildStream& stream = slot.plan.streams[i];
        const int low = slot.plan.status_fd + 1 + static_cast<int>(i);
        const bool given = order.fds && (*order.fds)[i];
        const int pipe = i > 0 ? order.pipes[i - 1] : -1;
        if (given) {
            dup3((*order.fds)[i].get(), low, O_CLOEXEC);
            stream = {ChildStream::Kind::Descriptor, low, nullptr};
        } else if (pipe >= 0) {
            const auto end = end_of_pipe(pipe, O_WRONLY);
            dup3(end ? end->get() : pipe, low, O_CLOEXEC);
            stream = {ChildStream::Kind::Descriptor, low, nullptr};
        } else if (stream.kind == ChildStream::Kind::Descriptor) {
            // The reserved numbers are /dev/null while nobody uses them.
            stream.descriptor = low;
        }
    }
}

/// The plan of the keeper, where the launch has one.
bool Spawner::prepare_keeper(Slot& slot, const LaunchOrder& order, const Enclosure& enclosure) {
    slot.kept = static_cast<bool>(enclosure.keeper_socket);
    const bool by_default = slot.plan.sandbox.means == SandboxMeans::Landlock || (slot.kept && drops_privileges_);
    slot.plan.rights.no_new_privileges = order.spec->gains_no_privileges(by_default);
    slot.plan.keeper_socket = -1;
    if (!slot.kept) return true;
    if (slot.keeper_stack == nullptr) slot.keeper_stack = Slot::map_stack();
    slot.plan.keeper_socket = slot.plan.status_fd + static_cast<int>(kFdsEach) - 1;
    dup3(enclosure.keeper_socket.get(), slot.plan.keeper_socket, O_CLOEXEC);
    auto& keeper = slot.keeper;
    keeper.child = &slot.plan;
    keeper.child_stack = slot.stack;
    keeper.child_stack_size = Slot::kStackSize;
    keeper.program = enclosure.keeper;
    keeper.instance = order.name->instance.c_str();
    keeper.socket_fd = slot.plan.keeper_socket;
    keeper.lock_fd = keeper_lock_fd_;
    keeper.null_fd = slot.plan.status_fd + 1;
    keeper.drop_realtime = slot.plan.drop_realtime;
    keeper.main_pid.store(0, std::memory_order_relaxed);
    return slot.keeper_stack != nullptr;
}

/// The kernel takes a filter from who has no privileges only if exec can bring none: a set-user-ID program must not find
/// calls refused that it relies on.
Result<void> Spawner::prepare_filter(Slot& slot, const LaunchOrder& order) {
    slot.plan.fork_filter = nullptr;
    if (order.spec->may_fork) return {};
    const auto filter = fork_filter_.program();
    if (!filter) return filter.error();
    slot.plan.fork_filter = *filter;
    return {};
}

}  // namespace procsup
