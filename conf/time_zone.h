#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace procsup {

/// What clocks show in one place: the offset from UTC, and when it changes. A value without a file behind it, so that
/// who counts with it needs no time zone database. Right from 1950 to 2150; what was first or last holds beyond.
class Zone {
public:
    struct Change {
        std::chrono::sys_seconds at;
        std::chrono::seconds offset;  // from then on
    };

    /// `changes` in their order.
    Zone(std::string name, std::chrono::seconds first_offset, const std::vector<Change>& changes);

    const std::string& name() const { return name_; }
    /// What it was made of.
    std::chrono::seconds first_offset() const { return spans_.front().offset; }
    std::vector<Change> changes() const;
    std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;
    std::optional<std::chrono::sys_seconds> next_change(std::chrono::sys_seconds after) const;
    /// The latest that clocks have shown up to `time`: while an hour is shown for the second time, its end.
    std::chrono::local_seconds reached_by(std::chrono::sys_seconds time) const;
    /// When clocks show `local`, or something later, for the first time.
    std::chrono::sys_seconds first_reaching(std::chrono::local_seconds local) const;

    friend bool operator==(const Zone&, const Zone&) = default;

private:
    struct Span {
        std::chrono::sys_seconds begin;
        std::chrono::seconds offset;
        std::chrono::local_seconds reached;  // before its begin; never less than that of the span before

        friend bool operator==(const Span&, const Span&) = default;
    };
    const Span& span_at(std::chrono::sys_seconds time) const;

    std::string name_;
    std::vector<Span> spans_;  // never empty
};

/// The zone that IANA calls `name`, "UTC", or "local": what `tz`, the variable TZ, says, and /etc/localtime without it.
/// Reads files, and what it has read once it takes for true until the process ends.
Result<Zone> load_zone(std::string_view name, const std::optional<std::string>& tz);

}  // namespace procsup
