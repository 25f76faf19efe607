#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

/// What a job has run beside its main process.
namespace procsup {

struct JobCommand {
    std::vector<std::string> argv;  ///< argv[0] as written; empty: there is no such command
    std::string program;            ///< absolute path to execute; empty: argv[0] is searched in the job's PATH

    bool empty() const { return argv.empty(); }

    friend bool operator==(const JobCommand&, const JobCommand&) = default;
};

/// A moment in the life of an instance at which a command of its job is run.
///
///   hook       | when                                                 | what its failure does        | how long it may take
///   -----------+------------------------------------------------------+------------------------------+---------------------
///   pre_start  | before each start of the program                     | fails the start              | within start_timeout
///   post_start | the program does its work; ready when it ended well  | ends the run, which failed   | start_timeout
///   pre_stop   | a job that was ready is to be stopped, not told yet  | nothing                      | within stop_timeout
///   post_stop  | nothing is left of a run, or its start has failed    | nothing                      | stop_timeout
///   on_failed  | after that, when it has failed and is not restarted  | nothing                      | stop_timeout
enum class Hook { PreStart, PostStart, PreStop, PostStop, OnFailed };

// In the order of Hook.
inline constexpr std::array<std::string_view, 5> kHookWords{"pre_start", "post_start", "pre_stop", "post_stop",
                                                            "on_failed"};
constexpr std::string_view word_of(Hook hook) { return kHookWords[static_cast<std::size_t>(hook)]; }

struct HookCommand {
    Hook hook = Hook::PreStart;
    JobCommand command;

    friend bool operator==(const HookCommand&, const HookCommand&) = default;
};

}  // namespace procsup
