#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ctl/exit_code.h"

/// The one table of verbs and options: parsing, help, usage errors, hints, completion and the manual's list of
/// verbs are all made from it.
namespace procsup::ctl {

class Session;

enum class Option : std::uint64_t {
    // Taken by every verb, before or behind it.
    Json = 1u << 0,
    Quiet = 1u << 1,
    Color = 1u << 2,
    Socket = 1u << 3,
    User = 1u << 4,
    Timeout = 1u << 5,
    Help = 1u << 6,
    Version = 1u << 7,
    // Taken by the verbs that name them.
    NoWait = 1u << 8,
    All = 1u << 9,
    For = 1u << 10,
    Follow = 1u << 11,
    Name = 1u << 12,
    Detach = 1u << 13,
    Daemon = 1u << 14,
    Bind = 1u << 15,
    Lines = 1u << 16,
    Since = 1u << 17,
    Until = 1u << 18,
    Stream = 1u << 19,
    Grep = 1u << 20,
    Output = 1u << 21,
    Run = 1u << 22,
    Here = 1u << 23,
    Once = 1u << 24,
    Delay = 1u << 25,
    Cascade = 1u << 26,
    Dot = 1u << 27,
    Critical = 1u << 28,
    DryRun = 1u << 29,
    NoRestart = 1u << 30,
    Rolling = 1u << 31,
    Try = 1ull << 32,
    Shared = 1ull << 33,
    Pid = 1ull << 34,
    Permits = 1ull << 35,
    Count = 1ull << 36,
    At = 1ull << 37,
    Type = 1ull << 38,
};

constexpr std::uint64_t bit(Option option) { return static_cast<std::uint64_t>(option); }

struct OptionText {
    Option option;
    std::string_view name;      ///< "--timeout"
    char letter;                ///< 'f' for -f, or 0
    std::string_view argument;  ///< "DUR", or empty: takes none
    std::string_view choices;   ///< "auto always never": what the argument can be, or empty
    std::string_view help;
};

enum class VerbGroup { State, Act, Configuration, Logs, Transient, Coordination, Project, Daemon, Hidden };

/// What the words behind a verb are.
enum class Operands {
    None,
    Job,      ///< one job
    AnyJobs,  ///< any number of jobs, also none
    Jobs,     ///< at least one job (or --all)
    SignalAndJobs,
    JobAndCount,     ///< JOB N
    Command,         ///< -- CMD [ARG…]
    JobAndCommand,   ///< JOB -- CMD [ARG…]
    NameAndCommand,  ///< NAME -- CMD [ARG…]: of something that is coordinated; without CMD for the process of --pid
    AnyNames,        ///< of such things
    Name,            ///< of one
    NameAndNumber,   ///< of a value, and a number or none
    NameAndNumbers,  ///< and at least one
    NameAndTwo,      ///< and two
    NameOfProcess,   ///< of one that the process of --pid has
    File,            ///< at most one file
    Files,           ///< files or directories
    Shell,
    Verb,      ///< a verb's words, or none
    Anything,  ///< taken verbatim, options too
};

struct Verb {
    std::string_view name;  ///< "status", "daemon status"
    VerbGroup group;
    std::string_view synopsis;  ///< what follows the name: "[JOB…]"
    std::string_view help;      ///< one line, without a full stop
    std::uint64_t options;      ///< bits of the options it takes besides those of every verb
    Operands operands;
    ExitFamily family;
    int (*handler)(Session&);
};

std::span<const Verb> verbs();
std::span<const OptionText> options();

/// The options that every verb takes.
inline constexpr std::uint64_t kGlobalOptions = 0xff;

const Verb* find_verb(std::string_view name);
/// The option that a letter stands for; some stand for another one with another verb. Null: none. `verb` may be null.
const OptionText* find_letter(char letter, const Verb* verb);
std::string_view group_title(VerbGroup group);

}  // namespace procsup::ctl
