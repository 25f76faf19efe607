#include "ctl/process_text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/fd.h"

namespace procsup::ctl {
namespace {

/// The first bytes of a file of /proc.
std::string beginning_of(const std::string& path) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return {};
    std::array<char, 512> bytes{};
    const ssize_t length = read(file.get(), bytes.data(), bytes.size());
    return length > 0 ? std::string(bytes.data(), static_cast<std::size_t>(length)) : std::string();
}

/// Field 4 of /proc/PID/stat. The name before it is in parentheses and can contain anything, parentheses too.
std::int64_t parent_of(const std::string& stat) {
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > stat.size()) return 0;
    return strtoll(stat.c_str() + name_end + 4, nullptr, 10);
}

}  // namespace

std::string child_command_line(std::int64_t pid, std::int64_t parent) {
    constexpr std::size_t kLongest = 200;
    if (pid <= 0 || parent <= 0) return {};
    const std::string directory = "/proc/" + std::to_string(pid);
    // Between the supervisor and the process a keeper can be.
    const auto above = parent_of(beginning_of(directory + "/stat"));
    if (above != parent && parent_of(beginning_of("/proc/" + std::to_string(above) + "/stat")) != parent) return {};
    std::string line = beginning_of(directory + "/cmdline");
    while (!line.empty() && line.back() == '\0') line.pop_back();
    std::replace(line.begin(), line.end(), '\0', ' ');
    if (line.size() > kLongest) line.replace(kLongest - 3, std::string::npos, "...");
    return line;
}

}  // namespace procsup::ctl
