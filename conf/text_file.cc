#include "conf/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace procsup {
namespace {

Error unfit(const std::string& path, const std::string& cause) { return Error{"cannot read " + path + ": " + cause}; }

/// `expected`: how large the file says that it is, which it need not be.
Result<std::string> read_all(int fd, const std::string& path, std::size_t expected, std::size_t most) {
    std::string text;
    // One byte more than allowed tells a file that is too large from one that just fits.
    constexpr std::size_t kLeast = 256;
    text.resize(std::min(most, std::max(expected, kLeast)) + 1);
    std::size_t size = 0;
    for (;;) {
        const ssize_t got = read(fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_failure("read " + path, errno);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size > most) return unfit(path, "larger than " + std::to_string(most >> 20) + " MiB");
        // There was room for more: most files are read at once.
        if (size == expected && size < text.size()) break;
        if (size == text.size()) text.resize(size * 4 < most + 1 ? size * 4 : most + 1);
    }
    text.resize(size);
    return text;
}

}  // namespace

std::optional<std::string> trust_fault(const struct stat& status, const std::string& path, const Trust& trust) {
    if (!trust.as_root) return std::nullopt;
    if (status.st_uid != 0 && status.st_uid != trust.owner) {
        return "owned by uid " + std::to_string(status.st_uid) + ", who could change what root runs (chown root " +
               path + ")";
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return std::nullopt;
    char mode[8];
    std::snprintf(mode, sizeof(mode), "%04o", status.st_mode & 07777u);
    return "mode " + std::string(mode) + " lets others than its owner change what root runs (chmod go-w " + path + ")";
}

Result<std::string> read_text_file(int directory, const std::string& name, const std::string& path, std::size_t most,
                                   const Trust& trust) {
    const Fd fd(openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return os_failure("read " + path, errno);
    struct stat status {};
    if (fstat(fd.get(), &status) < 0) return os_failure("read " + path, errno);
    if (S_ISDIR(status.st_mode)) return unfit(path, "a directory, not a file");
    if (!S_ISREG(status.st_mode)) return unfit(path, "not a regular file");
    if (const auto fault = trust_fault(status, path, trust)) return unfit(path, *fault);
    return read_all(fd.get(), path, static_cast<std::size_t>(status.st_size), most);
}

}  // namespace procsup
