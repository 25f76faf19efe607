#pragma once

#include <cstddef>
#include <string_view>

/// The life of an instance. Written once, here; ARCHITECTURE.md repeats the table for readers.
///
///   state     | process | meaning                                            | leaves it by
///   ----------+---------+----------------------------------------------------+---------------------------------------
///   stopped   | no      | not asked to run, or stopped by order              | start
///   waiting   | no      | to be started when something else has happened       | that, stop
///   listening | no      | its sockets are open; what comes to them starts it, | that, stop, restart
///             |         | or a run for each connection                       |
///   starting  | perhaps | spawn asked for; not yet executed its program      | execed, not_started, exited, stop, start_timeout
///   running   | yes     | its program runs                                   | exited, stop, pause, run_timeout,
///             |         |                                                    | max_lifetime
///   reloading | yes     | it runs, and has said that it reads its            | what it says next, and as running
///             |         | configuration again                                |
///   paused    | yes     | its processes stand still                          | resume, exited, stop
///   stopping  | yes     | told to end, or its tree is being ended            | tree_empty
///   backoff   | no      | ended; will be started when the delay is over      | restart timer, start, stop
///   exited    | no      | ended well, and its policy starts it no more       | start; a oneshot, which is up then: stop, restart
///   failed    | no      | ended badly, and its policy starts it no more      | start, reset
///
/// "process: perhaps" means that the spawn is under way. An instance is in `stopping` from the moment its main
/// process is told to end, or has ended while others of its tree still live (unless its orphans are adopted: then it stays in
/// `running` until the last has ended; or ignored), until the tree is empty and with it that of a command that runs beside it
/// (stop_command), and until post_stop and on_failed are over. A oneshot that is taken down from `exited` is in it until what was
/// started after it has ended, and its stop_command. So no state without a process is ever entered while one exists, and none of them is started again before.
namespace procsup {

enum class State {
    Stopped,
    Waiting,
    Listening,
    Starting,
    Running,
    Reloading,
    Paused,
    Stopping,
    Backoff,
    Exited,
    Failed
};

inline constexpr std::size_t kStates = 11;

std::string_view to_text(State state);

/// Whether a process of the instance may exist.
constexpr bool is_live(State state) {
    return state != State::Stopped && state != State::Waiting && state != State::Listening && state != State::Backoff &&
           state != State::Exited && state != State::Failed;
}

/// Its program runs, and nobody has told it to end.
constexpr bool is_executing(State state) {
    return state == State::Running || state == State::Reloading || state == State::Paused;
}

/// Nothing will happen to it unless someone asks.
constexpr bool is_settled(State state) {
    return state == State::Stopped || state == State::Exited || state == State::Failed;
}

}  // namespace procsup
