// What is measured of the supervisor and its instances, in families as Prometheus has them.
#include "daemon/control/metrics.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "daemon/control/instance_json.h"
#include "daemon/control/instance_usage.h"

namespace procsup {
namespace {

/// Of so many instances one answer has about a MiB.
constexpr std::int64_t kMostInstancesOfAnswer = 500;

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A family that is being written: its samples follow, until it goes out of scope.
class Family {
public:
    Family(json::Writer& writer, std::string_view name, std::string_view type, std::string_view help)
        : Family(writer, name, type, help, {}) {}
    Family(json::Writer& writer, std::string_view name, std::string_view type, std::string_view help,
           const std::vector<std::string_view>& states)
        : writer_(writer) {
        writer_.begin_object().member("name", name).member("type", type).member("help", help);
        if (!states.empty()) {
            writer_.key("states").begin_array();
            for (const auto state : states) writer_.string(state);
            writer_.end_array();
        }
        writer_.key("samples").begin_array();
    }
    ~Family() { writer_.end_array().end_object(); }
    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;

    void sample(Labels labels, double value) {
        begin(labels);
        writer_.key("value").real(value).end_object();
    }
    void sample(Labels labels, std::string_view state) {
        begin(labels);
        writer_.member("state", state).end_object();
    }

private:
    void begin(Labels labels) {
        writer_.begin_object().key("labels").begin_object();
        for (const auto& [name, value] : labels) writer_.member(name, value);
        writer_.end_object();
    }

    json::Writer& writer_;
};

double seconds(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }

double time_of_day(const HostPort& host, TimePoint when) {
    return seconds(std::chrono::microseconds(wall_usec(host, when)));
}

void write_daemon(json::Writer& writer, const ControlContext& context, std::pair<std::size_t, std::size_t> clients) {
    const auto facts = context.host.facts();
    Family(writer, "procsupd_build_info", "gauge", "Which procsupd this is; always 1.")
        .sample({{"version", facts.version}, {"containment", facts.containment}}, 1);
    const auto add = [&](std::string_view name, std::string_view type, std::string_view help, double value) {
        Family(writer, name, type, help).sample({}, value);
    };
    add("procsupd_start_time_seconds", "gauge", "When procsupd was started, in seconds since 1970.",
        time_of_day(context.host, facts.started));
    add("procsupd_config_time_seconds", "gauge", "When the configuration in force was read, in seconds since 1970.",
        time_of_day(context.host, facts.config_since));
    add("procsupd_config_problems", "gauge",
        "Mistakes for which the newest configuration was refused; the one before is in force then.",
        static_cast<double>(facts.config_problems.size()));
    add("procsupd_clients", "gauge", "Connections to the control socket.", static_cast<double>(clients.first));
    add("procsupd_clients_refused_total", "counter", "Connections that were refused because of a limit.",
        static_cast<double>(clients.second));
    add("procsupd_orphans_reaped_total", "counter", "Processes collected whose parent had ended before them.",
        static_cast<double>(facts.orphans.count));
    add("procsupd_log_lines_dropped_total", "counter", "Lines of procsupd's own log that nobody took.",
        static_cast<double>(facts.log_lines_dropped));
    add("procsupd_loop_lag_seconds", "gauge", "The longest time that one turn of procsupd's loop has taken.",
        seconds(facts.longest_callback));
}

struct Seen {
    const Instance& instance;
    const TreeUsage& usage;
    const HostPort& host;
    const Supervisor& supervisor;
};

/// Something of each instance; nothing: it is not known, or does not exist now.
struct Measure {
    std::string_view name, type, help;
    std::optional<double> (*of)(const Seen& seen);
};

bool does_its_work(const Instance& instance) {
    if (instance.state() == State::Paused) return false;
    return instance.ready() || (instance.state() == State::Running && !instance.awaits_readiness());
}

constexpr std::array kMeasures{
    Measure{"procsupd_job_up", "gauge", "1 while it does its work: it is ready, or runs and has no way to say that.",
            [](const Seen& seen) -> std::optional<double> { return does_its_work(seen.instance) ? 1 : 0; }},
    Measure{"procsupd_job_ready", "gauge", "1 while it is ready; a oneshot: has ended well.",
            [](const Seen& seen) -> std::optional<double> { return seen.instance.ready() ? 1 : 0; }},
    Measure{"procsupd_job_healthy", "gauge", "1 while the looks of its [health] find it well, 0 while they do not.",
            [](const Seen& seen) -> std::optional<double> {
                const auto* health = seen.instance.health();
                if (health == nullptr || health->verdict == HealthVerdict::Unknown) return std::nullopt;
                return seen.instance.healthy() ? 1 : 0;
            }},
    Measure{"procsupd_job_starts_total", "counter", "Runs that were begun, or tried to.",
            [](const Seen& seen) -> std::optional<double> {
                return static_cast<double>(seen.instance.runs_ended_with_this());
            }},
    Measure{"procsupd_job_start_time_seconds", "gauge", "When its present run was begun, in seconds since 1970.",
            [](const Seen& seen) -> std::optional<double> {
                if (!is_live(seen.instance.state())) return std::nullopt;
                return time_of_day(seen.host, seen.instance.began());
            }},
    Measure{"procsupd_job_cpu_seconds_total", "counter", "CPU time of all processes of its present run.",
            [](const Seen& seen) -> std::optional<double> {
                if (!seen.usage.cpu) return std::nullopt;
                return seconds(*seen.usage.cpu);
            }},
    Measure{"procsupd_job_memory_bytes", "gauge", "Memory of all processes of its present run.",
            [](const Seen& seen) -> std::optional<double> {
                if (!seen.usage.memory) return std::nullopt;
                return static_cast<double>(*seen.usage.memory);
            }},
    Measure{"procsupd_job_connections", "gauge", "Connections that are served now, each by an instance of its own.",
            [](const Seen& seen) -> std::optional<double> {
                if (!seen.instance.spec().accepts()) return std::nullopt;
                return static_cast<double>(seen.supervisor.connections_of(seen.instance).served);
            }},
    Measure{"procsupd_job_connections_total", "counter", "Connections that were begun to be served.",
            [](const Seen& seen) -> std::optional<double> {
                if (!seen.instance.spec().accepts()) return std::nullopt;
                return static_cast<double>(seen.supervisor.connections_of(seen.instance).begun);
            }},
    Measure{"procsupd_job_tasks", "gauge", "Processes and threads of its present run.",
            [](const Seen& seen) -> std::optional<double> {
                if (!seen.usage.tasks) return std::nullopt;
                return static_cast<double>(*seen.usage.tasks);
            }},
};

void write_states(json::Writer& writer, const std::vector<Seen>& all) {
    std::vector<std::string_view> states;
    for (std::size_t i = 0; i < kStates; ++i) states.push_back(to_text(static_cast<State>(i)));
    Family family(writer, "procsupd_job_state", "stateset", "1 for the state it is in.", states);
    for (const auto& [instance, usage, host, supervisor] : all) {
        const auto& name = instance.name();
        family.sample({{"name", name.instance}, {"job_name", name.job}}, to_text(instance.state()));
    }
}

void write_exits(json::Writer& writer, const std::vector<Seen>& all) {
    Family family(writer, "procsupd_job_exits_total", "counter",
                  "Runs that have ended, by how; those that came to no program as start-failed.");
    for (const auto& [instance, usage, host, supervisor] : all) {
        const auto& name = instance.name();
        for (std::size_t i = 0; i < kRunResults; ++i) {
            family.sample(
                {{"name", name.instance}, {"job_name", name.job}, {"reason", to_text(static_cast<RunResult>(i))}},
                static_cast<double>(instance.results()[i]));
        }
    }
}

void write_instances(json::Writer& writer, const std::vector<Seen>& all) {
    write_states(writer, all);
    for (const auto& measure : kMeasures) {
        Family family(writer, measure.name, measure.type, measure.help);
        for (const auto& seen : all) {
            const auto& name = seen.instance.name();
            if (const auto value = measure.of(seen))
                family.sample({{"name", name.instance}, {"job_name", name.job}}, *value);
        }
    }
    write_exits(writer, all);
}

/// Those from number `from` on that the answer has room for.
std::vector<const Instance*> some_of(const std::vector<const Instance*>& all, std::int64_t from) {
    const auto size = static_cast<std::int64_t>(all.size());
    const auto first = std::min(from, size);
    return {all.begin() + first, all.begin() + std::min(first + kMostInstancesOfAnswer, size)};
}

}  // namespace

void metrics(const ControlContext& context, std::pair<std::size_t, std::size_t> clients, varlink::PendingCall call) {
    const auto from = call.parameters().int_or("from", 0);
    if (from < 0) return call.fail_invalid_parameter("from");
    auto all = selected_or_all(context, call);
    if (!all) return;
    // They come and go with the connections, of which the job knows how many there are.
    std::erase_if(*all, [](const Instance* instance) { return instance->spec().serves_connection(); });
    const bool more = from + kMostInstancesOfAnswer < static_cast<std::int64_t>(all->size());
    std::vector<InstanceId> ids;
    const auto some = some_of(*all, from);
    for (const auto* instance : some) ids.push_back(instance->id());
    const auto answer = [&context, clients, from, more, ids, call](const auto& measured, const Result<void>&) mutable {
        Usages usages;
        for (const auto& one : measured) usages.emplace(one.id, one.usage);
        std::vector<Seen> seen;
        for (const auto id : ids) {
            // Some may be gone by now.
            if (const auto* instance = context.supervisor.find(id))
                seen.push_back({*instance, usages[id], context.host, context.supervisor});
        }
        json::Writer writer;
        writer.begin_object().key("families").begin_array();
        if (from == 0) write_daemon(writer, context, clients);
        write_instances(writer, seen);
        writer.end_array();
        if (more) writer.member_int("next", from + kMostInstancesOfAnswer);
        call.reply(writer.end_object().text());
    };
    // A pass over all processes is not for who may only read.
    const bool may = context.access.allows(call.peer(), Tier::Operate);
    constexpr Duration kPatience = std::chrono::seconds(1);
    context.host.measure(some, may ? kPatience : Duration::zero(), answer);
}

}  // namespace procsup
