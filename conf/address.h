#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace procsup {

/// Where connections are made to, as it is written: parts may have placeholders.
struct Address {
    std::string host;  ///< "127.0.0.1", "::1" or "localhost"
    std::string port;
};

/// "8080", "127.0.0.1:8080", "[::1]:8080"; a port alone is one of localhost.
Address split_address(std::string_view text);
/// Why nobody can be there; empty when someone can. Names but localhost are not looked up.
std::string address_fault(const Address& address);

/// "http://ADDRESS[:PORT][/PATH]"
struct Page {
    Address address;
    std::string host_header;
    std::string path;
};
/// Nothing for what does not begin with "http://".
std::optional<Page> split_page(std::string_view text);

}  // namespace procsup
