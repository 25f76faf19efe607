#include "daemon/daemon.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>

#include "daemon/host/abilities.h"
#include "daemon/host/process_table.h"

namespace procsup {

Daemon::Daemon(Options options) : options_(std::move(options)) {}

Daemon::~Daemon() {
    // Watches before the loop, and nothing may be called back while parts are missing.
    if (loop_) loop_->set_after_callback(nullptr);
    signals_.clear();
    leftovers_timer_.reset();
    shutdown_.reset();
    report_.reset();
    guard_.reset();
    broker_.reset();
    control_.reset();
    tree_lister_.reset();
    loader_.reset();
    timers_.reset();
    history_.reset();
    clock_watch_.reset();
    runs_.reset();
    stops_.reset();
    records_.reset();
    store_.reset();
    log_capture_.reset();
    loggers_.reset();
    processes_.reset();
    supervisor_.reset();
}

int Daemon::run() {
    if (auto ready = set_up(); !ready) {
        log_.error(ready.error().message);
        return EXIT_FAILURE;
    }
    loader_->load([this](LoadResult result) { first_load(std::move(result)); });
    const auto code = loop_->run();
    if (!code) {
        log_.error(code.error().message);
        return EXIT_FAILURE;
    }
    return *code;
}

Result<void> Daemon::set_up() {
    auto inherited = inherited_sockets();
    inherited_socket_ = std::move(inherited.control);
    auto loop = SdEventLoop::create();
    if (!loop) return loop.error();
    loop_ = std::move(*loop);
    started_ = loop_->now();
    // Orphans of jobs come to procsupd instead of to init (prctl(2)).
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return os_failure("become the reaper of orphans", errno);

    disposer_ = std::make_unique<Disposer>(*loop_);
    processes_ = std::make_unique<Processes>(*loop_);
    processes_->set_abilities(gather_abilities());
    realtime_ = processes_->claim_realtime();
    if (auto reserved = processes_->reserve_fds(); !reserved) return reserved.error();
    timers_ = std::make_unique<TimerQueue>(*loop_, [this](InstanceId id, TimerKind kind, std::uint32_t generation) {
        supervisor_->timer_fired(id, kind, generation, loop_->now());
    });
    processes_->provisions().sockets().set_inherited(std::move(inherited.others));
    processes_->provisions().set_on_failure([this](const std::string& what) { log_.warn(what); });
    supervisor_ = std::make_unique<Supervisor>(*processes_, *timers_, *this, std::random_device()());
    processes_->set_on_shortfall([this](const JobSpec& spec, const std::string& what) {
        log_.warn(spec.name + ": " + what, {{"PROCSUPD_JOB", spec.name}});
    });
    const auto tell_error = [this](const std::string& what) { log_.error(what); };
    loggers_ = std::make_unique<Loggers>(*loop_, *processes_, tell_error);
    log_capture_ = std::make_unique<LogCapture>(*loggers_, [this](const auto& job, const auto& what) {
        log_.warn(what, {{"PROCSUPD_JOB", job}});
    });
    store_ = std::make_unique<StateStore>(*loop_, *loggers_, tell_error);
    loggers_->add_user(*log_capture_);
    records_ = std::make_unique<RecordStore>(
        *loop_, *loggers_, [this](const std::string& what) { log_.warn(what); },
        [this] { return jobs_with_history(*supervisor_); });
    loggers_->add_user(*store_);
    loggers_->add_user(*records_);
    processes_->set_log_capture(*log_capture_);
    options_.places.log_fault = logger_fault();
    options_.places.shows_lines = options_.batch || getpid() == 1;
    loader_ = std::make_unique<Loader>(*loop_, *processes_, options_.config, options_.places);
    stops_ = std::make_unique<RememberedStops>(*store_);
    runs_ = std::make_unique<RememberedRuns>(*store_);
    supervisor_->clocks_set(read_clocks(), loop_->now());
    auto clock_watch = ClockWatch::create(*loop_, [this] { supervisor_->clocks_set(read_clocks(), loop_->now()); });
    if (!clock_watch) return clock_watch.error();
    clock_watch_ = std::move(*clock_watch);
    history_ = std::make_unique<RunHistory>(*records_, *supervisor_, *this);
    shutdown_ = std::make_unique<Shutdown>(
        Shutdown::Parts{*loop_, *supervisor_, *processes_, log_, *store_, *records_, *loggers_},
        [this](int code) { end(code); });
    report_ = std::make_unique<ServiceReport>(*loop_, service_, [this] { return status_text(); });
    tree_lister_ = std::make_unique<TreeLister>(*loop_, *processes_);
    processes_->set_zombie_counter([this](InstanceId id, Incarnation incarnation) { count_zombies(id, incarnation); });
    processes_->set_measurer([this](InstanceId id, Incarnation incarnation) { measure_one(id, incarnation); });
    loop_->set_on_failure([this](std::string_view what) { log_.error("internal error: " + std::string(what)); });
    loop_->set_after_callback([this] { after_callback(); });
    watch_signals();
    return processes_->start(*supervisor_);
}

void Daemon::watch_signals() {
    const auto ask_end = [this](const char* name) {
        return [this, name] {
            if (shutdown_->asked()) {
                log_.warn(std::string(name) + " again: killing what remains");
                supervisor_->kill_all();
            }
            shut_down(name);
        };
    };
    signals_.push_back(loop_->watch_signal(SIGTERM, Priority::Client, ask_end("SIGTERM")));
    signals_.push_back(loop_->watch_signal(SIGINT, Priority::Client, ask_end("SIGINT")));
    signals_.push_back(loop_->watch_signal(SIGHUP, Priority::Client, [this] {
        if (control_) change_configuration({}, [](const ChangeOutcome&) {});
    }));
}

// ---- each turn

void Daemon::after_callback() {
    if (ending_) {
        log_.flush();
        return;
    }
    processes_->deliver();
    if (options_.batch && control_ && !waiting_jobs_ && supervisor_->all_but_daemons_settled())
        shut_down("the batch is done");
    if (shutdown_->asked() && !shutdown_->begun()) begin_shutdown();
    if (control_) control_->settle();
    processes_->deliver();
    supervisor_->forget_ended();
    records_->settle();
    timers_->settle();
    report_->settle();
    log_.flush();
    if (shutdown_->begun() && supervisor_->idle()) shutdown_->end_when_nothing_is_left(guard_.get(), broker_.get());
}

void Daemon::announce(const Transition& transition) {
    const auto text =
        fmt::format("{}: {} -> {}{}: {}", transition.instance, to_text(transition.from), to_text(transition.to),
                    transition.pid > 0 ? fmt::format(" (pid {})", transition.pid) : std::string(), transition.cause);
    const std::initializer_list<OwnLog::Field> fields = {{"PROCSUPD_JOB", transition.job},
                                                         {"PROCSUPD_INSTANCE", transition.instance},
                                                         {"PROCSUPD_STATE", to_text(transition.to)}};
    const auto* instance = supervisor_->find(transition.id);
    const bool serves = instance != nullptr && instance->spec().serves_connection();
    if (serves && !(transition.to == State::Failed && tells_failure_of(transition.job))) {
        // Clients decide how many a second there are.
        log_.debug(text, fields);
    } else if (transition.to == State::Failed || transition.cause.starts_with("reload_command failed: ")) {
        log_.warn(text, fields);
    } else {
        log_.info(text, fields);
    }
    if (transition.run != nullptr) log_capture_->run_ended(transition.id);
    if (transition.from == State::Listening) processes_->left_listening(transition.id);
    if (!is_live(transition.to)) processes_->provisions().run_over(transition.id, is_settled(transition.to));
    if (serves && is_settled(transition.to)) processes_->connection_over(transition.id);
    if (transition.past != nullptr && transition.past->failed) log_capture_->keep_last_lines(transition.id);
    if (instance != nullptr && !shutdown_->asked()) {
        stops_->note(*instance, transition);
        if (options_.batch && transition.to == State::Failed) note_failure(*instance);
    }
    if (transition.past != nullptr) {
        const auto& past = *transition.past;
        runs_->ended(std::string(transition.job), past, wall_time(past.began), wall_time(past.ended));
    }
    history_->note(transition);
    if (control_) control_->on_transition(transition);
    report_->changed();
}

void Daemon::says(InstanceId id) {
    if (control_) control_->on_words(id);
}

void Daemon::roll(const RollNews& news) {
    const OwnLog::Field job{"PROCSUPD_JOB", news.job};
    switch (news.kind) {
        case RollNews::Kind::Up: log_.info(fmt::format("{}: rolling restart: up again", news.instance), {job}); break;
        case RollNews::Kind::Done: log_.info(fmt::format("{}: rolling restart: done", news.job), {job}); break;
        case RollNews::Kind::Failed:
            log_.warn(fmt::format("{}: rolling restart ended: {}{}{}", news.job, news.instance,
                                  news.instance.empty() ? "" : ": ", news.text),
                      {job});
            break;
    }
    if (control_) control_->on_roll(news);
}

void Daemon::scheduled(const ScheduleNews& news) {
    if (!shutdown_->asked()) runs_->note(news);
    if (news.kind == ScheduleNews::Kind::LeftOut || news.kind == ScheduleNews::Kind::Queued)
        log_.info(fmt::format("{}: {}", news.job, news.text), {{"PROCSUPD_JOB", news.job}});
}

void Daemon::count_zombies(InstanceId id, Incarnation incarnation) {
    tree_lister_->list({supervisor_->find(id)}, false, [this, incarnation](const Result<std::string>& listed) {
        // What could not be counted this time is counted the next.
        const auto zombies = listed ? zombies_in(*listed) : ZombieCount{};
        processes_->zombies_counted(incarnation, zombies.count, zombies.neglected_by);
    });
}

void Daemon::measure_one(InstanceId id, Incarnation incarnation) {
    // Where there are no cgroups a helper looks at its processes.
    constexpr auto kPatience = std::chrono::seconds(2);
    tree_lister_->measure({supervisor_->find(id)}, kPatience,
                          [this, incarnation](const std::vector<InstanceUsage>& uses, const Result<void>&) {
                              auto usage = uses.empty() ? TreeUsage() : uses.front().usage;
                              if (usage.memory) {
                                  // Who reads large files needs no more memory than before.
                                  *usage.memory -=
                                      std::min(*usage.memory, processes_->droppable_memory_of(incarnation));
                              }
                              processes_->usage_measured(incarnation, usage);
                          });
}

/// Of what serves connections one a minute is for the log.
bool Daemon::tells_failure_of(std::string_view job) {
    constexpr auto kPause = std::chrono::minutes(1);
    const auto now = loop_->now();
    const auto [told, first] = failures_told_.try_emplace(std::string(job), now);
    if (!first && now - told->second < kPause) return false;
    told->second = now;
    return true;
}

/// The first failure in a batch is the daemon's own; daemons only serve the others.
void Daemon::note_failure(const Instance& instance) {
    if (instance.spec().daemon_of.empty()) shutdown_->set_exit_code(std::max(instance.exit_code(), 1));
}

std::string Daemon::status_text() const {
    const auto& count = supervisor_->count_by_state();
    const auto of = [&](State state) { return count[static_cast<std::size_t>(state)]; };
    std::string text = fmt::format("{} running", of(State::Running) + of(State::Reloading));
    for (const State state : {State::Starting, State::Stopping, State::Backoff, State::Failed}) {
        if (of(state) > 0) text += fmt::format(", {} {}", of(state), to_text(state));
    }
    if (!config_problems_.empty()) text += "; the new configuration has problems, the old one is in force";
    return text;
}

// ---- the end

void Daemon::end_daemon(int code, std::string_view cause) {
    shutdown_->ask(code, "essential job has ended: " + std::string(cause));
}

void Daemon::shut_down(std::string cause) { shutdown_->ask(std::move(cause)); }

void Daemon::begin_shutdown() {
    report_->stopping("shutting down: " + shutdown_->cause());
    shutdown_->begin(spec_.shutdown_timeout);
}

void Daemon::end(int code) {
    ending_ = true;
    processes_->end_helpers();
    if (control_) control_->flush();
    log_.info(fmt::format("ended with code {}", code));
    log_.flush();
    loop_->end(code);
}

}  // namespace procsup
