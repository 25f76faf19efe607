#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/expand.h"
#include "conf/job_spec.h"
#include "daemon/host/child.h"

namespace procsup {

/// The strings of one launch: arguments and environment with ${job:…} replaced, kept where the child's plan points to.
/// Used again for the next launch without giving its memory back.
class LaunchText {
public:
    /// The directory with the credentials of the next one; empty: it has none.
    void set_credentials(std::string path) { credentials_ = std::move(path); }

    /// The $NOTIFY_SOCKET of the next one; empty: it has none.
    void set_notify_socket(std::string path) { notify_socket_ = std::move(path); }

    /// Who the client is that the next one serves; empty: it serves none, or that has no address.
    void set_remote(std::string address, std::string port) {
        remote_address_ = std::move(address);
        remote_port_ = std::move(port);
    }
    /// How many sockets the next one is given.
    void set_socket_count(std::size_t count) { socket_count_ = count; }

    /// Fills everything of `plan` that comes from the job; `plan` points into this object and into `spec`.
    void lay_out(const JobSpec& spec, const InstanceName& name, const std::string& socket_path,
                 std::string_view invocation_id, ChildPlan& plan);

private:
    void lay_out_environment(const JobSpec& spec, const InstanceName& name, const std::string& socket_path,
                             std::string_view invocation_id, ChildPlan& plan);
    const char* hold(const std::string& text, const InstanceName& name);
    const char* keep(std::string text);

    std::string credentials_;
    std::string notify_socket_;
    std::string remote_address_, remote_port_;
    std::size_t socket_count_ = 0;
    std::vector<std::string> held_;
    std::vector<const char*> argv_;
    std::vector<const char*> envp_;
};

}  // namespace procsup
