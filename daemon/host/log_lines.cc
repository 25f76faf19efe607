// Lines by which jobs are known to be ready.
#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <utility>

#include "daemon/host/log_capture.h"
#include "daemon/logger/memory.h"

namespace procsup {

using logger::AwaitedLine;
using logger::kLineSeen;

Result<void> LogCapture::await_line(InstanceId id, Incarnation run, const std::string& expression, LineHeard heard) {
    const auto streams = streams_of(id);
    if (streams.empty()) {
        return Error{"cannot await a line of its output: neither stdout nor stderr goes through procsup-logger" +
                     (fault_.empty() ? std::string() : ": " + fault_)};
    }
    if (expression.size() > kLongestRegex) {
        return Error{fmt::format("cannot await a line of its output: the expression has {} bytes, and may have {}",
                                 expression.size(), kLongestRegex)};
    }
    for (const Kept* const stream : streams) {
        const auto slot = stream->settings.slot;
        auto& memory = stream->logger->memory();
        auto& record = memory.streams[slot];
        auto& awaited = memory.awaited[slot];
        // The logger may be looking for another one; it looks here again before it takes what it finds for that.
        record.awaited.store(0, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        awaited.from = memory.written_to(slot, stream->pipe.get(), stream->logger->staging());
        awaited.expression_size =
            static_cast<std::uint32_t>(expression.copy(awaited.expression_text, expression.size()));
        record.awaited.store(run, std::memory_order_release);
    }
    awaited_lines_[run] = {id, std::move(heard)};
    return {};
}

void LogCapture::forget_line(Incarnation run) {
    const auto found = awaited_lines_.find(run);
    if (found == awaited_lines_.end()) return;
    for (const Kept* const stream : streams_of(found->second.id)) {
        if ((memory_of(*stream).awaited & ~kLineSeen) == run) forget_line(*stream);
    }
    awaited_lines_.erase(found);
}

void LogCapture::forget_line(const Kept& stream) {
    const auto slot = stream.settings.slot;
    auto& memory = stream.logger->memory();
    if (memory.streams[slot].awaited.exchange(0) == 0) return;
    // What the logger may write there yet is of a run that nobody asks for, and is known by that.
    madvise(&memory.awaited[slot], sizeof(AwaitedLine), MADV_REMOVE);
}

const logger::StreamRecord& LogCapture::memory_of(const Kept& stream) {
    return stream.logger->memory().streams[stream.settings.slot];
}

void LogCapture::heard_line(const json::Value& line) {
    const auto run = static_cast<Incarnation>(line.int_or("run", 0));
    const auto found = awaited_lines_.find(run);
    const auto stream = streams_.find(static_cast<std::uint32_t>(line.int_or("slot", 0)));
    if (found == awaited_lines_.end() || stream == streams_.end()) return;
    const std::string fault(line.string_or("fault", ""));
    if (fault.empty()) return line_seen(run);
    const auto& settings = stream->second.settings;
    if (std::exchange(found->second.fault_told, true)) return;
    told_(settings.job, settings.instance + ": 'log_line' " + fault);
    found->second.heard.hindered(fault);
}

void LogCapture::line_seen(Incarnation run) {
    const auto seen = std::move(awaited_lines_.at(run).heard.seen);
    forget_line(run);
    seen();
}

/// A logger that was killed may have seen it and not said so.
void LogCapture::look_for_seen_lines(const LoggerProcess& logger) {
    std::vector<Incarnation> runs;
    for (const auto& [run, awaited] : awaited_lines_) {
        for (const Kept* const stream : streams_of(awaited.id)) {
            if (stream->logger != &logger || memory_of(*stream).awaited != (run | kLineSeen)) continue;
            runs.push_back(run);
            break;
        }
    }
    for (const auto run : runs) line_seen(run);
}

}  // namespace procsup
