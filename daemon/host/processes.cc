#include "daemon/host/processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/packet_socket.h"
#include "daemon/host/log_capture.h"
#include "daemon/host/own_programs.h"
#include "daemon/host/side_spec.h"
#include "daemon/logger/journal_socket.h"

namespace procsup {
namespace {

int own_oom_score() {
    const Fd file(open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC));
    char text[16] = {};
    return file && read(file.get(), text, sizeof(text) - 1) > 0 ? atoi(text) : 0;
}

}  // namespace

Processes::Processes(SdEventLoop& loop)
    : loop_(loop),
      spawner_(loop, *this),
      reaper_(loop, *this),
      provisions_(loop, *this),
      ready_channels_(loop, *this),
      probe_program_(find_own_program("procsup-probe")),
      unenforced_([this](const auto& spec, const auto& what) {
          if (on_shortfall_) on_shortfall_(spec, what);
      }) {}

Result<void> Processes::start(Supervisor& supervisor) {
    supervisor_ = &supervisor;
    protected_ = own_oom_score() < 0;
    return reaper_.start();
}

// ---- requests

void Processes::attach_streams(const std::string& job, StandardFds fds) { attached_[job] = std::move(fds); }

void Processes::forget_streams(const std::string& job) { attached_.erase(job); }

Result<void> Processes::contain(ContainmentMode wanted, const ContainmentPlace& place) {
    auto chosen = choose_containment(wanted, place, loop_, *this);
    if (!chosen) return chosen.error();
    contained_ = std::move(*chosen);
    note_controllers();
    return {};
}

void Processes::spawn(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) {
    Run& run = runs_[incarnation];
    run.id = id;
    run.spec = &spec;
    if (!spec.has_provisions()) {
        // What the text before this one asked for, if it did.
        provisions_.needs_nothing(id);
        return launch_run(id, incarnation, spec, name);
    }
    provisions_.provide(id, incarnation, spec, name, [this, id, incarnation, &spec, &name](const auto& failure) {
        if (!failure) return launch_run(id, incarnation, spec, name);
        refuse(incarnation, failure->stage, failure->os_error, failure->text);
    });
}

/// What the run needs is there.
void Processes::launch_run(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) {
    LaunchOrder order;
    order.incarnation = incarnation;
    order.spec = &spec;
    order.name = &name;
    if (const auto found = attached_.find(spec.name); found != attached_.end()) {
        order.fds = std::move(found->second);
        attached_.erase(found);
    }
    hand_over_connection(id, order);
    if (spec.serves_connection() && !order.fds) return launch_refused(incarnation, SpawnStage::Stdin, ENOTCONN);
    if (refuse_unenforceable(incarnation, spec)) return;
    if (spec.writes_to(Stream::Kind::Journal) && access(logger::kJournalSocket, F_OK) < 0)
        return launch_refused(incarnation, SpawnStage::Journal, errno);
    const auto pipes = pipes_of(id, spec, name, spec.hook(Hook::PreStart) == nullptr);
    if (!pipes) return launch_refused(incarnation, SpawnStage::Stdout, pipes.error().os_error);
    order.pipes = *pipes;
    if (!await_ready_line(id, incarnation, spec, name)) return;
    order.oom_score = oom_score_for(spec);
    order.sandbox = sandbox_order(spec, 0);
    if (const auto opened = open_ready_channel(order); !opened) {
        return launch_refused(incarnation, SpawnStage::ReadyChannel, opened.error().os_error);
    }
    const auto failure = job_pipes_.connect(spec, order.fds);
    if (failure) return launch_refused(incarnation, failure->stage, failure->os_error);
    if (const auto packed = pack_sockets(order); !packed)
        return launch_refused(incarnation, SpawnStage::Sockets, packed.error().os_error);
    spawner_.launch(std::move(order));
}

/// They go in a message, in which they stay open whatever happens until the child takes it; behind them what would be its
/// descriptor of readiness.
Result<void> Processes::pack_sockets(LaunchOrder& order) {
    if (order.spec->sockets.empty()) return {};
    auto fds = provisions_.sockets().for_next_run(*order.spec, *order.name);
    order.socket_count = fds.size();
    if (order.ready_pipe) fds.push_back(order.ready_pipe.get());
    auto channel = packet_socket_pair();
    if (!channel) return channel.error();
    if (send_packet(channel->first.get(), "sockets", fds) != Sent::Yes) return os_failure("pass sockets", errno);
    order.has_ready_pipe = static_cast<bool>(order.ready_pipe);
    order.ready_pipe = std::move(channel->second);
    return {};
}

void Processes::spawn_beside(InstanceId id, Incarnation incarnation, const SideOrder& beside) {
    Run& run = runs_[incarnation];
    run.id = id;
    run.side_spec = std::make_unique<JobSpec>(side_spec(beside, probe_program_));
    run.spec = run.side_spec.get();
    const auto& spec = *run.spec;
    const bool begins_run = beside.role == SideRole::PreStart;
    // That of a oneshot runs when the run is over, and with it what the run was given.
    const bool undoes = beside.role == SideRole::StopCommand && spec.type == JobType::Oneshot;
    if ((!begins_run && !undoes) || !spec.has_provisions()) return launch_beside(id, incarnation, beside);
    provisions_.provide(id, incarnation, spec, beside.name, [this, id, incarnation, beside](const auto& failure) {
        if (!failure) return launch_beside(id, incarnation, beside);
        refuse(incarnation, failure->stage, failure->os_error, failure->text);
    });
}

void Processes::launch_beside(InstanceId id, Incarnation incarnation, const SideOrder& beside) {
    const auto& spec = *runs_.at(incarnation).spec;
    LaunchOrder order;
    order.incarnation = incarnation;
    order.invocation = beside.beside;
    order.spec = &spec;
    order.name = &beside.name;
    const auto pipes = pipes_of(id, spec, beside.name, beside.role == SideRole::PreStart);
    if (!pipes) return launch_refused(incarnation, SpawnStage::Stdout, pipes.error().os_error);
    order.pipes = *pipes;
    if (is_probe(beside.role)) {
        const bool ready = beside.role == SideRole::ReadyProbe;
        auto reports =
            ready ? ready_channels_.open_reports(incarnation) : ready_channels_.open_health_reports(incarnation);
        if (!reports) return launch_refused(incarnation, SpawnStage::ReadyChannel, reports.error().os_error);
        order.ready_pipe = std::move(*reports);
    }
    order.oom_score = oom_score_for(spec);
    order.sandbox = sandbox_order(spec, beside.beside);
    spawner_.launch(std::move(order));
}

Result<std::array<int, 2>> Processes::pipes_of(InstanceId id, const JobSpec& spec, const InstanceName& name,
                                               bool begins_run) const {
    if (log_capture_ == nullptr) return std::array<int, 2>{-1, -1};
    return log_capture_->pipes_of(id, spec, name, begins_run);
}

void Processes::forget(InstanceId id) {
    if (log_capture_ != nullptr) log_capture_->forget(id);
}

void Processes::signal(Incarnation incarnation, int signal) {
    const auto run = runs_.find(incarnation);
    if (run == runs_.end()) return;
    const auto& named = run->second.named;
    if (named && syscall(SYS_pidfd_send_signal, named->handle.get(), signal, nullptr, 0) == 0) return;
    // A keeper knows its main process also before it has told.
    if (run->second.main != 0 || run->second.kept) run->second.tree->signal_main(signal);
}

void Processes::tell_to_end(Incarnation incarnation, SignalTo to, int number) {
    if (cancelled(incarnation)) return;
    for (const int next : {number, SIGCONT}) {
        if (to == SignalTo::Main) {
            signal(incarnation, next);
        } else if (const auto run = runs_.find(incarnation); run != runs_.end()) {
            run->second.tree->signal_all(next);
        }
    }
}

void Processes::pause(Incarnation incarnation, bool pause) {
    const auto run = runs_.find(incarnation);
    if (run != runs_.end() && run->second.tree) run->second.tree->pause(pause);
}

void Processes::abandon(Incarnation incarnation) {
    const auto run = runs_.find(incarnation);
    if (run == runs_.end()) return;
    leftovers_.erase(incarnation);
    accounts_.close(incarnation);
    forget_readiness(incarnation);
    abandoned_.push_back({run->second.id, run->second.child, std::move(run->second.tree)});
    runs_.erase(run);
}

void Processes::kill_tree(Incarnation incarnation) {
    if (cancelled(incarnation)) return;
    const auto run = runs_.find(incarnation);
    if (run != runs_.end()) run->second.tree->kill();
}

bool Processes::cancelled(Incarnation incarnation) {
    const auto run = runs_.find(incarnation);
    if (run != runs_.end() && run->second.child == 0 && provisions_.cancel(run->second.id, incarnation)) {
        refuse(incarnation, SpawnStage::Cancelled, ECANCELED,
               "cancelled before its directories, credentials and sockets were laid out");
        return true;
    }
    if (!spawner_.cancel(incarnation)) return false;
    launch_refused(incarnation, SpawnStage::Cancelled, ECANCELED);
    return true;
}

// ---- what the spawner says

Result<Enclosure> Processes::enclose(Incarnation incarnation, const InstanceName& name) {
    Enclosure enclosure;
    if (incarnation >= kFirstHelper) return enclosure;
    Run& run = runs_.at(incarnation);
    auto tree = contained_.containment->enclose(name, run.spec->tree_limits, incarnation, enclosure);
    if (!tree) return tree.error();
    if (auto met = accept_refused_limits(run, enclosure); !met) return met.error();
    run.kept = static_cast<bool>(enclosure.keeper_socket);
    run.tree = std::move(*tree);
    if (run.spec->readiness.kind == Readiness::Kind::Notify && !run.side_spec) run.tree->may_go_on();
    return enclosure;
}

void Processes::launched(Incarnation incarnation, pid_t child) {
    by_pid_[child] = incarnation;
    Run& run = runs_.at(incarnation);
    run.child = child;
    if (run.tree) run.tree->began(child);
}

void Processes::created(Incarnation incarnation, pid_t pid) {
    const auto run = runs_.find(incarnation);
    if (run == runs_.end()) return;
    run->second.main = pid;
    const auto& named = run->second.named;
    note(incarnation, NoteLaunched{named ? named->pid : pid});
}

void Processes::launch_refused(Incarnation incarnation, SpawnStage stage, int os_error) {
    const auto run = runs_.find(incarnation);
    auto text = run == runs_.end() ? std::string() : std::move(run->second.refusal);
    refuse(incarnation, text.empty() ? stage : SpawnStage::Enforce, os_error, std::move(text));
}

void Processes::refuse(Incarnation incarnation, SpawnStage stage, int os_error, std::string text) {
    runs_.erase(incarnation);
    note(incarnation, NoteRefused{stage, os_error, std::move(text)});
}

void Processes::executed(Incarnation incarnation, std::uint32_t unmet) {
    const auto found = runs_.find(incarnation);
    if (found == runs_.end()) return;
    const auto& run = found->second;
    if (incarnation < kFirstHelper) unenforced_.run_began(*run.spec, unmet);
    if ((unmet >> kUnmetOomScore & 1) != 0 && !run.spec->oom_score_adjust && on_shortfall_) {
        on_shortfall_(*run.spec, "cannot set its oom_score_adj to 0: it runs with procsupd's");
    }
    note(incarnation, NoteExecuted{});
}

void Processes::failed_before_exec(Incarnation incarnation, const ChildFailure& failure) {
    // Told to the engine when the process is collected: until then there is one.
    const auto run = runs_.find(incarnation);
    if (run != runs_.end()) run->second.failure = refusal(*run->second.spec, failure);
}

// ---- to the engine

void Processes::note(Incarnation incarnation, decltype(Note::what) what) {
    notes_.push_back({incarnation, std::move(what)});
}

void Processes::deliver() {
    while (!notes_.empty()) {
        const auto now = loop_.now();
        for (const auto& noted : std::exchange(notes_, {})) hand_over(noted, now);
    }
    sessions_.clear();
    spawner_.settle();
}

void Processes::hand_over(const Note& noted, TimePoint now) {
    const auto incarnation = noted.incarnation;
    if (incarnation >= kFirstHelper) {
        helper_noted(noted);
    } else if (const auto* launch = std::get_if<NoteLaunched>(&noted.what)) {
        supervisor_->spawned(incarnation, launch->pid, now);
    } else if (const auto* refusal = std::get_if<NoteRefused>(&noted.what)) {
        accounts_.close(incarnation);
        forget_readiness(incarnation);
        supervisor_->not_started(incarnation, refusal->stage, refusal->os_error, now, refusal->text);
    } else if (std::holds_alternative<NoteExecuted>(noted.what)) {
        supervisor_->execed(incarnation, now);
    } else if (const auto* exit = std::get_if<NoteExited>(&noted.what)) {
        const auto account = accounts_.of(incarnation);
        if (exit->tree_empty) accounts_.close(incarnation);
        if (exit->tree_empty) forget_readiness(incarnation);
        supervisor_->exited(incarnation, exit->status, exit->tree_empty, now, account);
    } else if (std::holds_alternative<NoteReady>(noted.what)) {
        supervisor_->became_ready(incarnation, now);
    } else if (const auto* hindered = std::get_if<NoteHindered>(&noted.what)) {
        supervisor_->readiness_hindered(incarnation, hindered->how, now, hindered->said);
    } else if (const auto* health = std::get_if<NoteHealth>(&noted.what)) {
        supervisor_->health_reported(incarnation, health->verdict, health->how, health->said, now);
    } else if (const auto* notice = std::get_if<Notice>(&noted.what)) {
        supervisor_->noticed(incarnation, *notice, now);
    } else if (const auto* zombies = std::get_if<NoteZombies>(&noted.what)) {
        supervisor_->zombies_counted(incarnation, zombies->count, zombies->neglected_by, now);
    } else if (const auto* what = std::get_if<NoteListens>(&noted.what)) {
        listens(incarnation, *what, now);
    } else if (const auto* counted = std::get_if<NoteConnections>(&noted.what)) {
        supervisor_->connections_counted(incarnation, counted->count, now);
    } else if (const auto* used = std::get_if<NoteUsage>(&noted.what)) {
        supervisor_->usage_measured(incarnation, used->usage, now);
    } else {
        const auto account = accounts_.of(incarnation);
        accounts_.close(incarnation);
        forget_readiness(incarnation);
        supervisor_->tree_empty(incarnation, now, account);
    }
}

}  // namespace procsup
