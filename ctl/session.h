#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/json.h"
#include "common/varlink/client.h"
#include "ctl/command_line.h"
#include "ctl/deadline.h"
#include "ctl/output.h"
#include "ctl/socket_path.h"

namespace procsup::ctl {

/// One invocation of procsupctl: the command line, what is printed, and the connection to the supervisor, which
/// is made with the first call. A call that fails is reported here and leaves the exit code in exit_code(), so
/// a verb just returns that. Asks again only where nobody has read what was asked; never waits but for a reply.
class Session {
public:
    Session(CommandLine line, Surroundings surroundings);

    const CommandLine& line() const { return line_; }
    const Surroundings& surroundings() const { return surroundings_; }
    Output& out() { return out_; }
    int exit_code() const { return exit_code_; }

    /// Makes the calls that follow go to this socket.
    void use_socket(std::string path);
    /// The socket that is or would be used; empty when there is none to use.
    std::string socket_path();

    /// Connects, if that was not done yet; reports a failure.
    varlink::Client* client();
    /// As client(), but an absent supervisor is no failure to report: nullptr.
    varlink::Client* client_if_up();
    /// A second, independent connection to the same supervisor; nothing is reported.
    std::optional<varlink::Client> another_client();

    /// Calls and returns the parameters of the reply. With --json they are printed too, in snake_case.
    std::optional<json::Value> call(std::string_view method, std::string_view parameters);
    /// As call(), without printing; an error reply is returned instead of reported.
    std::optional<varlink::Reply> call_raw(std::string_view method, std::string_view parameters);
    /// A call with many replies, each given to `on_reply`; false when it ended by an error, which was reported.
    bool call_more(std::string_view method, std::string_view parameters,
                   const std::function<bool(const json::Value&)>& on_reply);

    /// Reports an error reply: message, hint, problems, and as JSON with --json; sets the exit code.
    int report(const varlink::Reply& reply);
    /// Reports a failure of the connection.
    int report_transport(const Error& error);
    /// Reports a failure of procsupctl itself.
    int fail(const Error& error);
    void print_json(const json::Value& value);
    /// With --json, for what no supervisor has said: {"error": …, "message": …}.
    void print_json_error(std::string_view error, std::string_view message);

private:
    Result<varlink::Client> connect();
    std::optional<varlink::Reply> first_reply(std::string_view method, std::string_view parameters, bool more,
                                              const Deadline& deadline);
    Deadline deadline_of(std::string_view parameters) const;
    std::optional<varlink::Reply> next_reply(const Deadline& deadline);
    void report_unreachable(const Error& error);

    CommandLine line_;
    Surroundings surroundings_;
    Output out_;
    std::string socket_;
    std::optional<varlink::Client> client_;
    int exit_code_ = kSuccess;
};

/// {"names": […]} of the operands from `first` on, "*" for --all; `more` is appended as further members.
std::string names_parameters(const CommandLine& line, std::size_t first = 0,
                             const std::function<void(json::Writer&)>& more = nullptr);

}  // namespace procsup::ctl
