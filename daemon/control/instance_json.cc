#include "daemon/control/instance_json.h"

#include "common/signal_name.h"

namespace procsup {
namespace {

void write_pid(json::Writer& writer, pid_t pid) {
    if (pid > 0) {
        writer.member_int("pid", pid);
    } else {
        writer.member_null("pid");
    }
}

}  // namespace

std::int64_t wall_usec(const HostPort& host, TimePoint when) { return host.wall_time(when).time_since_epoch().count(); }

std::optional<ExitStatus> exit_of_last_run(const Instance& instance) {
    // A run that never executed its program leaves the exit of the one before.
    if (instance.start_failure().stage != SpawnStage::None) return std::nullopt;
    return instance.last_exit();
}

void write_exit(json::Writer& writer, const std::optional<ExitStatus>& status) {
    if (status && !status->by_signal()) {
        writer.member_int("exitCode", status->value).member_null("exitSignal");
    } else if (status) {
        writer.member_null("exitCode").member("exitSignal", signal_name(status->value));
    } else {
        writer.member_null("exitCode").member_null("exitSignal");
    }
}

void write_instance(json::Writer& writer, const Instance& instance, const HostPort& host) {
    const auto& spec = instance.spec();
    writer.begin_object();
    writer.member("name", instance.name().instance).member("job", instance.name().job);
    writer.member("state", to_text(instance.state())).member_bool("ready", instance.ready());
    write_pid(writer, instance.pid());
    writer.member_int("restarts", instance.restarts());
    writer.member_int("sinceUSec", wall_usec(host, instance.since()));
    write_exit(writer, exit_of_last_run(instance));
    writer.member("cause", instance.cause());
    if (instance.state() == State::Backoff) {
        writer.member_int("nextStartUSec", wall_usec(host, instance.next_start()));
    } else {
        writer.member_null("nextStartUSec");
    }
    if (!spec.description.empty()) writer.member("description", spec.description);
    if (spec.owner) writer.member("owner", std::to_string(*spec.owner));
    writer.key("tags").begin_array();
    for (const auto& tag : spec.tags) writer.string(tag);
    writer.end_array().end_object();
}

void write_outcome(json::Writer& writer, const Instance& instance, bool ok, std::string_view cause) {
    writer.begin_object();
    writer.member("name", instance.name().instance).member("state", to_text(instance.state())).member_bool("ok", ok);
    write_pid(writer, instance.pid());
    write_exit(writer, exit_of_last_run(instance));
    writer.member("cause", cause).end_object();
}

}  // namespace procsup
