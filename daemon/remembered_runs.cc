#include "daemon/remembered_runs.h"

#include <algorithm>

#include "common/utf8.h"

namespace procsup {
namespace {

constexpr std::size_t kLongestCause = 500;

std::string file_of(const std::string& job) { return std::string(kScheduleState) + job; }

std::int64_t usec(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

void RememberedRuns::add(const std::string& job, const ScheduleMemory& memory) {
    if (memory.dealt != 0) known_[job] = memory;
}

void RememberedRuns::put(const std::string& job, const ScheduleMemory& memory) {
    store_.put(file_of(job), to_state(memory));
}

void RememberedRuns::note(const ScheduleNews& news) {
    const std::string job(news.job);
    if (news.kind == ScheduleNews::Kind::Dropped) {
        if (known_.erase(job) > 0) store_.remove(file_of(job));
    } else if (auto& memory = known_[job]; memory.dealt != news.dealt) {
        memory.dealt = news.dealt;
        put(job, memory);
    }
}

void RememberedRuns::ended(const std::string& job, const PastRun& run, WallTime began, WallTime ended) {
    const auto known = known_.find(job);
    if (known == known_.end()) return;
    auto& memory = known->second;
    memory.started_usec = usec(began);
    memory.ended_usec = std::max(usec(began), usec(ended));
    memory.failed = run.failed;
    memory.cause = beginning_of(run.end_cause, kLongestCause);
    std::replace(memory.cause.begin(), memory.cause.end(), '\n', ' ');
    put(job, memory);
}

}  // namespace procsup
