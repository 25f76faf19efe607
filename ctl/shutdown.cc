#include "ctl/shutdown.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "common/fd.h"
#include "ctl/deadline.h"
#include "ctl/session.h"

namespace procsup::ctl {
namespace {

/// A pidfd of the supervisor. Nothing when the process that made the socket is another, as systemd for a socket it
/// passed on: then the closed connection has to do.
Fd supervisor_process(Session& session) {
    varlink::Client* client = session.client();
    ucred peer{};
    socklen_t length = sizeof peer;
    if (client == nullptr || getsockopt(client->fd(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.pid <= 1) {
        return {};
    }
    // Opened before the comparison: while the supervisor answers to that number it cannot be another's.
    Fd process(static_cast<int>(syscall(SYS_pidfd_open, peer.pid, 0)));
    const auto reply = client->call("io.procsupd.Manager.Status", "");
    const json::Value* daemon = reply ? reply->parameters.find("daemon") : nullptr;
    if (daemon == nullptr || daemon->int_or("pid", 0) != peer.pid) return {};
    return process;
}

/// Until the supervisor hangs up; false when the deadline passed first.
bool wait_for_hangup(varlink::Client& client, const Deadline& deadline) {
    for (;;) {
        std::array<pollfd, 1> watched{{{client.fd(), POLLIN, 0}}};
        if (!deadline.poll(watched)) return false;
        if (!client.receive()) return true;
    }
}

int report_ended(Session& session) {
    if (session.line().json) {
        session.out().line("{}");
    } else {
        session.out().note("procsupd has ended");
    }
    return kSuccess;
}

}  // namespace

int shut_down_and_wait(Session& session) {
    if (session.client() == nullptr) return session.exit_code();
    const Deadline deadline(session.line().timeout);
    const Fd process = session.line().no_wait ? Fd() : supervisor_process(session);
    varlink::Client& client = *session.client();
    const auto reply = client.call("io.procsupd.Manager.Shutdown", "");
    // One without jobs can be gone before it is heard.
    if (!reply && reply.error().os_error != ECONNRESET && reply.error().os_error != EPIPE) {
        return session.report_transport(reply.error());
    }
    const bool ending = reply && reply->error.ends_with(".ShuttingDown");
    if (reply && !reply->error.empty() && !ending) return session.report(*reply);
    if (session.line().no_wait) {
        session.out().note("procsupd is ending");
        return kSuccess;
    }
    bool ended = !reply || wait_for_hangup(client, deadline);
    if (ended && process) {
        std::array<pollfd, 1> watched{{{process.get(), POLLIN, 0}}};
        ended = deadline.poll(watched);
    }
    if (ended) return report_ended(session);
    session.out().error("procsupd still stops its jobs; it ends when they have");
    return kTimedOut;
}

}  // namespace procsup::ctl
