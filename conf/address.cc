#include "conf/address.h"

#include <arpa/inet.h>

#include <charconv>

#include "conf/key_reader.h"

namespace procsup {
namespace {

/// As find(), but not within a placeholder, which has a colon itself.
std::size_t find_outside(std::string_view text, char wanted) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i).starts_with("${")) {
            i = text.find('}', i);
            if (i == std::string_view::npos) return i;
        } else if (text[i] == wanted) {
            return i;
        }
    }
    return std::string_view::npos;
}

bool is_numeric(const std::string& host) {
    unsigned char bytes[sizeof(in6_addr)];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

/// As split_address(), of what may have no port.
Address split(std::string_view text, std::string_view usual_port) {
    std::string_view host = text, port = usual_port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        host = text.substr(1, end == std::string_view::npos ? end : end - 1);
        const auto rest = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (rest.starts_with(':')) port = rest.substr(1);
    } else if (const auto colon = find_outside(text, ':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    return {std::string(host), std::string(port)};
}

}  // namespace

Address split_address(std::string_view text) {
    if (find_outside(text, ':') == std::string_view::npos) return {"localhost", std::string(text)};
    return split(text, "");
}

std::string address_fault(const Address& address) {
    if (address.host != "localhost" && !is_numeric(address.host)) {
        return quoted(address.host) +
               " is no address: write numbers such as 127.0.0.1 or [::1], or localhost; names are not looked up";
    }
    unsigned port = 0;
    const char* const end = address.port.data() + address.port.size();
    const auto [parsed, error] = std::from_chars(address.port.data(), end, port);
    if (error == std::errc() && parsed == end && port >= 1 && port <= 65535) return {};
    return quoted(address.port) + " is no port from 1 to 65535";
}

std::optional<Page> split_page(std::string_view text) {
    constexpr std::string_view kScheme = "http://";
    if (!text.starts_with(kScheme)) return std::nullopt;
    text.remove_prefix(kScheme.size());
    const auto slash = find_outside(text, '/');
    const auto place = text.substr(0, slash);
    return Page{split(place, "80"), std::string(place),
                slash == std::string_view::npos ? "/" : std::string(text.substr(slash))};
}

}  // namespace procsup
