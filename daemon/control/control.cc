#include "daemon/control/control.h"

#include <unistd.h>

#include "daemon/control/job_methods.h"
#include "daemon/control/log_methods.h"
#include "daemon/control/manager_methods.h"

namespace procsup {
namespace {

varlink::Limits limits_of(const DaemonSpec& spec) {
    varlink::Limits limits;
    limits.connections = spec.max_clients;
    limits.connections_per_uid = std::min(limits.connections_per_uid, limits.connections);
    return limits;
}

}  // namespace

class Control::Impl {
public:
    Impl(EventLoop& loop, Supervisor& supervisor, HostPort& host, const DaemonSpec& spec)
        : context{loop, supervisor, host, Access(spec, geteuid())},
          waiters(context),
          subscriptions(context),
          runs(context),
          rolls(context),
          server(loop, varlink::ServerInfo{"procsupd", "procsupd", host.facts().version, "https://procsupd.example"},
                 limits_of(spec),
                 {[this](const varlink::Peer& peer) { return runs.refusal_of_descriptors(peer); }, &host.closer()}) {
        server.add_interface(manager_interface(context, [this] {
            return std::pair{server.connection_count(), server.refused_count()};
        }));
        server.add_interface(job_interface(context, waiters, subscriptions, runs, rolls));
        server.add_interface(log_interface(context));
    }

    ControlContext context;
    Waiters waiters;
    Subscriptions subscriptions;
    Runs runs;
    Rolls rolls;
    varlink::Server server;
};

Control::Control(EventLoop& loop, Supervisor& supervisor, HostPort& host, const DaemonSpec& spec)
    : impl_(std::make_unique<Impl>(loop, supervisor, host, spec)) {}

Control::~Control() = default;

void Control::listen(Fd socket) { impl_->server.listen(std::move(socket)); }

void Control::on_transition(const Transition& transition) {
    impl_->waiters.changed(transition.id);
    impl_->runs.changed(transition.id);
    impl_->subscriptions.on_transition(transition);
}

void Control::on_words(InstanceId id) {
    impl_->waiters.changed(id);
    impl_->subscriptions.on_words(id);
}

void Control::on_roll(const RollNews& news) { impl_->rolls.on_news(news); }

void Control::on_configured() { impl_->waiters.configured(); }

void Control::settle() {
    impl_->waiters.settle();
    impl_->runs.settle();
    impl_->rolls.settle();
    impl_->subscriptions.settle();
}

void Control::flush() {
    settle();
    impl_->server.flush();
}

}  // namespace procsup
