#include "daemon/daemon.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>

#include "conf/job_text.h"
#include "daemon/control/refusal.h"
#include "daemon/host/abilities.h"
#include "daemon/host/process_end.h"
#include "daemon/host/process_table.h"

namespace procsup {
namespace {

/// How often it is looked whether what an earlier daemon has left has ended.
constexpr auto kLeftoversPause = std::chrono::milliseconds(2);
/// What was killed and is still there so much later cannot be ended by anyone.
constexpr auto kLongestLeft = std::chrono::seconds(5);

std::vector<std::string> to_texts(const std::vector<Problem>& problems) {
    std::vector<std::string> texts;
    for (const auto& problem : problems) texts.push_back(to_text(problem));
    return texts;
}

}  // namespace

Daemon::Daemon(Options options) : options_(std::move(options)) {}

Daemon::~Daemon() {
    // Watches before the loop, and nothing may be called back while parts are missing.
    if (loop_) loop_->set_after_callback(nullptr);
    signals_.clear();
    leftovers_timer_.reset();
    shutdown_.reset();
    report_.reset();
    guard_.reset();
    control_.reset();
    tree_lister_.reset();
    loader_.reset();
    timers_.reset();
    stops_.reset();
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
    inherited_socket_ = inherited_socket();
    auto loop = SdEventLoop::create();
    if (!loop) return loop.error();
    loop_ = std::move(*loop);
    started_ = loop_->now();
    // Orphans of jobs come to procsupd instead of to init (prctl(2)).
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return os_failure("become the reaper of orphans", errno);

    processes_ = std::make_unique<Processes>(*loop_);
    processes_->set_abilities(gather_abilities());
    realtime_ = processes_->claim_realtime();
    if (auto reserved = processes_->reserve_fds(); !reserved) return reserved.error();
    timers_ = std::make_unique<TimerQueue>(*loop_, [this](InstanceId id, TimerKind kind, std::uint32_t generation) {
        supervisor_->timer_fired(id, kind, generation, loop_->now());
    });
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
    loggers_->add_user(*store_);
    processes_->set_log_capture(*log_capture_);
    options_.places.log_fault = logger_fault();
    options_.places.shows_lines = options_.batch || getpid() == 1;
    loader_ = std::make_unique<Loader>(*loop_, *processes_, options_.config, options_.places);
    stops_ = std::make_unique<RememberedStops>(*store_);
    shutdown_ = std::make_unique<Shutdown>(Shutdown::Parts{*loop_, *supervisor_, *processes_, log_, *store_, *loggers_},
                                           [this](int code) { end(code); });
    report_ = std::make_unique<ServiceReport>(*loop_, service_, [this] { return status_text(); });
    tree_lister_ = std::make_unique<TreeLister>(*loop_, *processes_);
    processes_->set_zombie_counter([this](InstanceId id, Incarnation incarnation) { count_zombies(id, incarnation); });
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
        if (control_) reload([](const ReloadOutcome&) {});
    }));
}

// ---- configuration

void Daemon::first_load(LoadResult result) {
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        const auto texts = to_texts(*problems);
        for (const auto& text : texts) log_.error(text);
        const auto summary = fmt::format("cannot start: {} {} in {}", texts.size(),
                                         texts.size() == 1 ? "problem" : "problems", options_.config);
        log_.error(summary);
        service_.status(summary);
        if (inherited_socket_) refuse_clients(inherited_socket_, texts);
        end(kExitBadConfig);
        return;
    }
    auto& configuration = std::get<Configuration>(result);
    if (auto open = open_for_business(configuration.daemon); !open) {
        log_.error(open.error().message);
        end(EXIT_FAILURE);
        return;
    }
    for (const auto& job : configuration.jobs) {
        if (job.manually_stopped) stops_->add(job.name);
    }
    log_.info(fmt::format(
        "procsupd {} runs {} jobs of {}; {}", PROCSUP_VERSION, configuration.jobs.size(), options_.config,
        runtime_dir_->is_nowhere() ? "no control socket" : "control socket " + runtime_dir_->socket_path()));
    waiting_jobs_ = std::move(configuration.jobs);
    start_jobs_alone();
}

/// Never two copies of an instance: what a daemon before this one has left is ended first. Its guard or keepers are busy
/// with that and hold the lock; where they were killed too, this one does it.
void Daemon::start_jobs_alone() {
    const auto now = loop_->now();
    if (!processes_->containment()->clear_leftovers() || !runtime_dir_->lock_jobs()) {
        if (!leftovers_seen_) log_.warn("ending what an earlier procsupd has left");
        if (!leftovers_seen_) leftovers_seen_ = now;
        if (now - *leftovers_seen_ < kLongestLeft) {
            leftovers_timer_ = loop_->call_at(now + kLeftoversPause, [this] { start_jobs_alone(); });
            return;
        }
        log_.error("starting although something of an earlier procsupd is left that cannot be killed");
    }
    leftovers_timer_.reset();
    processes_->set_keeper_lock(runtime_dir_->jobs_lock());
    if (auto group = processes_->containment()->guarded()) {
        guard_ = std::make_unique<Guard>(
            *loop_, *processes_, std::move(group), runtime_dir_->jobs_lock(), [this](const std::string& how) {
                log_.error("procsup-guard: " + how + "; until it runs, jobs outlive a procsupd that is killed");
            });
    }
    processes_->enable_controllers_for(*waiting_jobs_);
    supervisor_->configure(std::move(*waiting_jobs_), now);
    waiting_jobs_.reset();
    service_.ready(status_text());
}

Result<void> Daemon::open_for_business(const DaemonSpec& spec) {
    spec_ = spec;
    log_capture_->set_dir(spec_.log_dir);
    log_capture_->set_mirror(options_.places.shows_lines);
    tell_log_fault(std::exchange(spec_.log_fault, {}));
    store_->set_dir(spec_.state_dir);
    // These stay as they are as long as it runs.
    loader_->set_places({spec_.state_dir, spec_.log_dir, {}, {}, logger_fault(), options_.places.shows_lines});
    log_.set_level(spec.log_level);
    if (auto claimed = claim_runtime_dir(); !claimed) return claimed.error();
    const ContainmentPlace place{runtime_dir_->path(), options_.delegated};
    if (auto held = processes_->contain(options_.containment.value_or(spec.containment), place); !held) {
        return held.error();
    }
    if (spec.on_crash && processes_->containment()->mode() == ContainmentMode::Group) {
        return Error{"cannot promise on_crash = \"stop\": jobs can only be held by process groups here (" +
                     processes_->containment_reason() + ")"};
    }
    processes_->set_socket_path(runtime_dir_->socket_path());
    processes_->set_runtime_dir(runtime_dir_->path(), {runtime_dir_->path(), spec_.state_dir, spec_.log_dir});
    Fd socket = std::move(inherited_socket_);
    if (!socket && !runtime_dir_->is_nowhere()) {
        auto bound = runtime_dir_->bind_socket();
        if (!bound) return bound.error();
        socket = std::move(*bound);
    }
    control_ = std::make_unique<Control>(*loop_, *supervisor_, *this, spec_);
    if (socket) control_->listen(std::move(socket));
    return {};
}

Result<void> Daemon::claim_runtime_dir() {
    auto places = options_.default_runtime_dirs;
    if (!spec_.runtime_dir.empty()) places = {spec_.runtime_dir};
    if (!options_.runtime_dir.empty()) places = {options_.runtime_dir};
    auto claimed = RuntimeDir::claim_first(places);
    if (claimed) {
        runtime_dir_.emplace(std::move(*claimed));
        return {};
    }
    // In a container that may write nothing, jobs run all the same. Anywhere else somebody has to be told.
    if (getpid() != 1 || claimed.error().os_error == EWOULDBLOCK) return claimed.error();
    auto nowhere = RuntimeDir::nowhere();
    if (!nowhere) return nowhere.error();
    log_.warn("nobody can ask this procsupd anything: " + claimed.error().message +
              "; mount a tmpfs on /run, or name a --runtime-dir");
    runtime_dir_.emplace(std::move(*nowhere));
    return {};
}

void Daemon::reload(ReloadDone done) {
    log_.info("reloading " + options_.config);
    service_.reloading();
    loader_->load([this, done = std::move(done)](LoadResult result) { reloaded(std::move(result), done); });
}

void Daemon::tell_log_fault(std::string fault) {
    if (fault == spec_.log_fault) return;
    spec_.log_fault = std::move(fault);
    log_capture_->set_fault(spec_.log_fault);
    if (spec_.log_fault.empty()) {
        log_.info("what jobs write is kept in " + spec_.log_dir + " again, from their next start on");
    } else {
        const bool forwards = options_.places.shows_lines && logger_fault().empty();
        log_.warn("what jobs write is not kept in " + spec_.log_dir + ": " + spec_.log_fault +
                  "; where [log] says nothing it goes to procsupd's own output" +
                  (forwards ? ", with the instance in front of each line" : ""));
    }
}

void Daemon::reloaded(LoadResult result, const ReloadDone& done) {
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        config_problems_ = to_texts(*problems);
        for (const auto& text : config_problems_) log_.error(text);
        log_.error("the configuration was not changed");
        service_.ready(status_text());
        done(config_problems_);
        return;
    }
    config_problems_.clear();
    tell_log_fault(std::get<Configuration>(result).daemon.log_fault);
    if (waiting_jobs_) {
        waiting_jobs_ = std::move(std::get<Configuration>(result).jobs);
        service_.ready(status_text());
        return done(ConfigurationChange{});
    }
    auto& jobs = std::get<Configuration>(result).jobs;
    processes_->enable_controllers_for(jobs);
    const auto change = supervisor_->configure(std::move(jobs), loop_->now());
    control_->on_configured();
    log_.info(fmt::format("reloaded: {} added, {} changed, {} removed", change.added.size(), change.changed.size(),
                          change.removed.size()));
    service_.ready(status_text());
    done(change);
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
    timers_->settle();
    report_->settle();
    log_.flush();
    if (shutdown_->begun() && supervisor_->idle()) shutdown_->end_when_nothing_is_left(guard_.get());
}

void Daemon::announce(const Transition& transition) {
    const auto text =
        fmt::format("{}: {} -> {}{}: {}", transition.instance, to_text(transition.from), to_text(transition.to),
                    transition.pid > 0 ? fmt::format(" (pid {})", transition.pid) : std::string(), transition.cause);
    const std::initializer_list<OwnLog::Field> fields = {{"PROCSUPD_JOB", transition.job},
                                                         {"PROCSUPD_INSTANCE", transition.instance},
                                                         {"PROCSUPD_STATE", to_text(transition.to)}};
    if (transition.to == State::Failed) {
        log_.warn(text, fields);
    } else {
        log_.info(text, fields);
    }
    const auto* instance = supervisor_->find(transition.id);
    const bool by_itself = transition.run != nullptr && transition.from != State::Stopping;
    const bool has_failed =
        by_itself && instance != nullptr &&
        !is_success(instance->spec().restart, {transition.run->status, false, {}, transition.run->out_of_memory});
    if (transition.run != nullptr) log_capture_->run_ended(transition.id);
    if (!is_live(transition.to)) processes_->provisions().run_over(transition.id, is_settled(transition.to));
    if (has_failed) log_capture_->keep_last_lines(transition.id);
    if (instance != nullptr && !shutdown_->asked()) {
        stops_->note(*instance, transition);
        if (options_.batch && transition.to == State::Failed) note_failure(*instance);
    }
    if (control_) control_->on_transition(transition);
    report_->changed();
}

void Daemon::count_zombies(InstanceId id, Incarnation incarnation) {
    tree_lister_->list({supervisor_->find(id)}, false, [this, incarnation](const Result<std::string>& listed) {
        // What could not be counted this time is counted the next.
        const auto zombies = listed ? zombies_in(*listed) : ZombieCount{};
        processes_->zombies_counted(incarnation, zombies.count, zombies.neglected_by);
    });
}

/// The first failure in a batch is the daemon's own; daemons only serve the others.
void Daemon::note_failure(const Instance& instance) {
    if (instance.spec().daemon_of.empty()) shutdown_->set_exit_code(std::max(instance.exit_code(), 1));
}

std::string Daemon::status_text() const {
    const auto& count = supervisor_->count_by_state();
    const auto of = [&](State state) { return count[static_cast<std::size_t>(state)]; };
    std::string text = fmt::format("{} running", of(State::Running));
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

// ---- for clients

CapturedOutput Daemon::captured_output(InstanceId id) const { return log_capture_->output_of(id); }

const Abilities& Daemon::abilities() const { return processes_->unenforced().abilities(); }

std::vector<Shortfall> Daemon::not_enforced(const JobSpec& spec) const { return processes_->unenforced().of(spec); }

DaemonFacts Daemon::facts() const {
    DaemonFacts facts;
    facts.version = PROCSUP_VERSION;
    facts.pid = getpid();
    facts.runtime_dir = runtime_dir_ ? runtime_dir_->path() : std::string();
    facts.config = options_.config;
    facts.started = started_;
    facts.realtime = realtime_;
    if (const auto* containment = processes_->containment()) {
        facts.containment = word_of(containment->mode());
        facts.containment_reason = processes_->containment_reason();
        facts.no_new_privileges = containment->mode() == ContainmentMode::Keeper && geteuid() != 0;
    }
    facts.config_problems = config_problems_;
    facts.orphans = processes_->accounts().all();
    facts.orphans_unattributed = processes_->accounts().unattributed();
    facts.log_lines_dropped = log_.dropped();
    facts.longest_callback = loop_->longest_callback();
    return facts;
}

std::optional<ProcessOwner> Daemon::who_is(pid_t pid) const {
    const auto owner = processes_->who_is(pid);
    if (!owner) return std::nullopt;
    return ProcessOwner{owner->id, owner->main};
}

TreeUsage Daemon::usage(const Instance& instance) const { return processes_->usage_of(instance.incarnation()); }

void Daemon::measure(const std::vector<const Instance*>& instances,
                     std::function<void(Result<std::vector<InstanceUsage>>)> measured) {
    tree_lister_->measure(instances, std::move(measured));
}

void Daemon::list_processes(std::vector<const Instance*> instances, bool all,
                            std::function<void(Result<std::string>)> listed) {
    tree_lister_->list(std::move(instances), all, std::move(listed));
}

Result<std::unique_ptr<Watch>> Daemon::watch_process(pid_t pid, std::optional<uid_t> uid, std::function<void()> ended) {
    return procsup::watch_process(*loop_, pid, uid, std::move(ended));
}

void Daemon::attach_streams(const std::string& job, std::array<Fd, 3> fds) {
    processes_->attach_streams(job, std::move(fds));
}

void Daemon::discard_streams(const std::string& job) { processes_->forget_streams(job); }

Result<LogReading> Daemon::open_logs(const std::vector<const Instance*>& instances, bool follow, std::size_t writer) {
    return log_capture_->open_reading(instances, follow, writer);
}

Result<void> Daemon::rotate_logs(const std::vector<const Instance*>& instances) {
    return log_capture_->rotate(instances);
}

WallTime Daemon::wall_time(TimePoint when) const {
    const auto wall = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    return wall - (loop_->now() - when);
}

}  // namespace procsup
