#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/fd.h"

namespace procsup::logger {

/// Compresses files that are not written to any more, one after the other, in a thread of the lowest priority: NAME becomes
/// NAME.zst. Whatever it is interrupted at, one of the two is there whole; a NAME.zst.new that is left is begun anew.
class Compressor {
public:
    Compressor() = default;
    ~Compressor();
    Compressor(const Compressor&) = delete;
    Compressor& operator=(const Compressor&) = delete;

    /// Has the file `name` in the directory `dir` compressed.
    void add(std::shared_ptr<const Fd> dir, const std::string& name);
    /// Waits until nothing is left to do; for tests.
    void finish();

private:
    struct Order {
        std::shared_ptr<const Fd> dir;
        std::string name;
    };
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Order> orders_;
    bool working_ = false;
    bool ending_ = false;
    std::thread thread_;
};

/// Compresses one file, see Compressor. `go_on` is asked now and then; false when it said no, or could not be done.
bool compress_file(int dir, const std::string& name, const std::function<bool()>& go_on);

}  // namespace procsup::logger
