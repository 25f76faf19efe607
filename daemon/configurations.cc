#include "daemon/configurations.h"

#include <utility>

namespace procsup {

void Configurations::applied(Configured jobs, TimePoint now, bool changed) {
    rolled_back_ = false;
    // What waited for a restart may have taken effect with the configuration that was in force already.
    if (std::exchange(any_, true) && changed && jobs != in_force_.jobs) {
        before_.push_back(std::move(in_force_));
        if (before_.size() > kMostKept) before_.pop_front();
    }
    if (changed) in_force_.since = now;
    in_force_.jobs = std::move(jobs);
}

void Configurations::went_back() {
    in_force_ = std::move(before_.back());
    before_.pop_back();
    rolled_back_ = true;
}

}  // namespace procsup
