#include "ctl/logs/unpacker.h"

#include <signal.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace procsup::ctl {
namespace {

constexpr std::size_t kInput = 128u << 10;
constexpr std::size_t kBlock = 256u << 10;
constexpr std::size_t kBlocksAhead = 4;

}  // namespace

Unpacker::Unpacker(int fd) : fd_(fd), context_(ZSTD_createDCtx()), input_(kInput, '\0') {}

Unpacker::~Unpacker() { ZSTD_freeDCtx(context_); }

/// Reads more of the file; false at its end.
Result<bool> Unpacker::fill() {
    ssize_t count = 0;
    do {
        count = ::pread(fd_, input_.data(), input_.size(), offset_);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return os_failure("read", errno);
    offset_ += count;
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
    return count > 0;
}

Result<std::size_t> Unpacker::read(char* to, std::size_t size) {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
        if (begin_ == end_) {
            const auto filled = fill();
            if (!filled) return filled.error();
            // What was unpacked but did not fit comes without new input.
            if (!*filled && expected_ == 0) return std::size_t{0};
            if (!*filled) return Error{"cannot unpack the file: it ends in the middle"};
        }
        ZSTD_inBuffer in{input_.data(), end_, begin_};
        expected_ = ZSTD_decompressStream(context_, &out, &in);
        begin_ = in.pos;
        if (ZSTD_isError(expected_) != 0) {
            return Error{std::string("cannot unpack the file: ") + ZSTD_getErrorName(expected_)};
        }
    }
    return out.pos;
}

ThreadedUnpacker::ThreadedUnpacker(int fd) : unpacker_(fd) {
    // Signals are for the thread that prints.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ThreadedUnpacker::~ThreadedUnpacker() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void ThreadedUnpacker::run() {
    for (;;) {
        std::string block;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopped_ || ready_.size() < kBlocksAhead; });
            if (stopped_) return;
            if (!used_.empty()) {
                block = std::move(used_.front());
                used_.pop_front();
            }
        }
        block.resize(kBlock);
        std::size_t filled = 0;
        Result<std::size_t> count = std::size_t{0};
        while (filled < kBlock && (count = unpacker_.read(block.data() + filled, kBlock - filled)) && *count > 0) {
            filled += *count;
        }
        block.resize(filled);
        const bool last = filled < kBlock;
        {
            const std::lock_guard lock(mutex_);
            if (!count) outcome_ = count.error();
            if (filled > 0) ready_.push_back(std::move(block));
            at_end_ = last;
        }
        changed_.notify_all();
        if (last) return;
    }
}

Result<std::size_t> ThreadedUnpacker::read(char* to, std::size_t size) {
    if (taken_ == current_.size()) {
        std::unique_lock lock(mutex_);
        if (current_.capacity() > 0) used_.push_back(std::move(current_));
        current_.clear();
        taken_ = 0;
        changed_.wait(lock, [this] { return at_end_ || !ready_.empty(); });
        if (ready_.empty()) {
            if (!outcome_) return outcome_.error();
            return std::size_t{0};
        }
        current_ = std::move(ready_.front());
        ready_.pop_front();
        lock.unlock();
        changed_.notify_all();
    }
    const auto count = std::min(size, current_.size() - taken_);
    std::memcpy(to, current_.data() + taken_, count);
    taken_ += count;
    return count;
}

}  // namespace procsup::ctl
