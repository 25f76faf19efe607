#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/event_loop.h"
#include "common/fd.h"
#include "common/packet_socket.h"
#include "common/result.h"
#include "conf/expand.h"
#include "conf/job_spec.h"
#include "daemon/engine/instance.h"
#include "daemon/engine/ports.h"
#include "daemon/logger/protocol.h"

namespace procsup {

class Processes;
namespace logger {
struct Memory;
}

/// The pipes that captured output goes through, and the procsup-logger at their other end. A pipe is made with the first run of
/// an instance and kept until the instance is forgotten, over restarts of the job and of the logger; so is what the
/// logger needs to go on exactly where one before it was killed. Never waits for the logger: what has to be told to it is
/// queued, and told anew to each one that is started.
class LogCapture {
public:
    /// `told` gets what goes into the daemon's own log; the first is the job, empty for the logger itself.
    using Told = std::function<void(const std::string& job, const std::string& what)>;
    LogCapture(EventLoop& loop, Processes& processes, Told told);
    ~LogCapture();

    /// Where the files of jobs are that name no directory.
    void set_dir(std::string dir) { dir_ = std::move(dir); }

    /// The writing ends that a process of the instance gets as 1 and 2; they stay this object's. -1: that stream is not
    /// captured. `begins_run`: it is its main process.
    Result<std::array<int, 2>> lend(InstanceId id, const JobSpec& spec, const InstanceName& name, bool begins_run);
    /// The newest run of the instance has failed: its last lines are kept.
    void keep_last_lines(InstanceId id);
    /// The instance is no more. What it wrote is still read.
    void forget(InstanceId id);

    /// A connection on which the logger offers the files of these instances (common/log_file.h): the reader's end. Those that
    /// did not run yet may have files of an earlier procsupd.
    Result<Fd> open_reading(const std::vector<const Instance*>& instances, bool follow);
    /// Has the files of these instances rotated, where something is in them.
    Result<void> rotate(const std::vector<const Instance*>& instances);
    CapturedOutput output_of(InstanceId id) const;

    /// Has everything written that is still in the pipes, and the logger ended.
    void finish();
    bool finished() const { return !running_ && !again_; }

private:
    struct Kept {
        bool removing = false;  ///< its instance is forgotten
        logger::CapturedStream settings;
        Fd reading, writing;
        std::string problem;
        std::vector<std::string> last_lines;
    };
    struct Message {
        std::string text;
        std::vector<int> lent;
        Fd owned;
    };

    Result<Kept*> stream_of(InstanceId id, const logger::CapturedStream& wanted, const JobSpec& spec);
    Result<Kept*> new_stream(InstanceId id, const logger::CapturedStream& wanted, const JobSpec& spec);
    void mark_run(const Kept& stream);
    logger::CapturedStream wanted_stream(const JobSpec& spec, const InstanceName& name, bool error) const;
    Result<void> prepare();
    void start();
    void ended(const std::string& how);
    void tell(Message message);
    void tell_stream(const Kept& kept, bool with_pipe);
    void flush();
    void hear();
    void heard(const json::Value& packet);
    void keep_tail(const json::Value& tail);
    /// Those that there are, of the up to two.
    std::vector<Kept*> streams_of(InstanceId id) const;
    Result<std::vector<std::uint32_t>> slots_of(const std::vector<const Instance*>& instances);
    std::uint32_t free_slot();
    Kept* taken_back(const logger::CapturedStream& wanted);

    EventLoop& loop_;
    Processes& processes_;
    Told told_;
    std::string dir_;
    std::string program_;
    Fd memory_file_, staging_in_, staging_out_;
    logger::Memory* memory_ = nullptr;
    std::map<std::uint32_t, Kept> streams_;  ///< by slot
    std::unordered_map<InstanceId, std::array<Kept*, 2>> of_instance_;
    std::vector<std::uint32_t> free_slots_;
    Fd socket_;
    std::unique_ptr<Watch> watch_;
    std::deque<Message> untold_;
    bool running_ = false;
    bool finishing_ = false;
    TimePoint started_;
    std::chrono::milliseconds pause_{0};
    std::unique_ptr<Watch> again_;
};

}  // namespace procsup
