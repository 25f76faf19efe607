#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/protocol.h"

namespace procsup::logger {

/// Puts procsupd's own state on the disk, in order, in a thread of its own: fsync(2) takes as long as a disk likes, and what jobs
/// write goes on meanwhile.
class StateWriter {
public:
    /// Called on the loop's thread with what is to be said of it (protocol.h); empty: nothing.
    using Done = std::function<void(std::string packet)>;
    StateWriter(EventLoop& loop, Done done);
    ~StateWriter();
    StateWriter(const StateWriter&) = delete;
    StateWriter& operator=(const StateWriter&) = delete;

    using Order = std::variant<StateFile, Records, UsedRecords>;
    void add(Order order);
    /// Everything was written, and told of.
    bool idle() const { return unanswered_ == 0; }

private:
    void run();
    std::string carry_out(const Order& order);
    void answer();

    Done done_;
    Fd answered_;  ///< eventfd(2): there are answers
    std::unique_ptr<Watch> watch_;
    std::size_t unanswered_ = 0;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Order> orders_;
    std::vector<std::string> answers_;
    bool ending_ = false;
    std::set<std::string, std::less<>> used_;  ///< so far, of those whose records are in use; the thread's
    std::thread thread_;
};

/// Makes the file what it is to be: replaced as a whole, or removed, and that for good (fsync of file and directory).
Result<void> write_state(const StateFile& file);

}  // namespace procsup::logger
