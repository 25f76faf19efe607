#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/fd.h"
#include "common/json.h"
#include "common/result.h"

/// The messages of the Varlink protocol (varlink.org): JSON objects, each ended by one NUL byte.
namespace procsup::varlink {

/// Longest message in either direction, without its NUL.
inline constexpr std::size_t kMaxMessage = 16u << 20;

struct Call {
    std::string method;      ///< "io.procsupd.Job.Start"
    json::Value parameters;  ///< an object; absent and null are read as {}
    bool more = false;       ///< the caller takes any number of replies
    bool oneway = false;     ///< the caller takes none
    bool upgrade = false;

    std::string_view interface_name() const;  ///< "io.procsupd.Job"
    std::string_view method_name() const;     ///< "Start"
};

struct Reply {
    std::string error;       ///< empty: success; else "io.procsupd.Job.NotFound"
    json::Value parameters;  ///< an object
    bool continues = false;  ///< more replies of the same call follow
    Fd fd;                   ///< that came with it, if one did
};

/// Reads one message (without its NUL). Unknown members of the envelope are ignored.
Result<Call> parse_call(std::string_view text);
Result<Reply> parse_reply(std::string_view text);

// Messages with their NUL; `parameters` is JSON text of an object, or empty for none.
std::string call_message(std::string_view method, std::string_view parameters, bool more = false, bool oneway = false);
std::string reply_message(std::string_view parameters, bool continues = false);
std::string error_message(std::string_view error, std::string_view parameters);

}  // namespace procsup::varlink
