#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/rate_limit.h"

/// Jobs of a group are one to whoever operates them, and what becomes of one concerns the others, as with the supervisors of Erlang/OTP.
namespace procsup {

/// What a job's group has to do with it; the same in all its members but for their positions.
struct Membership {
    /// Which members are restarted when one has ended and is started again by its policy: it alone, all, or it and those behind it.
    enum class Strategy { OneForOne, OneForAll, RestForOne };
    enum class OnExhausted { FailGroup, Shutdown };

    std::string group;           ///< empty: it is in none
    std::uint32_t position = 0;  ///< as the members are listed
    Strategy strategy = Strategy::OneForOne;
    RateLimit intensity{
        5, std::chrono::minutes(1)};  ///< more such restarts of all members together: the group is exhausted
    OnExhausted on_exhausted = OnExhausted::FailGroup;

    /// Whether members are started in the order in which they are listed, each when those before it are ready.
    bool is_ordered() const { return strategy != Strategy::OneForOne; }

    friend bool operator==(const Membership&, const Membership&) = default;
};

// In the order of the enumerations.
inline constexpr std::array<std::string_view, 3> kStrategyWords{"one-for-one", "one-for-all", "rest-for-one"};
inline constexpr std::array<std::string_view, 2> kGroupExhaustedWords{"fail-group", "shutdown"};

constexpr std::string_view word_of(Membership::Strategy strategy) {
    return kStrategyWords[static_cast<std::size_t>(strategy)];
}
constexpr std::string_view word_of(Membership::OnExhausted what) {
    return kGroupExhaustedWords[static_cast<std::size_t>(what)];
}

}  // namespace procsup
