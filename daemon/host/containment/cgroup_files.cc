#include "daemon/host/containment/cgroup_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "common/fd.h"

namespace procsup {

std::string read_cgroup_file(int directory, const std::string& name) {
    const Fd file(openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, kMostRead> text;
    const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
    return size <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

int write_cgroup_file(int directory, const std::string& name, std::string_view text) {
    const Fd file(openat(directory, name.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return errno;
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0) return errno;
    return written == static_cast<ssize_t>(text.size()) ? 0 : EIO;
}

std::optional<std::uint64_t> number_in(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
    return number;
}

std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
            return number_in(line.substr(key.size() + 1));
        }
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return std::nullopt;
}

}  // namespace procsup
