#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ctl/session.h"

namespace procsup::ctl {

/// The coordination that belongs to a supervisor: another program, with a socket for each interface beside the supervisor's.
class Broker {
public:
    /// Makes the session's calls go to `interface` from now on.
    Broker(Session& session, std::string_view interface);

    /// "web@1 (pid 4711), owner 3": who has or waits for something, of a list that came from the broker. Asks the supervisor, once
    /// for each process.
    std::string claimer(const json::Value& claim);
    /// Who waits, each followed by what `more` says of it, and for how long; "-" for nobody.
    std::string waiters_text(const json::Value::Array& waiters,
                             std::string (*more)(const json::Value& claim) = nullptr);

private:
    std::string process_text(std::int64_t pid);
    std::string name_of(std::int64_t pid);

    std::string supervisor_;
    std::optional<varlink::Client> client_;
    bool asked_ = false;
    std::map<std::int64_t, std::string> names_;
};

/// For how long somebody has or waits for something.
std::string age_of(const json::Value& claim);

/// Calls the interface's List for the names of the command line. Nothing: it has failed or was printed as JSON, see exit_code().
std::optional<json::Value> list_named(Session& session, std::string_view interface);
/// Calls a method of the interface for the one name of the command line; the exit code.
int call_for_name(Session& session, std::string_view interface, std::string_view method);

/// Reports why something was not had; the exit code: kTimedOut where that was for want of time.
int report_refusal(Session& session, const varlink::Reply& reply);

}  // namespace procsup::ctl
