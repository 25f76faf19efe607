#include "daemon/host/mounts.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace procsup {
namespace {

/// Blanks, tabs, newlines and backslashes stand as three octal digits.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 3 < text.size()) {
            const auto digit = [&](std::size_t place) { return text[at + place] - '0'; };
            plain += static_cast<char>(digit(1) * 64 + digit(2) * 8 + digit(3));
            at += 3;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

bool is_below(std::string_view path, std::string_view mount_point) {
    if (mount_point == "/") return true;
    if (!path.starts_with(mount_point)) return false;
    return path.size() == mount_point.size() || path[mount_point.size()] == '/';
}

}  // namespace

Mount mount_of(std::string_view path, std::string_view mountinfo) {
    const auto normal = std::filesystem::path(path).lexically_normal().string();
    Mount found{"/", ""};
    std::istringstream lines{std::string(mountinfo)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string id, parent, device, root, point;
        if (!(fields >> id >> parent >> device >> root >> point)) continue;
        point = unescaped(point);
        // Of several at one place the last one covers the others.
        if (is_below(normal, point) && point.size() >= found.point.size()) found = {point, device};
    }
    return found;
}

Mount mount_of(std::string_view path) {
    std::ifstream file("/proc/self/mountinfo");
    std::ostringstream text;
    text << file.rdbuf();
    return mount_of(path, text.str());
}

}  // namespace procsup
