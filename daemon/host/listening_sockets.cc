#include "daemon/host/listening_sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/host/child.h"

namespace procsup {
namespace {

using Kind = ListenAddress::Kind;

/// One of unix(7) that was shut down says that it does, and refuses.
bool accepts(const Fd& socket) {
    int accepting = 0;
    socklen_t size = sizeof(accepting);
    pollfd ended{socket.get(), POLLRDHUP, 0};
    if (poll(&ended, 1, 0) == 1 && (ended.revents & (POLLRDHUP | POLLHUP)) != 0) return false;
    return getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size) == 0 && accepting != 0;
}

/// In this job's key nothing else has the same path.
std::string place_of(const std::string& job, const ListenAddress& address) {
    return job + "\n" + (address.has_path() ? address.path : to_text(address)) + "\n";
}

}  // namespace

std::optional<ProvisionFailure> ListeningSockets::fault(const JobSpec& spec) const {
    for (const auto& socket : spec.sockets) {
        if (socket.listen != "inherited") continue;
        const auto found = inherited_.find(socket.name);
        if (found == inherited_.end())
            return ProvisionFailure{SpawnStage::Sockets, ENOENT,
                                    "cannot hand on the inherited socket '" + socket.name +
                                        "': procsupd was given none with that FileDescriptorName="};
        if (found->second.size() > 1)
            return ProvisionFailure{SpawnStage::Sockets, ENOTUNIQ,
                                    "cannot hand on the inherited socket '" + socket.name + "': procsupd was given " +
                                        std::to_string(found->second.size()) +
                                        " of that name; each needs a FileDescriptorName= of its own"};
        const auto& fd = found->second.front();
        if (socket.accept && handed_on_.contains(socket.name))
            return ProvisionFailure{SpawnStage::Sockets, EBUSY,
                                    "cannot accept from the inherited socket '" + socket.name +
                                        "': a run was given it, which may have it still; restart procsupd"};
        if (socket.accept && !accepts(fd))
            return ProvisionFailure{
                SpawnStage::Sockets, EINVAL,
                "cannot accept from the inherited socket '" + socket.name + "': it does not listen"};
    }
    return std::nullopt;
}

std::vector<ListeningSockets::Wanted> ListeningSockets::wanted_of(const JobSpec& spec, const InstanceName& name) {
    std::vector<Wanted> all;
    for (const auto& socket : spec.sockets) {
        Wanted one{{}, socket, {}};
        one.socket.listen = expand_job(socket.listen, name);
        // Of more instances than the file says it was not looked at then: the helper says what is wrong.
        auto address = parse_listen(one.socket.listen);
        if (address) one.address = std::move(*address);
        one.key = spec.name + "\n" + one.socket.listen + "\n";
        if (address) one.key = place_of(spec.name, one.address) + to_text(one.address) + "\n";
        if (one.address.kind == Kind::Inherited) one.key += socket.name;
        // What a run was given it may still have, or have passed on, and block: nothing is accepted from that.
        if (socket.accept) one.key += "accept ";
        if (one.address.has_path()) {
            for (const unsigned number : {socket.mode, socket.uid, socket.gid}) one.key += std::to_string(number) + " ";
        }
        all.push_back(std::move(one));
    }
    return all;
}

bool ListeningSockets::is_usable(const Wanted& wanted) const {
    if (wanted.address.kind == Kind::Inherited) return true;
    const auto found = entries_.find(wanted.key);
    if (found == entries_.end() || !found->second.fd) return false;
    const bool datagrams = wanted.address.kind == Kind::Udp || wanted.address.kind == Kind::DatagramPath;
    return datagrams || accepts(found->second.fd);
}

std::vector<std::string> ListeningSockets::work_paths(InstanceId id, const JobSpec& spec,
                                                      const InstanceName& name) const {
    std::vector<std::string> paths;
    std::set<std::string> keys;
    for (const auto& wanted : wanted_of(spec, name)) {
        keys.insert(wanted.key);
        if (is_usable(wanted)) continue;
        paths.push_back(wanted.address.has_path() ? wanted.address.path : "socket " + wanted.socket.listen);
    }
    const auto held = by_instance_.find(id);
    if (held == by_instance_.end()) return paths;
    for (const auto& key : held->second) {
        const auto& entry = entries_.at(key);
        if (!keys.contains(key) && entry.file && entry.users.size() == 1) paths.push_back(entry.file->path);
    }
    return paths;
}

SocketWork ListeningSockets::take(InstanceId id, const JobSpec& spec, const InstanceName& name) {
    SocketWork work;
    const auto all = wanted_of(spec, name);
    auto former = std::exchange(by_instance_[id], {});
    for (const auto& wanted : all) former.erase(wanted.key);
    for (const auto& key : former) drop(id, key, work.to_remove);
    auto& keys = to_bind_[id];
    keys.clear();
    for (const auto& wanted : all) {
        if (wanted.address.kind == Kind::Inherited) continue;
        if (!is_usable(wanted)) {
            auto& entry = entries_[wanted.key];
            // Somebody has shut it down.
            if (entry.file) work.to_remove.push_back(*std::exchange(entry.file, std::nullopt));
            entry.fd.reset();
            replace_file_of(wanted, work.to_remove);
            work.to_bind.push_back(wanted.socket);
            keys.push_back(wanted.key);
        }
        entries_[wanted.key].users.insert(id);
        by_instance_[id].insert(wanted.key);
    }
    if (by_instance_[id].empty()) by_instance_.erase(id);
    return work;
}

/// Another instance still has a socket with other settings there: those that come now find the new one.
void ListeningSockets::replace_file_of(const Wanted& wanted, std::vector<SocketFile>& files) const {
    if (!wanted.address.has_path()) return;
    const auto place = wanted.key.substr(0, wanted.key.find('\n', wanted.key.find('\n') + 1) + 1);
    for (auto other = entries_.lower_bound(place); other != entries_.end() && other->first.starts_with(place);
         ++other) {
        if (other->first != wanted.key && other->second.file) files.push_back(*other->second.file);
    }
}

void ListeningSockets::bound(InstanceId id, PassedSocket passed) {
    const auto keys = to_bind_.find(id);
    if (keys == to_bind_.end() || passed.number >= keys->second.size()) return;
    const auto entry = entries_.find(keys->second[passed.number]);
    if (entry == entries_.end()) return;
    entry->second.fd = Fd(fcntl(passed.socket.fd.get(), F_DUPFD_CLOEXEC, kFirstKeptFd), &disposer_);
    entry->second.file = std::move(passed.socket.file);
}

void ListeningSockets::drop(InstanceId id, const std::string& key, std::vector<SocketFile>& files) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    auto& entry = found->second;
    entry.users.erase(id);
    if (!entry.users.empty()) return;
    if (entry.file) files.push_back(std::move(*entry.file));
    // Nobody listens any more at once, whoever has the socket still: its address is free for another one.
    shutdown(entry.fd.get(), SHUT_RDWR);
    entries_.erase(found);
}

std::vector<SocketFile> ListeningSockets::release(InstanceId id) {
    std::vector<SocketFile> files;
    to_bind_.erase(id);
    const auto found = by_instance_.find(id);
    if (found == by_instance_.end()) return files;
    for (const auto& key : found->second) drop(id, key, files);
    by_instance_.erase(found);
    return files;
}

/// What a run has set is of the open file description, which the next one has too; as systemd has it, that begins without.
void ListeningSockets::let_block(const Entry& entry) const {
    if (entry.users.size() > 1) return;
    const int flags = fcntl(entry.fd.get(), F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(entry.fd.get(), F_SETFL, flags & ~O_NONBLOCK);
}

std::vector<int> ListeningSockets::for_next_run(const JobSpec& spec, const InstanceName& name) {
    for (const auto& wanted : wanted_of(spec, name)) {
        if (wanted.address.kind == Kind::Inherited) handed_on_.insert(wanted.socket.name);
        const auto found = entries_.find(wanted.key);
        if (found != entries_.end() && found->second.fd) let_block(found->second);
    }
    return of(spec, name);
}

std::vector<int> ListeningSockets::of(const JobSpec& spec, const InstanceName& name) const {
    std::vector<int> fds;
    for (const auto& wanted : wanted_of(spec, name)) {
        const auto inherited = inherited_.find(wanted.socket.name);
        if (wanted.address.kind == Kind::Inherited) {
            fds.push_back(inherited == inherited_.end() ? -1 : inherited->second.front().get());
            continue;
        }
        const auto found = entries_.find(wanted.key);
        fds.push_back(found == entries_.end() ? -1 : found->second.fd.get());
    }
    return fds;
}

}  // namespace procsup
