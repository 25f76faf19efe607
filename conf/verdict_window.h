#pragma once

#include <cstdint>

namespace procsup {

/// What is known of the health of a job.
enum class HealthVerdict { Unknown, Healthy, Unhealthy };

/// What follows from the looks of a watch: unhealthy when `failures` of the last `of` have failed, healthy when `successes` in a
/// row have not. With each change the looks before it are forgotten, so that it takes as many again to go back.
class VerdictWindow {
public:
    static constexpr long kMost = 64;  ///< looks; a bit each

    VerdictWindow(long failures, long of, long successes) : failures_(failures), of_(of), successes_(successes) {}

    /// After one more look; `counts`: a failure of it does.
    HealthVerdict add(bool good, bool counts = true) {
        in_a_row_ = good ? in_a_row_ + 1 : 0;
        if (good || counts) failed_ = failed_ << 1 | (good ? 0 : 1);
        if (verdict_ != HealthVerdict::Unhealthy && failed_of_last() >= failures_) {
            change(HealthVerdict::Unhealthy);
        } else if (verdict_ != HealthVerdict::Healthy && in_a_row_ >= successes_) {
            change(HealthVerdict::Healthy);
        }
        return verdict_;
    }

private:
    void change(HealthVerdict verdict) {
        verdict_ = verdict;
        failed_ = 0;
        in_a_row_ = 0;
    }
    long failed_of_last() const {
        long count = 0;
        for (long i = 0; i < of_; ++i) count += static_cast<long>(failed_ >> i & 1);
        return count;
    }

    long failures_, of_, successes_;
    std::uint64_t failed_ = 0;  ///< the newest look is the lowest bit
    long in_a_row_ = 0;
    HealthVerdict verdict_ = HealthVerdict::Unknown;
};

}  // namespace procsup
