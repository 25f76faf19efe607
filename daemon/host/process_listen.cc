// Instances that listen: what comes to their sockets starts them, or, where they accept, a run for each connection.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/host/connection_count.h"
#include "daemon/host/processes.h"

namespace procsup {
namespace {

/// So that others have their turn, too.
constexpr int kMostAtOnce = 16;
constexpr auto kPause = std::chrono::seconds(1);
/// For the launch of a run, and for what else goes on.
constexpr int kReserve = 32;

bool has_reserve(int socket) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= kReserve) return true;
    // The kernel gives the lowest free number: while the last ones were not used, so many are free.
    if (fcntl(static_cast<int>(limit.rlim_cur) - kReserve, F_GETFD) < 0) return true;
    std::array<Fd, kReserve> tried;
    return std::all_of(tried.begin(), tried.end(), [&](Fd& fd) {
        fd.reset(fcntl(socket, F_DUPFD_CLOEXEC, kFirstKeptFd));
        return static_cast<bool>(fd);
    });
}

/// Of a connection that was there and is not any more (accept(2)).
bool is_of_network(int error) {
    return error == ENETDOWN || error == EPROTO || error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
           error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH;
}

}  // namespace

void Processes::listen(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) {
    demand_.end(id);
    Run& run = runs_[incarnation];
    run.id = id;
    run.spec = &spec;
    provisions_.provide(id, incarnation, spec, name, [this, id, incarnation, &spec, &name](const auto& failure) {
        if (failure) return refuse(incarnation, failure->stage, failure->os_error, failure->text);
        NoteListens listens{id, {}};
        const auto fds = provisions_.sockets().of(spec, name);
        for (std::size_t i = 0; i < fds.size(); ++i) {
            const auto& socket = spec.sockets[i];
            if (!socket.accept && !socket.on_demand) continue;
            // A client can have gone again by the time it is accepted: procsupd must not wait for the next one.
            if (socket.accept) fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
            listens.sockets.push_back({fds[i], place_text(socket.name, expand_job(socket.listen, name))});
        }
        runs_.erase(incarnation);
        note(incarnation, std::move(listens));
    });
}

void Processes::listens(Incarnation incarnation, const NoteListens& what, TimePoint now) {
    supervisor_->listens(incarnation, now);
    const auto* instance = supervisor_->find(what.id);
    const bool still = instance != nullptr && instance->state() == State::Listening;
    if (!still || instance->incarnation() != incarnation) return;
    if (!demand_.begin(what.id, what.sockets)) take_nothing_for_a_while(what.id, strerrordesc_np(EMFILE));
}

void Processes::left_listening(InstanceId id) { demand_.end(id); }

void Processes::came(InstanceId id, const DemandWatch::Listening& socket) {
    const auto* instance = supervisor_->find(id);
    if (instance == nullptr) return demand_.end(id);
    if (instance->spec().accepts()) return accept_from(id, socket.fd);
    const auto cause = "something has come to " + socket.what;
    demand_.end(id);
    supervisor_->demanded(id, cause, loop_.now());
}

void Processes::accept_from(InstanceId listener, int socket) {
    for (int i = 0; i < kMostAtOnce; ++i) {
        if (!supervisor_->takes_connections(listener)) return demand_.rest(listener);
        const auto place = supervisor_->place_for_connection(listener, loop_.now());
        if (place == 0) return take_nothing_for_a_while(listener, "there are as many instances as there can be");
        if (!has_reserve(socket)) return cannot_accept(listener, EMFILE);
        auto connection = accept_connection(socket);
        if (!connection) return cannot_accept(listener, errno);
        const auto cause = "connection from " + connection->text;
        connections_[place] = std::move(*connection);
        supervisor_->serve(place, cause, loop_.now());
    }
}

void Processes::cannot_accept(InstanceId listener, int error) {
    if (error == EAGAIN || error == EINTR || error == ECONNABORTED || is_of_network(error)) return;
    take_nothing_for_a_while(listener, strerrordesc_np(error));
}

void Processes::take_nothing_for_a_while(InstanceId listener, const std::string& why) {
    demand_.rest(listener);
    if (listen_pause_) return;
    const auto* instance = supervisor_->find(listener);
    if (on_shortfall_ && instance != nullptr)
        on_shortfall_(instance->spec(), "cannot take what comes to its sockets for a second: " + why);
    look_again_later();
}

void Processes::look_again_later() {
    listen_pause_ = loop_.call_at(loop_.now() + kPause, [this] {
        listen_pause_.reset();
        if (!demand_.go_on()) look_again_later();
    });
}

void Processes::connection_over(InstanceId place) {
    // It is still there where its run was never started.
    connections_.erase(place);
    if (!listen_pause_ && !demand_.go_on()) look_again_later();
}

void Processes::count_connections(InstanceId id, Incarnation incarnation) {
    const auto* instance = supervisor_->find(id);
    std::vector<int> streams;
    const auto& spec = instance->spec();
    const auto fds = provisions_.sockets().of(spec, instance->name());
    for (std::size_t i = 0; i < fds.size(); ++i) {
        if (spec.sockets[i].on_demand && fds[i] >= 0) streams.push_back(fds[i]);
    }
    note(incarnation, NoteConnections{procsup::count_connections(streams)});
}

/// What it sends and receives is the run's own.
void Processes::hand_over_connection(InstanceId id, LaunchOrder& order) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    auto& connection = found->second;
    order.fds.emplace();
    (*order.fds)[1] = Fd(fcntl(connection.fd.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    (*order.fds)[0] = std::move(connection.fd);
    order.remote_address = std::move(connection.address);
    order.remote_port = std::move(connection.port);
    connections_.erase(found);
}

}  // namespace procsup
