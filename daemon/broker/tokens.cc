#include "daemon/broker/tokens.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "common/fd.h"

namespace procsup::broker {
namespace {

/// More than a broker gives before the clock is ahead of them again: it gives less than one a microsecond.
constexpr Token kBlock = Token{1} << 32;

Result<Token> read_token(const std::string& path) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT) return Token{0};
    if (!file) return os_failure("read " + path, errno);
    char text[32] = {};
    if (read(file.get(), text, sizeof(text) - 1) < 0) return os_failure("read " + path, errno);
    return static_cast<Token>(strtoull(text, nullptr, 10));
}

Result<void> write_token(const std::string& dir, const std::string& path, Token token) {
    const auto temporary = path + ".new";
    const Fd file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    const auto text = std::to_string(token) + "\n";
    if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fsync(file.get()) < 0)
        return os_failure("write " + temporary, errno);
    if (rename(temporary.c_str(), path.c_str()) < 0) return os_failure("rename " + temporary, errno);
    // The new name has to be on disk too (fsync(2)).
    const Fd directory(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || fsync(directory.get()) < 0) return os_failure("write " + dir, errno);
    return {};
}

}  // namespace

Token clock_token() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<Token>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

Result<Token> reserve_tokens(const std::string& dir) {
    const auto path = dir + "/fencing-tokens";
    mkdir(dir.c_str(), 0755);
    const auto last = read_token(path);
    if (!last) return last.error();
    const auto first = std::max(*last, clock_token());
    if (auto written = write_token(dir, path, first + kBlock); !written) return written.error();
    return first;
}

}  // namespace procsup::broker
