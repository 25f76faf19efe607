#include "daemon/logger/compressor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

namespace procsup::logger {
namespace {

constexpr int kLevel = 3;  // zstd's own default

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

bool write_all(const Fd& file, const char* data, std::size_t size) {
    while (size > 0) {
        const ssize_t written = write(file.get(), data, size);
        if (written <= 0) return false;
        data += written;
        size -= static_cast<std::size_t>(written);
    }
    return true;
}

/// `from` as one frame with a checksum.
bool compress(const Fd& from, const Fd& to, const std::function<bool()>& go_on) {
    const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    if (!context) return false;
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    std::vector<char> read_buffer(ZSTD_CStreamInSize()), write_buffer(ZSTD_CStreamOutSize());
    for (ssize_t size = 1; size > 0;) {
        if (!go_on()) return false;
        size = read(from.get(), read_buffer.data(), read_buffer.size());
        if (size < 0) return false;
        const auto mode = size == 0 ? ZSTD_e_end : ZSTD_e_continue;
        ZSTD_inBuffer input{read_buffer.data(), static_cast<std::size_t>(size), 0};
        for (bool done = false; !done;) {
            ZSTD_outBuffer output{write_buffer.data(), write_buffer.size(), 0};
            const auto left = ZSTD_compressStream2(context.get(), &output, &input, mode);
            if (ZSTD_isError(left) != 0 || !write_all(to, write_buffer.data(), output.pos)) return false;
            done = mode == ZSTD_e_end ? left == 0 : input.pos == input.size;
        }
    }
    return true;
}

/// This thread only (setpriority(2), ioprio_set(2)): what is logged now goes first.
void stand_back() {
    const auto thread = static_cast<id_t>(syscall(SYS_gettid));
    setpriority(PRIO_PROCESS, thread, 19);
    constexpr int kOneThread = 1, kIdleClass = 3 << 13;
    syscall(SYS_ioprio_set, kOneThread, 0, kIdleClass);
}

}  // namespace

bool compress_file(int dir, const std::string& name, const std::function<bool()>& go_on) {
    const Fd from(openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (!from || fstat(from.get(), &status) < 0 || !S_ISREG(status.st_mode)) return false;
    const auto draft = name + ".zst.new", result = name + ".zst";
    unlinkat(dir, draft.c_str(), 0);
    const Fd to(openat(dir, draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    // Its age is that of what is in it.
    const timespec times[2] = {status.st_atim, status.st_mtim};
    const bool written = to && compress(from, to, go_on) && fchown(to.get(), status.st_uid, status.st_gid) == 0 &&
                         fchmod(to.get(), status.st_mode & 0777) == 0 && futimens(to.get(), times) == 0 &&
                         fsync(to.get()) == 0 && renameat(dir, draft.c_str(), dir, result.c_str()) == 0;
    if (!written) {
        unlinkat(dir, draft.c_str(), 0);
        return false;
    }
    // It was too old to be kept in the meantime, and so is what it has become.
    if (unlinkat(dir, name.c_str(), 0) < 0 && errno == ENOENT) unlinkat(dir, result.c_str(), 0);
    return true;
}

Compressor::~Compressor() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Compressor::add(std::shared_ptr<const Fd> dir, const std::string& name) {
    {
        const std::lock_guard lock(mutex_);
        orders_.push_back({std::move(dir), name});
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    changed_.notify_all();
}

void Compressor::finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return orders_.empty() && !working_; });
}

void Compressor::run() {
    stand_back();
    const auto may_go_on = [this] {
        const std::lock_guard lock(mutex_);
        return !ending_;
    };
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !orders_.empty(); });
        if (ending_) return;
        const Order order = std::move(orders_.front());
        orders_.pop_front();
        working_ = true;
        lock.unlock();
        compress_file(order.dir->get(), order.name, may_go_on);
        lock.lock();
        working_ = false;
        changed_.notify_all();
    }
}

}  // namespace procsup::logger
