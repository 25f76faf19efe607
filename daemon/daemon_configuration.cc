// The configuration: read at the start and again, and what comes with the first.
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "conf/job_text.h"
#include "daemon/control/refusal.h"
#include "daemon/daemon.h"

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

/// What has not changed stays in use as it is, although it may be written at other lines now.
void renew_key_places(const Supervisor& supervisor, const std::vector<JobSpec>& jobs) {
    const auto& known = supervisor.jobs();
    for (const auto& job : jobs) {
        const auto before = known.find(job.name);
        if (before == known.end() || before->second.spec->key_places.text == job.key_places.text) continue;
        if (*before->second.spec == job) before->second.spec->key_places = job.key_places;
    }
}

}  // namespace

void Daemon::first_load(LoadResult result) {
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        const auto texts = to_texts(*problems);
        for (const auto& text : texts) log_.error(text);
        const auto summary = fmt::format("cannot start: {} {} in {}", texts.size(),
                                         texts.size() == 1 ? "problem" : "problems", options_.config.text());
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
        runs_->add(job.name, job.remembered);
    }
    log_.info(fmt::format(
        "procsupd {} runs {} jobs of {}; {}", PROCSUP_VERSION, configuration.jobs.size(), options_.config.text(),
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
    auto jobs = supervisor_->shared(std::move(*waiting_jobs_));
    waiting_jobs_.reset();
    processes_->enable_controllers_for(jobs);
    supervisor_->configure(jobs, now, Restarts::Now);
    configurations_.applied(std::move(jobs), now, true);
    service_.ready(status_text());
}

Result<void> Daemon::open_for_business(const DaemonSpec& spec) {
    spec_ = spec;
    log_capture_->set_dir(spec_.log_dir);
    log_capture_->set_mirror(options_.places.shows_lines);
    tell_log_fault(std::exchange(spec_.log_fault, {}));
    store_->set_dir(spec_.state_dir);
    records_->set_dir(spec_.state_dir + "/history");
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
    if (!runtime_dir_->is_nowhere()) {
        if (auto linked = runtime_dir_->link_config(options_.config.paths.front()); !linked) return linked.error();
    }
    Fd socket = std::move(inherited_socket_);
    if (!socket && !runtime_dir_->is_nowhere()) {
        auto bound = runtime_dir_->bind_socket();
        if (!bound) return bound.error();
        socket = std::move(*bound);
    }
    control_ = std::make_unique<Control>(*loop_, *supervisor_, *this, spec_);
    if (socket) control_->listen(std::move(socket));
    return serve_coordination();
}

Result<void> Daemon::serve_coordination() {
    if (runtime_dir_->is_nowhere() || !BrokerProcess::is_installed()) return {};
    auto socket = runtime_dir_->bind_broker_socket();
    if (!socket) return socket.error();
    broker_ = std::make_unique<BrokerProcess>(*loop_, *processes_, spec_.state_dir,
                                              [this](const std::string& what) { log_.warn(what); });
    broker_->serve(std::move(*socket));
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

void Daemon::change_configuration(const ChangeOrder& order, ChangeDone done) {
    if (order.to == ChangeOrder::To::Before) {
        loader_->when_idle([this, order, done = std::move(done)] { go_back(order, done); });
        return;
    }
    if (!order.only_plan) {
        log_.info("applying " + options_.config.text());
        service_.reloading();
    }
    loader_->load(
        [this, order, done = std::move(done)](LoadResult result) { loaded_again(std::move(result), order, done); });
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

void Daemon::loaded_again(LoadResult result, const ChangeOrder& order, const ChangeDone& done) {
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        auto texts = to_texts(*problems);
        if (order.only_plan) return done(std::move(texts));
        config_problems_ = std::move(texts);
        for (const auto& text : config_problems_) log_.error(text);
        log_.error("the configuration was not changed");
        service_.ready(status_text());
        done(config_problems_);
        return;
    }
    auto& configuration = std::get<Configuration>(result);
    if (order.only_plan) {
        // Before anything was started there is nothing to compare with.
        if (waiting_jobs_) return done(ConfigurationChange{});
        return done(supervisor_->plan(supervisor_->shared(std::move(configuration.jobs)), order.restarts));
    }
    config_problems_.clear();
    tell_log_fault(configuration.daemon.log_fault);
    spec_.masked = std::move(configuration.daemon.masked);
    if (waiting_jobs_) {
        waiting_jobs_ = std::move(configuration.jobs);
        service_.ready(status_text());
        return done(ConfigurationChange{});
    }
    renew_key_places(*supervisor_, configuration.jobs);
    auto jobs = supervisor_->shared(std::move(configuration.jobs));
    const auto change = take_over(jobs, order.restarts);
    configurations_.applied(std::move(jobs), loop_->now(), !change.empty());
    log_.info(fmt::format("applied: {} added, {} changed, {} removed", change.added().size(), change.changed().size(),
                          change.removed().size()));
    service_.ready(status_text());
    done(change);
}

ConfigurationChange Daemon::take_over(const Configured& jobs, Restarts restarts) {
    processes_->enable_controllers_for(jobs);
    auto change = supervisor_->configure(jobs, loop_->now(), restarts);
    records_->names_changed();
    control_->on_configured();
    return change;
}

void Daemon::go_back(const ChangeOrder& order, const ChangeDone& done) {
    const auto* before = configurations_.before();
    if (before == nullptr) return done(NothingBefore{});
    if (order.only_plan) return done(supervisor_->plan(before->jobs, order.restarts));
    log_.info("going back to the configuration before");
    const auto change = take_over(before->jobs, order.restarts);
    configurations_.went_back();
    log_.info(fmt::format("went back: {} added, {} changed, {} removed; the files stay as they are",
                          change.added().size(), change.changed().size(), change.removed().size()));
    done(change);
}

}  // namespace procsup
