#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

/// What a job says of the jobs that it is started after, or needs.
namespace procsup {

/// What must be so of another job before this one is started; Started and Ready also while it runs, and Ready
/// in place of Healthy.
struct Requirement {
    enum class Condition { Started, Ready, Healthy, ExitedOk, Exited };
    /// What becomes of this job when that one has ended and is started again.
    enum class OnRestart { Ignore, Restart, Signal };

    std::string job;
    Condition condition = Condition::Ready;
    OnRestart on_restart = OnRestart::Ignore;

    /// Whether it is for as long as the job runs, and not for its start alone.
    static constexpr bool lasts(Condition condition) {
        return condition != Condition::ExitedOk && condition != Condition::Exited;
    }
    bool lasts() const { return lasts(condition); }

    friend bool operator==(const Requirement&, const Requirement&) = default;
};

// In the order of the enumerations.
inline constexpr std::array<std::string_view, 5> kConditionWords{"started", "ready", "healthy", "exited_ok", "exited"};
inline constexpr std::array<std::string_view, 3> kOnRestartWords{"ignore", "restart", "signal"};

constexpr std::string_view word_of(Requirement::Condition condition) {
    return kConditionWords[static_cast<std::size_t>(condition)];
}
constexpr std::string_view word_of(Requirement::OnRestart what) {
    return kOnRestartWords[static_cast<std::size_t>(what)];
}

/// Names of other jobs. What is wanted or required is also waited for.
struct Dependencies {
    std::vector<std::string> after, before, wants;
    std::vector<Requirement> requirements;

    bool empty() const { return after.empty() && before.empty() && wants.empty() && requirements.empty(); }

    friend bool operator==(const Dependencies&, const Dependencies&) = default;
};

}  // namespace procsup
