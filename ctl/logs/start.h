#pragma once

#include "ctl/logs/source.h"

namespace procsup::ctl {

/// What has to be read of a stream so that no line from wanted.since to wanted.until is left out: as many files as can be are
/// skipped by when they were written and by their first lines, and of the first what is before, if it is not compressed.
Range range_of(const LogStream& stream, const Wanted& wanted);

/// A range with at least so many wanted lines, or all of those in `whole`; and how many they are.
struct Tail {
    Range range;
    std::uint64_t lines = 0;
};

/// The last lines: reads backward from the end, by growing parts of files that are not compressed and by whole files else. With
/// `follow`, a line that has not ended yet does not count.
Tail tail_of(LogStream& stream, const Wanted& wanted, Range whole, std::uint64_t lines, bool follow);

}  // namespace procsup::ctl
