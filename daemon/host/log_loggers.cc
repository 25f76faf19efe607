// What the loggers are told of captured output, and what they tell.
#include <string>
#include <utility>

#include "daemon/host/log_capture.h"

namespace procsup {

void LogCapture::tell_all(LoggerProcess& logger) {
    for (const auto& [slot, stream] : streams_) {
        if (stream.logger != &logger) continue;
        logger.tell_lending(logger::stream_packet(stream.settings), stream.pipe.get());
    }
    logger.tell(std::string(logger::kWorkPacket));
    for (const auto slot : removing_) {
        if (streams_.at(slot).logger == &logger) logger.tell(logger::slot_packet("remove", slot));
    }
    look_for_seen_lines(logger);
}

void LogCapture::heard(const json::Value& packet) {
    if (const auto* removed = packet.find("removed")) {
        const auto slot = static_cast<std::uint32_t>(removed->int_or("slot", 0));
        if (removing_.erase(slot) == 0) return;
        free_slots_.push_back(slot);
        streams_.erase(slot);
    } else if (const auto* tail = packet.find("tail")) {
        keep_tail(*tail);
    } else if (const auto* problem = packet.find("problem")) {
        heard_problem(*problem);
    } else if (const auto* line = packet.find("line")) {
        heard_line(*line);
    }
}

void LogCapture::heard_problem(const json::Value& problem) {
    const auto found = streams_.find(static_cast<std::uint32_t>(problem.int_or("slot", 0)));
    if (found == streams_.end()) return;
    auto& stream = found->second;
    const std::string text(problem.string_or("text", ""));
    if (text == stream.problem) return;
    stream.problem = text;
    const auto what = stream.settings.instance + ": its " + stream.settings.name;
    told_(stream.settings.job, text.empty() ? what + " is written again" : what + " waits: " + text);
}

void LogCapture::keep_tail(const json::Value& tail) {
    const auto found = streams_.find(static_cast<std::uint32_t>(tail.int_or("slot", 0)));
    const auto* lines = tail.find("lines");
    if (found == streams_.end() || lines == nullptr || lines->as_array() == nullptr) return;
    LastLines last{found->second.settings.name, {}};
    for (const auto& line : *lines->as_array()) {
        if (const auto* text = line.as_string()) last.lines.push_back(*text);
    }
    const auto run = static_cast<std::uint32_t>(tail.int_or("run", 0));
    answer_lines_asked(found->first, run, last);
    if (run == found->second.failed_run) found->second.last_lines = std::move(last.lines);
}

/// Whoever waits for the lines of this run gets these.
void LogCapture::answer_lines_asked(std::uint32_t slot, std::uint32_t run, const LastLines& last) {
    for (const auto& one : std::vector(lines_asked_)) {
        const auto asked = one.lock();
        if (asked == nullptr || std::erase(asked->open, std::pair(slot, run)) == 0) continue;
        if (!last.lines.empty()) asked->lines.push_back(last);
        if (asked->open.empty()) asked->found(std::move(asked->lines));
    }
}

}  // namespace procsup
