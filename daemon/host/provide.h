#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/expand.h"
#include "daemon/engine/ports.h"
#include "daemon/host/bind_socket.h"

/// What the helper `procsupd --provide` is asked to do, and does: it touches file systems that may hang, so that the
/// supervisor does not. Request and answer are JSON.
namespace procsup {

/// Why something could not be provided.
struct ProvisionFailure {
    SpawnStage stage = SpawnStage::None;
    int os_error = 0;
    std::string text;  ///< "cannot read credential 'key' from /etc/key: No such file or directory"
};

/// What is to be done about an instance's sockets.
struct SocketWork {
    std::vector<ListeningSocket> to_bind;  ///< expanded
    std::vector<SocketFile> to_remove;     ///< before that

    bool empty() const { return to_bind.empty() && to_remove.empty(); }
};

/// The directories and credentials of `spec` are to be made for the instance `name`, and these sockets.
std::string request_to_lay_out(const std::string& runtime_dir, const JobSpec& spec, const InstanceName& name,
                               const SocketWork& sockets);

/// The helper's standard error, over which it passes sockets: a packet each, with the descriptor.
inline constexpr int kSocketChannel = 2;
struct PassedSocket {
    std::size_t number = 0;  ///< in to_bind
    BoundSocket socket;
};
/// The next one that came; nothing: no more has.
std::optional<PassedSocket> receive_socket(const Fd& channel);

struct ToRemove {
    std::string credentials;   ///< of this instance; empty: of none
    std::vector<JobDir> dirs;  ///< expanded
    std::vector<SocketFile> sockets;

    bool empty() const { return credentials.empty() && dirs.empty() && sockets.empty(); }
};
std::string request_to_remove(const std::string& runtime_dir, const ToRemove& what);
/// The credentials of all instances.
std::string request_to_remove_all(const std::string& runtime_dir);

/// In the helper: does it. The answer, empty when all went well.
std::string provide(std::string_view request);

/// What the helper said.
std::vector<ProvisionFailure> failures_in(const std::string& answer);

}  // namespace procsup
