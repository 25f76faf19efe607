#include "conf/socket_conflicts.h"

#include <set>

#include "conf/expand.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

/// Each is a descriptor of procsupd.
constexpr std::size_t kMostSocketsOfAll = 20000;

std::set<std::string> values_of(const ListeningSocket& socket, const JobSpec& spec) {
    std::set<std::string> values;
    for (const auto& name : instance_names(spec)) {
        values.insert(expand_job(socket.listen, name));
        // Most have no placeholder.
        if (socket.listen.find("${") == std::string::npos) break;
    }
    return values;
}

}  // namespace

void SocketConflicts::add(const JobDraft& draft, const JobSpec& spec, Problems& problems) {
    for (std::size_t i = 0; i < spec.sockets.size() && i < draft.sockets.size(); ++i) {
        const auto& socket = spec.sockets[i];
        const Use use{spec.name, socket.name, draft.sockets[i].listen.place};
        for (const auto& value : values_of(socket, spec)) {
            const auto address = parse_listen(value);
            if (!address) break;  // reported
            if (count_ <= kMostSocketsOfAll && ++count_ > kMostSocketsOfAll)
                problems.add({use.place.file, {}},
                             "more than " + std::to_string(kMostSocketsOfAll) + " sockets of all jobs together");
            if (count_ > kMostSocketsOfAll) return;
            const auto* other = note(*address, use);
            if (other == nullptr) continue;
            const auto what = address->kind == ListenAddress::Kind::Inherited
                                  ? "the inherited socket " + quoted(socket.name)
                                  : to_text(*address);
            problems.add(use.place, "'sockets.listen': " + what + " is also what job " + quoted(other->job) +
                                        " listens on, by its socket " + quoted(other->socket) + " at " +
                                        other->place.file->name + ":" + std::to_string(other->place.at.line) +
                                        ": one job can have it");
            break;
        }
    }
}

const SocketConflicts::Use* SocketConflicts::note(const ListenAddress& address, const Use& use) {
    using Kind = ListenAddress::Kind;
    if (address.is_internet()) {
        auto& [four, six] = ports_[{address.kind, address.port}];
        const bool both = address.host == "*";
        if (both || address.host.find(':') == std::string::npos) {
            const bool all = both || address.host == "0.0.0.0";
            if (const auto* other = note(four, address.host, all, use)) return other;
        }
        if (!both && address.host.find(':') == std::string::npos) return nullptr;
        return note(six, address.host, both || address.host == "::", use);
    }
    const auto key = address.kind == Kind::Inherited  ? "inherited " + use.socket
                     : address.kind == Kind::Abstract ? "@" + address.path
                                                      : address.path;
    const auto [known, added] = others_.try_emplace(key, use);
    return added ? nullptr : &known->second;
}

const SocketConflicts::Use* SocketConflicts::note(Family& family, const std::string& host, bool all, const Use& use) {
    if (family.all) return &*family.all;
    if (all && !family.by_host.empty()) return &family.by_host.begin()->second;
    if (all) {
        family.all = use;
        return nullptr;
    }
    const auto [known, added] = family.by_host.try_emplace(host, use);
    return added ? nullptr : &known->second;
}

}  // namespace procsup
