#include "daemon/logger/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace procsup::logger {

void Mirror::add(std::uint32_t slot, std::string_view instance, std::string_view data) {
    auto& begun = begun_[slot];
    while (!data.empty()) {
        const auto newline = data.find('\n');
        const auto text = data.substr(0, newline);
        const auto room = kLongestLine - std::min(begun.size(), kLongestLine);
        begun += text.substr(0, room);
        const bool ended = newline != std::string_view::npos && text.size() <= room;
        data.remove_prefix(ended ? text.size() + 1 : std::min(text.size(), room));
        if (!ended && begun.size() < kLongestLine) continue;
        add_line(instance, begun);
        begun.clear();
    }
    flush();
}

void Mirror::end_line(std::uint32_t slot, std::string_view instance) {
    const auto begun = begun_.find(slot);
    if (begun == begun_.end()) return;
    if (!begun->second.empty()) add_line(instance, begun->second);
    begun_.erase(begun);
    flush();
}

void Mirror::add_line(std::string_view instance, std::string_view line) {
    if (gone_ || waiting_.size() + instance.size() + line.size() > kMostWaiting) {
        ++lost_;
        return;
    }
    say_losses();
    output_.add_line(waiting_, instance, line);
}

void Mirror::say_losses() {
    if (lost_ == 0) return;
    waiting_ += fmt::format("procsupd | {} {} not repeated here: this was read too slowly\n", lost_,
                            lost_ == 1 ? "line" : "lines");
    lost_ = 0;
}

void Mirror::flush() {
    int error = 0;
    while (!waiting_.empty() && error == 0) {
        const auto taken = output_.append(waiting_);
        if (taken) waiting_.erase(0, *taken);
        if (!taken) error = taken.error().os_error;
        if (waiting_.empty() && lost_ > 0) say_losses();
    }
    if (error == EPIPE || error == ENXIO || error == EBADF) {
        waiting_.clear();
        gone_ = true;
    } else if (error == EAGAIN && !waits_for_room_) {
        waits_for_room_ = true;
        output_.when_room([this] {
            waits_for_room_ = false;
            flush();
        });
    }
    // After anything else, such as a full disk, the next line tries again.
}

}  // namespace procsup::logger
