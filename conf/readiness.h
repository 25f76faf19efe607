#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "common/units.h"
#include "conf/job_command.h"

/// How it is found out that a job does its work.
namespace procsup {

/// Where procsup-probe says what is in the way.
inline constexpr int kProbeReportFd = 3;
/// The highest number that [ready] fd can have.
inline constexpr int kMostReadyFd = 7;

struct Readiness {
    /// Executed: as soon as its program runs. Notify and Fd: it says so itself. LogLine: it writes a line. The others are looked
    /// at by procsup-probe, again and again until there is success.
    enum class Kind { Executed, Notify, Fd, LogLine, Tcp, Unix, Http, Exec, File };

    Kind kind = Kind::Executed;
    Duration timeout = kForever;                         ///< of the whole, since the program runs
    Duration interval = std::chrono::milliseconds(250);  ///< between two looks
    int fd = -1;                                         ///< of Fd: its number in the job
    std::string target{};  ///< as written, for people and for expand_job(); of LogLine the expression
    JobCommand probe{};    ///< what is run to look; for expand_job()

    bool is_declared() const { return kind != Kind::Executed; }

    friend bool operator==(const Readiness&, const Readiness&) = default;
};

// In the order of Readiness::Kind; the first has no key.
inline constexpr std::array<std::string_view, 9> kReadinessWords{"",     "notify", "fd",   "log_line", "tcp",
                                                                 "unix", "http",   "exec", "file"};
constexpr std::string_view word_of(Readiness::Kind kind) { return kReadinessWords[static_cast<std::size_t>(kind)]; }

/// The command that the probe of Kind::Exec runs.
inline std::vector<std::string> command_of_probe(const Readiness& readiness) {
    const auto& words = readiness.probe.argv;
    const auto end = std::find(words.begin(), words.end(), "--");
    return end == words.end() ? std::vector<std::string>() : std::vector<std::string>(end + 1, words.end());
}

/// What is waited for, for people, who need not be allowed more than to see states: "notify", "tcp 127.0.0.1:8080".
std::string to_text(const Readiness& readiness);

}  // namespace procsup
