#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/result.h"

struct ZSTD_DCtx_s;

namespace procsup::ctl {

/// Reads a file compressed by zstd from its beginning to its end. The descriptor is not owned, and is read at positions of its own.
class Unpacker {
public:
    explicit Unpacker(int fd);
    ~Unpacker();
    Unpacker(const Unpacker&) = delete;
    Unpacker& operator=(const Unpacker&) = delete;

    /// At most `size` bytes; 0 at the end.
    Result<std::size_t> read(char* to, std::size_t size);

private:
    Result<bool> fill();

    int fd_;
    ZSTD_DCtx_s* const context_;
    std::string input_;
    std::size_t begin_ = 0;  // of what was not unpacked yet
    std::size_t end_ = 0;
    std::int64_t offset_ = 0;
    std::size_t expected_ = 0;  // by the frame that was begun; 0: none was
};

/// An Unpacker that goes on in a thread of its own while what it has read is looked at: some blocks ahead, no more.
class ThreadedUnpacker {
public:
    explicit ThreadedUnpacker(int fd);
    ~ThreadedUnpacker();
    ThreadedUnpacker(const ThreadedUnpacker&) = delete;
    ThreadedUnpacker& operator=(const ThreadedUnpacker&) = delete;

    Result<std::size_t> read(char* to, std::size_t size);

private:
    void run();

    Unpacker unpacker_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> ready_;
    std::deque<std::string> used_;  // blocks to be filled again
    std::string current_;
    std::size_t taken_ = 0;  // of current_
    Result<void> outcome_;
    bool at_end_ = false;
    bool stopped_ = false;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace procsup::ctl
