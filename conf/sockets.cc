#include "conf/sockets.h"

#include <arpa/inet.h>

#include <algorithm>

#include "conf/address.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::string_view kForms =
    "write \"127.0.0.1:8080\", \"[::1]:8080\", \"*:8080\", \"udp:127.0.0.1:53\", \"/run/web.sock\", "
    "\"unix-dgram:/run/log.sock\", \"@name\" or \"inherited\"";

/// As the kernel writes it; empty: `host` is no number.
std::string canonical(const std::string& host) {
    unsigned char bytes[sizeof(in6_addr)];
    char text[INET6_ADDRSTRLEN];
    const int family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (inet_pton(family, host.c_str(), bytes) != 1) return {};
    return inet_ntop(family, bytes, text, sizeof(text));
}

Result<ListenAddress> internet(ListenAddress::Kind kind, std::string_view text) {
    if (text.starts_with(':') || (text.starts_with('[') && text.find("]:") == std::string_view::npos))
        return Error{quoted(text) + " is no address with a port: " + std::string(kForms)};
    auto address = split_address(text);
    if (address.host != "*" && address.host != "localhost" && canonical(address.host).empty()) {
        const bool colons = std::count(text.begin(), text.end(), ':') > 1;
        if (colons && !text.starts_with('['))
            return Error{quoted(text) +
                         " is ambiguous: write an address with colons in brackets, as in \"[::1]:8080\""};
        return Error{quoted(address.host) +
                     " is no address: write numbers such as 127.0.0.1 or [::1], localhost, or * for all; names are not "
                     "looked up"};
    }
    if (canonical(address.host).starts_with("::ffff:"))
        return Error{quoted(address.host) + " is an address of IPv4: write it as one"};
    if (address.port == "0")
        return Error{"port 0 would be another one with each start of procsupd, and nobody would know which: name one"};
    if (address.host == "*" || address.host == "localhost") {
        const Address there{"localhost", address.port};
        if (auto fault = address_fault(there); !fault.empty()) return Error{std::move(fault)};
    } else if (auto fault = address_fault(address); !fault.empty()) {
        return Error{std::move(fault)};
    }
    // One socket has one address: that of IPv4, at which clients of "localhost" arrive in any case.
    const auto host = address.host == "*" ? "*" : address.host == "localhost" ? "127.0.0.1" : canonical(address.host);
    return ListenAddress{kind, host, static_cast<std::uint16_t>(std::stoi(address.port))};
}

/// Two ways to write one path would be two sockets.
std::string path_fault(std::string_view path) {
    if (!path.starts_with('/')) return "needs an absolute path, not " + quoted(path);
    if (path.size() > kLongestSocketPath)
        return "has a path of " + std::to_string(path.size()) + " bytes: a socket's address has room for " +
               std::to_string(kLongestSocketPath);
    for (auto rest = path; !rest.empty();) {
        rest.remove_prefix(1);
        const auto element = rest.substr(0, rest.find('/'));
        if (element.empty() || element == "." || element == "..")
            return "cannot have \".\", \"..\" or nothing between or behind the slashes of " + quoted(path);
        rest.remove_prefix(element.size());
    }
    return {};
}

Result<ListenAddress> path_address(ListenAddress::Kind kind, std::string_view path) {
    if (path.starts_with('@'))
        return Error{kind == ListenAddress::Kind::Path
                         ? "an abstract socket is written without \"unix:\""
                         : "an abstract socket is a stream: write it without \"unix-dgram:\""};
    if (auto fault = path_fault(path); !fault.empty()) return Error{"'listen' " + fault};
    return ListenAddress{kind, {}, 0, std::string(path)};
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
    using Kind = ListenAddress::Kind;
    const auto behind = [&](std::string_view prefix) { return text.substr(prefix.size()); };
    const auto control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; };
    if (text.empty()) return Error{"'listen' must not be empty: " + std::string(kForms)};
    if (std::any_of(text.begin(), text.end(), control)) return Error{"'listen' cannot have control characters"};
    if (text == "inherited") return ListenAddress{Kind::Inherited};
    if (text.starts_with('/')) return path_address(Kind::Path, text);
    if (text.starts_with("unix:")) return path_address(Kind::Path, behind("unix:"));
    if (text.starts_with("unix-dgram:")) return path_address(Kind::DatagramPath, behind("unix-dgram:"));
    if (text.starts_with('@')) {
        const auto name = behind("@");
        if (name.empty() || name.size() > kLongestSocketPath)
            return Error{"'listen' needs 1 to " + std::to_string(kLongestSocketPath) + " bytes behind the '@'"};
        return ListenAddress{Kind::Abstract, {}, 0, std::string(name)};
    }
    if (text.starts_with("udp:")) return internet(Kind::Udp, behind("udp:"));
    if (text.starts_with("tcp:")) return internet(Kind::Tcp, behind("tcp:"));
    return internet(Kind::Tcp, text);
}

std::string to_text(const ListenAddress& address) {
    using Kind = ListenAddress::Kind;
    const bool brackets = address.host.find(':') != std::string::npos;
    const auto place = (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
    switch (address.kind) {
        case Kind::Tcp: return place;
        case Kind::Udp: return "udp:" + place;
        case Kind::Path: return address.path;
        case Kind::DatagramPath: return "unix-dgram:" + address.path;
        case Kind::Abstract: return "@" + address.path;
        case Kind::Inherited: return "inherited";
    }
    return {};
}

bool has_path(const ListeningSocket& socket) {
    const std::string_view listen = socket.listen;
    return listen.starts_with('/') || listen.starts_with("unix:") || listen.starts_with("unix-dgram:");
}

std::string place_text(const std::string& name, const std::string& listen) {
    const auto address = parse_listen(listen);
    return name + " at " + (address ? to_text(*address) : listen);
}

std::string names_of(const std::vector<ListeningSocket>& sockets) {
    std::string names;
    for (const auto& socket : sockets) names.append(names.empty() ? "" : ":").append(socket.name);
    return names;
}

}  // namespace procsup
