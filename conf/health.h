#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/rate_limit.h"
#include "conf/readiness.h"

/// How it is found out, again and again, that a job that was ready still does its work.
namespace procsup {

struct Health {
    enum class Action { Restart, None };

    /// Where is looked: Executed: nowhere; else Tcp, Unix, Http or Exec. `timeout` is that of one look.
    Readiness look{.timeout = std::chrono::seconds(2), .interval = std::chrono::seconds(10)};
    std::uint32_t failures = 3;  ///< so many looks of the last `of` have failed: it is unhealthy
    std::uint32_t of = 3;
    std::uint32_t successes = 1;      ///< so many in a row have not: it is healthy again
    Duration grace{};                 ///< after it was ready no failure counts for so long
    Action action = Action::Restart;  ///< when it is unhealthy
    RateLimit restart_limit{3, std::chrono::minutes(10)};
    std::uint64_t memory_above = 0;  ///< bytes of all processes of a run: a look finds it unhealthy above that; 0: any
    double cpu_above = 0;            ///< the same of the processors that they keep busy, since the look before

    bool has_thresholds() const { return memory_above > 0 || cpu_above > 0; }
    bool is_declared() const { return look.is_declared() || has_thresholds(); }

    friend bool operator==(const Health&, const Health&) = default;
};

/// What is looked at, for people: "tcp 127.0.0.1:8080, memory_above 512MiB"; for expand_job().
std::string to_text(const Health& health);
/// "1.5"
std::string processors_text(double processors);

// In the order of Health::Action.
inline constexpr std::array<std::string_view, 2> kHealthActionWords{"restart", "none"};
constexpr std::string_view word_of(Health::Action action) {
    return kHealthActionWords[static_cast<std::size_t>(action)];
}

/// Option of procsup-probe with which it looks again and again, and the one with which it looks once.
inline constexpr std::string_view kWatchOption = "--watch", kOnceOption = "--once";

/// The window of looks is one word of bits.
inline constexpr std::uint32_t kMostLooks = 64;

}  // namespace procsup
