// What a job listens on, and whose the files of its sockets are.
#include <algorithm>

#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {

void JobResolver::resolve_sockets(Job& job) {
    // [defaults] may give some to a job that ends by itself.
    if (job.spec.ends_by_itself()) return;
    std::uint32_t most = kMaxConnections;
    for (const auto& draft : job.draft.sockets) most = draft.max_connections.value_or(most);
    for (const auto& draft : job.draft.sockets) {
        ListeningSocket socket;
        socket.name = draft.name.text.empty() ? job.draft.name : draft.name.text;
        socket.listen = prepare(job, draft.listen);
        bool good = true;
        for (const auto& value : values_of(job, socket.listen)) {
            const auto address = parse_listen(value);
            if (!address) problems_.add(draft.listen.place, "'sockets.listen': " + address.error().message);
            good = good && address;
            if (!address) break;
            good = check_service(draft, *address);
            if (!good) break;
        }
        socket.accept = draft.accept;
        socket.on_demand = draft.on_demand;
        if (draft.accept) socket.max_connections = most;
        if (draft.on_demand) socket.idle_timeout = draft.idle_timeout.value_or(kForever);
        if (good) resolve_socket_owner(job, draft, socket);
        job.spec.sockets.push_back(std::move(socket));
    }
    const auto same_name = [&](const ListeningSocket& one) { return one.name == job.draft.name; };
    if (std::count_if(job.spec.sockets.begin(), job.spec.sockets.end(), same_name) > 1)
        problems_.add(job.key_place(Key::Sockets), "'sockets' has two with the name " + quoted(job.draft.name) +
                                                       ", which is also that of one without");
    check_ready_fd(job);
}

/// What has connections can be accepted from, and it can be seen when there is none.
bool JobResolver::check_service(const SocketDraft& draft, const ListenAddress& address) {
    const bool datagrams =
        address.kind == ListenAddress::Kind::Udp || address.kind == ListenAddress::Kind::DatagramPath;
    if (!datagrams) return true;
    if (draft.accept)
        problems_.add(draft.accept_place, "'sockets.accept' is not for datagrams, which have no connections");
    if (draft.idle_timeout)
        problems_.add(draft.idle_timeout_place,
                      "'sockets.idle_timeout' is not for datagrams, which have no connections: the program can end by "
                      "itself, and is started again by the next one");
    return !draft.accept && !draft.idle_timeout;
}

/// Who could have made it itself, had procsupd not done so: the job's user and group.
void JobResolver::resolve_socket_owner(Job& job, const SocketDraft& draft, ListeningSocket& socket) {
    if (!has_path(socket)) {
        const auto useless = [&](const Place& place, const char* key) {
            problems_.add(place, "'sockets." + std::string(key) + "' never takes effect: only a path has one");
        };
        if (draft.mode) useless(draft.mode_place, "mode");
        if (draft.user) useless(draft.user->place, "user");
        if (draft.group) useless(draft.group->place, "group");
        return;
    }
    const auto& identity = job.spec.identity;
    const auto own_uid = surroundings_.own_uid();
    socket.mode = draft.mode.value_or(kSocketMode);
    socket.uid = identity ? identity->uid : own_uid;
    socket.gid = identity ? identity->gid : surroundings_.own_gid();
    if (draft.user) {
        if (const auto entry = user_entry(*draft.user)) socket.uid = entry->uid;
        if (own_uid != 0 && socket.uid != own_uid)
            problems_.add(draft.user->place, "cannot give a socket to another user without root");
    }
    if (draft.group) {
        if (const auto gid = group_id(*draft.group, draft.group->name)) socket.gid = *gid;
    }
}

void JobResolver::check_ready_fd(Job& job) {
    const auto& ready = job.spec.readiness;
    const int behind = kFirstSocketFd + static_cast<int>(job.spec.sockets.size());
    if (ready.kind != Readiness::Kind::Fd || ready.fd >= behind) return;
    if (job.spec.sockets.empty()) return;
    const bool others = behind <= kMostReadyFd;
    problems_.add(job.key_place(Key::ReadyFd),
                  "'ready.fd' = " + std::to_string(ready.fd) + " is one of the job's sockets, which have " +
                      std::to_string(kFirstSocketFd) + " to " + std::to_string(behind - 1) +
                      (others ? ": write " + std::to_string(behind) + ", if the job can use that"
                              : ", and no number is left: write ready.notify = true instead"));
}

}  // namespace procsup
