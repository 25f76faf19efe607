#include "daemon/control/refusal.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/json.h"
#include "common/varlink/message.h"

namespace procsup {
namespace {

std::string refusal(const std::vector<std::string>& problems) {
    json::Writer writer;
    writer.begin_object().key("problems").begin_array();
    for (const auto& problem : problems) writer.string(problem);
    writer.end_array();
    writer.member("message", "procsupd cannot start: its configuration has problems");
    writer.member("hint", "mend them, then start procsupd again").end_object();
    return varlink::error_message("io.procsupd.Manager.BadConfiguration", writer.text());
}

bool may_know(int client) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace

void refuse_clients(const Fd& listener, const std::vector<std::string>& problems) {
    const auto all = refusal(problems);
    const auto none = refusal({});
    // Who comes again and again must not keep the daemon from ending.
    constexpr int kMostClients = 4096;
    for (int i = 0; i < kMostClients; ++i) {
        const Fd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client) return;
        const auto& message = may_know(client.get()) ? all : none;
        (void)send(client.get(), message.data(), message.size(), MSG_NOSIGNAL);
    }
}

}  // namespace procsup
