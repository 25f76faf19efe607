#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/units.h"
#include "conf/cron.h"

/// When a task is started, again and again.
namespace procsup {

struct Schedule {
    /// What becomes of a run that is due while the one before is not over.
    enum class Overlap { Skip, Queue, Replace };
    /// What becomes of runs that were due while procsupd, or the machine, could not start them.
    enum class Missed { RunOnce, Skip };

    std::string cron{};  ///< as written; empty: by `interval`
    Cron moments{};      ///< what it means
    std::string timezone = "local";
    std::shared_ptr<const Zone> zone{};  ///< of that name; null: without `cron`
    Duration interval{};                 ///< from the beginning of a run to that of the next; zero: by `cron`
    Overlap overlap = Overlap::Skip;
    Missed missed = Missed::RunOnce;
    Duration jitter{};  ///< each run is up to so much later, at random

    bool is_declared() const { return !cron.empty() || interval != Duration::zero(); }

    /// Zones are compared by what clocks show in them, as the same name may mean something else tomorrow.
    friend bool operator==(const Schedule& a, const Schedule& b) {
        const bool same_zone = a.zone == b.zone || (a.zone && b.zone && *a.zone == *b.zone);
        return same_zone && a.cron == b.cron && a.timezone == b.timezone && a.interval == b.interval &&
               a.overlap == b.overlap && a.missed == b.missed && a.jitter == b.jitter;
    }
};

/// For people: "0 2 * * * (Europe/Berlin)", "every 15min".
std::string to_text(const Schedule& schedule);
/// A moment as clocks show it in the schedule's zone, and by how much that differs from UTC: "2026-11-24 02:00 +01:00".
std::string moment_text(const Schedule& schedule, std::chrono::sys_seconds moment);

inline constexpr Duration kShortestInterval = std::chrono::seconds(1);

// In the order of the enumerations.
inline constexpr std::array<std::string_view, 3> kOverlapWords{"skip", "queue", "replace"};
inline constexpr std::array<std::string_view, 2> kMissedWords{"run-once", "skip"};
constexpr std::string_view word_of(Schedule::Overlap overlap) {
    return kOverlapWords[static_cast<std::size_t>(overlap)];
}
constexpr std::string_view word_of(Schedule::Missed missed) { return kMissedWords[static_cast<std::size_t>(missed)]; }

/// What is remembered of a schedule on disk. No part of what a job is: it is something else after each run.
struct ScheduleMemory {
    std::int64_t dealt = 0;  ///< up to when runs are dealt with, in seconds since 1970; 0: that is not known
    // The last run that is over, in microseconds since 1970; 0: none is known.
    std::int64_t started_usec = 0;
    std::int64_t ended_usec = 0;
    bool failed = false;
    std::string cause{};  ///< of its end, one line

    friend bool operator==(const ScheduleMemory&, const ScheduleMemory&) { return true; }
};

/// As it is written in a file; what is no such text, or has moments that cannot be, is nothing that is remembered.
std::string to_state(const ScheduleMemory& memory);
ScheduleMemory schedule_memory_of(std::string_view text);

/// Where it is remembered, below the directory for state.
inline constexpr std::string_view kScheduleState = "schedule/";

}  // namespace procsup
