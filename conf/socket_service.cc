// What procsupd itself does at the sockets of a job: it starts the job, or a run for each connection.
#include "conf/job_spec.h"

namespace procsup {

Duration JobSpec::idle_timeout() const {
    auto longest = Duration::zero();
    for (const auto& socket : sockets) {
        if (socket.on_demand) longest = std::max(longest, socket.idle_timeout);
    }
    return longest == Duration::zero() ? kForever : longest;
}

std::uint32_t JobSpec::max_connections() const {
    std::uint32_t most = 0;
    for (const auto& socket : sockets) {
        if (socket.accept) most = std::max(most, socket.max_connections);
    }
    return most;
}

JobSpec connection_spec(const JobSpec& spec) {
    const JobSpec usual;
    auto one = spec;
    one.sockets.clear();
    one.stdin_stream = one.stdout_stream = Stream{Stream::Kind::Connection, {}};
    one.restart.when = Restart::No;
    one.restart.force = {};
    one.essential = false;
    one.membership = {};
    // [defaults] may give these to a job that accepts.
    one.readiness = usual.readiness;
    one.health = usual.health;
    one.watchdog = usual.watchdog;
    one.max_lifetime = usual.max_lifetime;
    return one;
}

}  // namespace procsup
