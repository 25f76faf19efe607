#include "ctl/verb.h"

#include <array>

#include "ctl/handlers.h"

namespace procsup::ctl {
namespace {

constexpr auto kOptions = std::to_array<OptionText>({
    {Option::Json, "--json", 0, "", "", "print the supervisor's answer as JSON"},
    {Option::Quiet, "--quiet", 'q', "", "", "print errors only"},
    {Option::Color, "--color", 0, "WHEN", "auto always never", "colours: auto, always or never"},
    {Option::Socket, "--socket", 0, "PATH", "", "the supervisor's socket"},
    {Option::User, "--user", 0, "", "", "talk to the user's own supervisor"},
    {Option::Timeout, "--timeout", 'w', "DUR", "", "wait no longer than this (\"30s\", \"1min30s\")"},
    {Option::Help, "--help", 'h', "", "", "explain the verb"},
    {Option::Version, "--version", 0, "", "", "print the version"},
    {Option::NoWait, "--no-wait", 0, "", "", "give the order and do not wait for the result"},
    {Option::All, "--all", 0, "", "", "all jobs"},
    {Option::For, "--for", 0, "WHAT", "ready healthy stopped exit",
     "wait until ready (default), healthy, stopped or the next exit"},
    {Option::Follow, "--follow", 'f', "", "", "go on with every change until interrupted"},
    {Option::Name, "--name", 0, "NAME", "", "name of the transient job"},
    {Option::Detach, "--detach", 0, "", "", "return when the command runs"},
    {Option::Daemon, "--daemon", 0, "", "",
     "return when the command runs, and stop it when the job that asks, or else "
     "procsupctl's parent process, has ended"},
    {Option::Lines, "--lines", 'n', "N", "",
     "the last N: lines of logs (with --follow 10, unless there is --since), runs of history (20)"},
    {Option::Since, "--since", 0, "TIME", "",
     "nothing before: \"10min\" ago, \"12:30\", \"2026-03-03 10:00\", today, yesterday"},
    {Option::Until, "--until", 0, "TIME", "", "nothing after"},
    {Option::Run, "--run", 0, "N", "", "one run of each job only: 0 is the newest, 1 the one before"},
    {Option::Stream, "--stream", 0, "NAME", "stdout stderr", "one stream only: stdout or stderr"},
    {Option::Grep, "--grep", 0, "RE", "", "lines in which the regular expression (Perl's, POSIX extended) matches"},
    {Option::Output, "--output", 'o', "FORM", "short json cat raw",
     "time, job and text (short), an object a line (json), the text (cat), or the files' lines as they are (raw)"},
    {Option::Bind, "--bind", 0, "PID", "", "with --daemon: stop it when that process has ended"},
    {Option::Once, "--once", '1', "", "", "print it once and end"},
    {Option::Delay, "--delay", 'd', "DUR", "", "from one look to the next (\"1s\")"},
    {Option::Cascade, "--cascade", 0, "", "", "also stop what requires it"},
    {Option::Critical, "--critical", 0, "", "", "what took longest: what was ready last, and what that waited for"},
    {Option::Dot, "--dot", 0, "", "", "in the language of Graphviz: procsupctl graph --dot | dot -Tsvg"},
    {Option::DryRun, "--dry-run", 0, "", "", "print what would be done and why, and change nothing"},
    {Option::NoRestart, "--no-restart", 0, "", "", "what runs keeps settings that need a restart until its next start"},
    {Option::Rolling, "--rolling", 0, "", "",
     "one instance after the other, the next when the one before is ready; a failure ends it"},
    {Option::Try, "--try", 'n', "", "", "do not wait: exit 124 when it is not to be had at once"},
    {Option::Shared, "--shared", 's', "", "", "with others who share it, but with nobody who does not"},
    {Option::Pid, "--pid", 0, "PID", "", "for that process, of your own, until it ends (in a shell: $$)"},
    {Option::Permits, "--permits", 0, "N", "", "make the semaphore, with so many permits, if it is not there"},
    {Option::Count, "--count", 0, "N", "", "so many permits, all at once (1)"},
    {Option::At, "--at", 0, "I", "", "number I of a value that has several, counted from 0"},
    {Option::Type, "--type", 0, "TYPE", "int8 uint8 int16 uint16 int32 uint32 int64 uint64 double",
     "make the value of this type, if it is not there"},
    {Option::Here, "--here", 0, "", "", "also what this kernel, user or container could not enforce for each job"},
});

constexpr std::uint64_t kAct = bit(Option::NoWait) | bit(Option::All);
constexpr std::uint64_t kChange = bit(Option::DryRun) | bit(Option::NoRestart);

constexpr auto kVerbs = std::to_array<Verb>({
    {"status", VerbGroup::State, "[JOB…]", "how the supervisor and its jobs are; one JOB in detail", 0,
     Operands::AnyJobs, ExitFamily::Status, status},
    {"list", VerbGroup::State, "[JOB…]", "one line for each instance", 0, Operands::AnyJobs, ExitFamily::Status, list},
    {"show", VerbGroup::State, "JOB", "all settings and the state of a job", 0, Operands::Job, ExitFamily::Status,
     show},
    {"cat", VerbGroup::State, "JOB", "the settings as TOML, with where they came from", 0, Operands::Job,
     ExitFamily::Status, cat},
    {"why", VerbGroup::State, "JOB", "why a job is in its state, and what to do", 0, Operands::Job, ExitFamily::Status,
     why},
    {"history", VerbGroup::State, "[-n N] [JOB…]", "past runs: when, how long, how they ended and why",
     bit(Option::Lines), Operands::AnyJobs, ExitFamily::Status, history},
    {"graph", VerbGroup::State, "[--critical] [--dot] [JOB…]", "what jobs depend on, in the order in which they start",
     bit(Option::Critical) | bit(Option::Dot), Operands::AnyJobs, ExitFamily::Status, graph},
    {"tree", VerbGroup::State, "[JOB…]", "the processes of jobs: orphans, zombies and whose they are", 0,
     Operands::AnyJobs, ExitFamily::Status, tree},
    {"top", VerbGroup::State, "[--once] [--delay=DUR] [JOB…]", "what the processes of jobs use, until q is pressed",
     bit(Option::Once) | bit(Option::Delay), Operands::AnyJobs, ExitFamily::Status, top},
    {"is-active", VerbGroup::State, "JOB…", "exit 0 when all of them do their work, else 3", bit(Option::All),
     Operands::Jobs, ExitFamily::Status, is_active},
    {"is-failed", VerbGroup::State, "JOB…", "exit 0 when one of them has failed, else 1", bit(Option::All),
     Operands::Jobs, ExitFamily::Status, is_failed},
    {"events", VerbGroup::State, "[-f] [JOB…]", "the present states, and with -f every change", bit(Option::Follow),
     Operands::AnyJobs, ExitFamily::Status, events},
    {"groups", VerbGroup::State, "", "the groups of jobs: how many work, and how often they were restarted lately", 0,
     Operands::None, ExitFamily::Status, groups},
    {"schedule", VerbGroup::State, "[JOB…]", "when tasks are started next, and how their last runs have ended", 0,
     Operands::AnyJobs, ExitFamily::Status, schedule},
    {"metrics", VerbGroup::State, "[JOB…]", "what is measured of the supervisor and its jobs, for Prometheus", 0,
     Operands::AnyJobs, ExitFamily::Status, metrics},

    {"start", VerbGroup::Act, "JOB…", "start and wait until it runs", kAct, Operands::Jobs, ExitFamily::Action, start},
    {"stop", VerbGroup::Act, "[--cascade] JOB…", "stop and wait until nothing is left", kAct | bit(Option::Cascade),
     Operands::Jobs, ExitFamily::Action, stop},
    {"restart", VerbGroup::Act, "[--rolling] JOB…", "stop, then start with the newest settings",
     kAct | bit(Option::Rolling), Operands::Jobs, ExitFamily::Action, restart},
    {"scale", VerbGroup::Act, "JOB N", "run N instances of a job from now on, until its file says another number",
     bit(Option::NoWait), Operands::JobAndCount, ExitFamily::Action, scale},
    {"reload", VerbGroup::Act, "[JOB…]", "make a job read its files again; without JOB: as apply", bit(Option::NoWait),
     Operands::AnyJobs, ExitFamily::Action, reload},
    {"signal", VerbGroup::Act, "SIG JOB…",
     "send a signal to the main process, or, when there is none, to its stop_command or the hook that runs",
     bit(Option::All), Operands::SignalAndJobs, ExitFamily::Action, signal_jobs},
    {"pause", VerbGroup::Act, "JOB…", "make every process of it stand still", bit(Option::All), Operands::Jobs,
     ExitFamily::Action, pause_jobs},
    {"resume", VerbGroup::Act, "JOB…", "let what was paused go on", bit(Option::All), Operands::Jobs,
     ExitFamily::Action, resume},
    {"reset", VerbGroup::Act, "JOB…", "forget failures and restart counts", bit(Option::All), Operands::Jobs,
     ExitFamily::Action, reset},
    {"wait", VerbGroup::Act, "[--for=WHAT] JOB…", "wait until ready, healthy, stopped or exited",
     bit(Option::For) | bit(Option::All), Operands::Jobs, ExitFamily::Action, wait_for_jobs},

    {"check-health", VerbGroup::Act, "JOB…", "look at its health once, now: exit 0 when that is good, else 1",
     bit(Option::All), Operands::Jobs, ExitFamily::Action, check_health},

    {"apply", VerbGroup::Configuration, "[--dry-run] [--no-restart]",
     "read the configuration again and change what differs, all or nothing", kChange, Operands::None,
     ExitFamily::Action, apply},
    {"rollback", VerbGroup::Configuration, "[--dry-run] [--no-restart]",
     "go back to the configuration before the last change; files stay as they are", kChange, Operands::None,
     ExitFamily::Action, rollback},

    {"logs", VerbGroup::Logs, "[-f] [-n N] [JOB…]", "what jobs have written, oldest first",
     bit(Option::Follow) | bit(Option::Lines) | bit(Option::Since) | bit(Option::Until) | bit(Option::Stream) |
         bit(Option::Grep) | bit(Option::Output) | bit(Option::Run),
     Operands::AnyJobs, ExitFamily::Status, logs},
    {"logs rotate", VerbGroup::Logs, "JOB…",
     "end the present log files and begin new ones; `logs -- rotate` shows a job of that name", bit(Option::All),
     Operands::Jobs, ExitFamily::Action, rotate_logs},

    {"run", VerbGroup::Transient, "[--name=NAME] [--detach|--daemon] -- CMD [ARG…]",
     "run a command once, supervised, with this terminal",
     bit(Option::Name) | bit(Option::Detach) | bit(Option::Daemon) | bit(Option::Bind), Operands::Command,
     ExitFamily::Run, run},
    {"exec", VerbGroup::Transient, "JOB -- CMD [ARG…]", "run a command with the rights, limits and environment of JOB",
     bit(Option::Name) | bit(Option::Detach), Operands::JobAndCommand, ExitFamily::Run, exec_like},

    {"lock", VerbGroup::Coordination, "[-n|-w DUR] [--shared] NAME -- CMD [ARG…] | NAME --pid PID",
     "wait for a lock, and run a command that has it until it ends",
     bit(Option::Try) | bit(Option::Shared) | bit(Option::Pid), Operands::NameAndCommand, ExitFamily::Run, lock},
    {"lock release", VerbGroup::Coordination, "NAME --pid PID", "release a lock for the process that has it",
     bit(Option::Pid), Operands::NameOfProcess, ExitFamily::Action, release_lock},
    {"lock ls", VerbGroup::Coordination, "[NAME…]", "who holds locks, and who waits for them", 0, Operands::AnyNames,
     ExitFamily::Action, list_locks},
    {"lock break", VerbGroup::Coordination, "NAME", "take a lock from who holds it, or forget that it was abandoned", 0,
     Operands::Name, ExitFamily::Action, break_lock},
    {"sem acquire", VerbGroup::Coordination,
     "[-n|-w DUR] [--permits N] [--count N] NAME -- CMD [ARG…] | NAME --pid PID",
     "wait for permits of a semaphore, and run a command that has them until it ends",
     bit(Option::Try) | bit(Option::Permits) | bit(Option::Count) | bit(Option::Pid), Operands::NameAndCommand,
     ExitFamily::Run, acquire_permits},
    {"sem release", VerbGroup::Coordination, "[--count N] NAME [--pid PID]",
     "give permits back for the process that has them", bit(Option::Count) | bit(Option::Pid), Operands::Name,
     ExitFamily::Action, release_permits},
    {"sem ls", VerbGroup::Coordination, "[NAME…]", "who has permits of semaphores, and who waits for them", 0,
     Operands::AnyNames, ExitFamily::Action, list_semaphores},
    {"sem rm", VerbGroup::Coordination, "NAME", "remove a semaphore; who waits for it is told", 0, Operands::Name,
     ExitFamily::Action, remove_semaphore},
    {"event set", VerbGroup::Coordination, "NAME", "let all go on who wait for an event, now and later", 0,
     Operands::Name, ExitFamily::Action, set_event},
    {"event clear", VerbGroup::Coordination, "NAME", "make those wait again who come later", 0, Operands::Name,
     ExitFamily::Action, clear_event},
    {"event wait", VerbGroup::Coordination, "[-n|-w DUR] NAME", "wait until an event is set", bit(Option::Try),
     Operands::Name, ExitFamily::Action, wait_for_event},
    {"event ls", VerbGroup::Coordination, "[NAME…]", "which events are set, and who waits for them", 0,
     Operands::AnyNames, ExitFamily::Action, list_events},
    {"value get", VerbGroup::Coordination, "[--at I] NAME", "print a value's numbers", bit(Option::At), Operands::Name,
     ExitFamily::Action, get_value},
    {"value set", VerbGroup::Coordination, "[--at I] [--type TYPE] NAME N…", "replace a value's numbers",
     bit(Option::At) | bit(Option::Type), Operands::NameAndNumbers, ExitFamily::Action, set_value},
    {"value add", VerbGroup::Coordination, "[--at I] [--type TYPE] NAME N…",
     "add to a value's numbers, and print what they are then", bit(Option::At) | bit(Option::Type),
     Operands::NameAndNumbers, ExitFamily::Action, add_to_value},
    {"value cas", VerbGroup::Coordination, "[--at I] NAME OLD NEW",
     "replace a value's number if it is OLD, else exit 1", bit(Option::At), Operands::NameAndTwo, ExitFamily::Action,
     compare_and_set_value},
    {"value wait", VerbGroup::Coordination, "[-n|-w DUR] NAME [VERSION]",
     "wait until a value changes, from now or from that version on, and print it", bit(Option::Try),
     Operands::NameAndNumber, ExitFamily::Action, wait_for_value},
    {"value ls", VerbGroup::Coordination, "[NAME…]", "which values there are, and who waits for them to change", 0,
     Operands::AnyNames, ExitFamily::Action, list_values},
    {"value rm", VerbGroup::Coordination, "NAME", "remove a value", 0, Operands::Name, ExitFamily::Action,
     remove_value},

    {"up", VerbGroup::Project, "[FILE]", "start the supervisor of a project file, or apply the file again",
     bit(Option::NoWait), Operands::File, ExitFamily::Action, up},
    {"down", VerbGroup::Project, "[FILE]", "stop the jobs and the supervisor of a project file", bit(Option::NoWait),
     Operands::File, ExitFamily::Action, down},
    {"check", VerbGroup::Project, "[--here] [FILE|DIR…]",
     "report everything that is wrong in a configuration (default: procsup.toml here, or else the supervisor's "
     "directories)",
     bit(Option::Here), Operands::Files, ExitFamily::Action, check},
    {"schema", VerbGroup::Project, "", "print the JSON schema of job files and project files, for editors", 0,
     Operands::None, ExitFamily::Action, schema},

    {"ping", VerbGroup::Daemon, "", "exit 0 when the supervisor answers", 0, Operands::None, ExitFamily::Action, ping},
    {"shutdown", VerbGroup::Daemon, "", "stop every job and end the supervisor", bit(Option::NoWait), Operands::None,
     ExitFamily::Action, shut_down},
    {"daemon status", VerbGroup::Daemon, "", "how the supervisor itself is", 0, Operands::None, ExitFamily::Status,
     daemon_status},
    {"version", VerbGroup::Daemon, "", "print the version of procsupctl", 0, Operands::None, ExitFamily::Action,
     version},
    {"completion", VerbGroup::Daemon, "bash|zsh|fish", "print the shell's completion script", 0, Operands::Shell,
     ExitFamily::Action, completion},
    {"help", VerbGroup::Daemon, "[VERB]", "explain the verbs, or one of them", 0, Operands::Verb, ExitFamily::Action,
     help},

    {"__complete", VerbGroup::Hidden, "[WORD…]", "candidates for the last word", 0, Operands::Anything,
     ExitFamily::Action, complete},
    {"__describe", VerbGroup::Hidden, "[WORD…]", "candidates for the last word, each with a tab and what it is", 0,
     Operands::Anything, ExitFamily::Action, describe},
    {"__man", VerbGroup::Hidden, "", "the manual's list of verbs and options", 0, Operands::None, ExitFamily::Action,
     print_manual},
});

}  // namespace

std::span<const Verb> verbs() { return kVerbs; }

std::span<const OptionText> options() { return kOptions; }

const Verb* find_verb(std::string_view name) {
    for (const Verb& verb : kVerbs) {
        if (verb.name == name) return &verb;
    }
    return nullptr;
}

const OptionText* find_letter(char letter, const Verb* verb) {
    const OptionText* found = nullptr;
    for (const OptionText& option : kOptions) {
        if (option.letter != letter) continue;
        if (verb != nullptr && (verb->options & bit(option.option)) != 0) return &option;
        if (found == nullptr) found = &option;
    }
    return found;
}

std::string_view group_title(VerbGroup group) {
    switch (group) {
        case VerbGroup::State: return "State";
        case VerbGroup::Act: return "Act";
        case VerbGroup::Configuration: return "Configuration";
        case VerbGroup::Logs: return "Logs";
        case VerbGroup::Transient: return "Transient jobs";
        case VerbGroup::Coordination: return "Coordination";
        case VerbGroup::Project: return "Projects";
        case VerbGroup::Daemon: return "Supervisor";
        case VerbGroup::Hidden: return {};
    }
    return {};
}

}  // namespace procsup::ctl
