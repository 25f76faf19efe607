#include "daemon/probe/address.h"

#include <cstddef>
#include <cstdint>

namespace procsup::probe {
namespace {

constexpr std::size_t kIpv4Size = 4, kIpv6Size = 16;

/// Both are kept as they go over the wire, whatever the order of this machine.
std::uint16_t network_order(int port) {
    const unsigned char bytes[] = {static_cast<unsigned char>(port >> 8), static_cast<unsigned char>(port & 0xFF)};
    return __builtin_bit_cast(std::uint16_t, bytes);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool parse_ipv4(const char* text, unsigned char* bytes) {
    constexpr int kMostInByte = 255;
    for (std::size_t i = 0; i < kIpv4Size; ++i) {
        if (i > 0 && *text++ != '.') return false;
        int value = 0, digits = 0;
        for (; *text >= '0' && *text <= '9'; ++text, ++digits) {
            // A leading zero means octal to some.
            if (digits > 0 && value == 0) return false;
            value = value * 10 + (*text - '0');
            if (value > kMostInByte) return false;
        }
        if (digits == 0) return false;
        bytes[i] = static_cast<unsigned char>(value);
    }
    return *text == '\0';
}

/// One group of up to four hexadecimal digits; returns what is behind it, or nullptr.
const char* parse_group(const char* text, unsigned char* bytes) {
    constexpr int kMostDigits = 4;
    unsigned value = 0;
    int digits = 0;
    for (; hex_digit(*text) >= 0; ++text, ++digits) value = value << 4U | static_cast<unsigned>(hex_digit(*text));
    if (digits == 0 || digits > kMostDigits) return nullptr;
    bytes[0] = static_cast<unsigned char>(value >> 8U);
    bytes[1] = static_cast<unsigned char>(value & 0xFFU);
    return text;
}

bool parse_ipv6(const char* text, unsigned char* bytes) {
    std::size_t size = 0, gap = kIpv6Size + 1;
    if (text[0] == ':' && text[1] != ':') return false;
    if (text[0] == ':') ++text;
    while (*text != '\0') {
        if (*text == ':') {
            if (gap <= kIpv6Size) return false;
            gap = size;
            ++text;
            continue;
        }
        if (size + kIpv4Size <= kIpv6Size && parse_ipv4(text, bytes + size)) {
            size += kIpv4Size;
            break;
        }
        if (size == kIpv6Size) return false;
        text = parse_group(text, bytes + size);
        if (text == nullptr) return false;
        size += 2;
        if (*text == '\0') break;
        if (*text++ != ':' || *text == '\0') return false;
    }
    if (gap > kIpv6Size) return size == kIpv6Size;
    if (size == kIpv6Size) return false;
    // What stands behind "::" goes to the end.
    for (std::size_t i = 0; i < size - gap; ++i) bytes[kIpv6Size - 1 - i] = bytes[size - 1 - i];
    for (std::size_t i = gap; i < kIpv6Size - (size - gap); ++i) bytes[i] = 0;
    return true;
}

}  // namespace

bool parse_address(const char* text, int port, Address& address) {
    address = {};
    if (parse_ipv4(text, reinterpret_cast<unsigned char*>(&address.ipv4.sin_addr))) {
        address.ipv4.sin_family = AF_INET;
        address.ipv4.sin_port = network_order(port);
        address.size = sizeof(address.ipv4);
        return true;
    }
    address = {};
    if (!parse_ipv6(text, address.ipv6.sin6_addr.s6_addr)) return false;
    address.ipv6.sin6_family = AF_INET6;
    address.ipv6.sin6_port = network_order(port);
    address.size = sizeof(address.ipv6);
    return true;
}

bool set_unix_path(const char* path, Address& address) {
    address = {};
    address.unix_.sun_family = AF_UNIX;
    std::size_t size = 0;
    for (; path[size] != '\0'; ++size) {
        if (size == sizeof(address.unix_.sun_path) - 1) return false;
        address.unix_.sun_path[size] = path[size];
    }
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size + 1);
    return size > 0;
}

}  // namespace procsup::probe
