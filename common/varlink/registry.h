#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/varlink/description.h"
#include "common/varlink/server.h"

namespace procsup::varlink {

/// The static table of all methods of a server, org.varlink.service among them. Filled before the server listens, only
/// read afterwards. Calls come from the connections; it answers those that no handler may see.
class Registry {
public:
    explicit Registry(ServerInfo info);
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Ends the program when the table and the description disagree: that is a programming error.
    void add(Interface interface);
    /// Finds the call's method, checks its parameters and hands it on; or answers why not.
    void dispatch(PendingCall call) const;

private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    struct Method {
        Interface::Handler handler;
        const Description* description;
        const Type* input;
    };
    struct Entry {
        std::string text;
        Description description;
    };

    void get_info(PendingCall call) const;
    void get_interface_description(PendingCall call) const;
    void refuse_unknown(PendingCall call) const;

    const ServerInfo info_;
    std::map<std::string, Entry, std::less<>> interfaces_;
    // By full name, so that a call costs one look-up.
    std::unordered_map<std::string, Method, TextHash, std::equal_to<>> methods_;
};

}  // namespace procsup::varlink
