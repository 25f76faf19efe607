#pragma once

#include <sys/resource.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "conf/job_draft.h"

namespace procsup {

/// What the number of a resource limit counts.
enum class LimitUnit { Count, Bytes, Seconds, Microseconds, Priority, Nice };

struct LimitRow {
    int resource;  ///< RLIMIT_…
    Key key;
    LimitUnit unit;
};

/// Every resource limit that Linux enforces: not RLIMIT_RSS and RLIMIT_LOCKS, which it only keeps.
inline constexpr auto kResourceLimits = std::to_array<LimitRow>({
    {RLIMIT_CPU, Key::CpuTime, LimitUnit::Seconds},
    {RLIMIT_FSIZE, Key::Fsize, LimitUnit::Bytes},
    {RLIMIT_DATA, Key::Data, LimitUnit::Bytes},
    {RLIMIT_STACK, Key::Stack, LimitUnit::Bytes},
    {RLIMIT_CORE, Key::Core, LimitUnit::Bytes},
    {RLIMIT_NPROC, Key::Processes, LimitUnit::Count},
    {RLIMIT_NOFILE, Key::OpenFiles, LimitUnit::Count},
    {RLIMIT_MEMLOCK, Key::Memlock, LimitUnit::Bytes},
    {RLIMIT_AS, Key::AddressSpace, LimitUnit::Bytes},
    {RLIMIT_SIGPENDING, Key::PendingSignals, LimitUnit::Count},
    {RLIMIT_MSGQUEUE, Key::MessageQueues, LimitUnit::Bytes},
    {RLIMIT_NICE, Key::NiceLimit, LimitUnit::Nice},
    {RLIMIT_RTPRIO, Key::RealtimePriority, LimitUnit::Priority},
    {RLIMIT_RTTIME, Key::RealtimeTime, LimitUnit::Microseconds},
});

const LimitRow* find_limit(Key key);
const LimitRow* find_limit(int resource);

/// RLIMIT_NICE is 20 - nice, so that more of it is more; 1 permits no more than 0 does, which everybody may have.
constexpr rlim_t limit_of_nice(int nice) { return nice >= 19 ? 0 : static_cast<rlim_t>(20 - nice); }
constexpr int nice_of_limit(rlim_t limit) { return limit <= 1 ? 19 : limit >= 40 ? -20 : 20 - static_cast<int>(limit); }

/// "open_files" for RLIMIT_NOFILE.
std::string_view limit_name(int resource);
/// A number of the kernel as people write it: "1024", "8MiB", "-5", "unlimited".
std::string limit_number_text(int resource, rlim_t number);
/// The value as it stands in a file: 1024, "8MiB", "1024:4096".
std::string limit_toml(const ResourceLimit& limit);

/// "1h30min", "1536B": nothing is rounded.
std::string exact_text(Duration duration);
std::string exact_size(std::uint64_t size);

}  // namespace procsup
