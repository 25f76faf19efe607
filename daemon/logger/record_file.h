#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "common/fd.h"
#include "common/result.h"
#include "daemon/logger/protocol.h"

/// Files of records, a line each, oldest first: NAME.jsonl, which grows, and NAME.jsonl.1, which is what it was before it had
/// its size. None is synced to the disk: a power failure costs what the kernel had not written yet, and nothing else.
namespace procsup::logger {

inline constexpr std::uint64_t kMostOfRecords = 256 * 1024;

/// Adds them to their file, in a directory that is made if it is missing. After an error nothing of them is in it.
Result<void> append_records(const Records& records);

/// For reading; the older of the two files, or the one that grows. ENOENT: there is none.
Result<Fd> open_records(const Fd& dir, const std::string& dir_path, const std::string& name, bool older);

/// Removes files of names that are no longer in use: those that nothing was added to for kLongestUnused, and all but the newest
/// kMostUnused of the others.
Result<void> sweep_records(const std::string& dir, const std::set<std::string, std::less<>>& used);
inline constexpr int kMostUnused = 256;
inline constexpr std::int64_t kLongestUnused = 30LL * 24 * 3600;  // seconds

}  // namespace procsup::logger
