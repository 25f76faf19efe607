#include "daemon/remembered_runs.h"

namespace procsup {

void RememberedRuns::add(const std::string& job, LastMoment last) {
    if (last.seconds != 0) dealt_[job] = last.seconds;
}

void RememberedRuns::note(const ScheduleNews& news) {
    const std::string job(news.job);
    const auto file = std::string(kScheduleState) + job;
    if (news.kind == ScheduleNews::Kind::Dropped) {
        if (dealt_.erase(job) > 0) store_.remove(file);
    } else if (auto& dealt = dealt_[job]; dealt != news.dealt) {
        dealt = news.dealt;
        store_.put(file, std::to_string(dealt) + "\n");
    }
}

}  // namespace procsup
