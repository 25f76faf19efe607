#include "ctl/completion.h"

#include <algorithm>
#include <array>
#include <map>

#include "common/signal_name.h"
#include "ctl/broker.h"
#include "ctl/handlers.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

const OptionText* find_option(std::string_view word, const Verb* verb) {
    const auto found =
        std::find_if(options().begin(), options().end(), [&](const OptionText& option) { return option.name == word; });
    if (found != options().end()) return &*found;
    return word.size() == 2 && word[0] == '-' ? find_letter(word[1], verb) : nullptr;
}

/// What the finished words have settled.
struct Progress {
    const Verb* verb = nullptr;
    std::string_view unfinished_verb;  ///< "daemon"
    std::size_t operands = 0;
    const OptionText* wants_argument = nullptr;  ///< the last word is an option whose argument comes next
    bool operands_only = false;                  ///< behind the `--` of a verb that takes no command
    bool verbatim = false;                       ///< in a command
    std::size_t command_words = 0;
};

bool takes_command(const Progress& progress) {
    return progress.verb != nullptr &&
           (progress.verb->operands == Operands::Command || progress.verb->operands == Operands::JobAndCommand ||
            progress.verb->operands == Operands::NameAndCommand);
}

/// Whether the next operand begins a command, without a `--` too.
bool command_comes(const Progress& progress) {
    return takes_command(progress) && progress.operands == (progress.verb->operands == Operands::Command ? 0u : 1u);
}

void take_operand(Progress& progress, std::string_view word) {
    if (progress.verb != nullptr) {
        const auto both = std::string(progress.verb->name).append(" ").append(word);
        const bool may_continue = progress.operands == 0 && !progress.operands_only;
        const Verb* const longer = may_continue ? find_verb(both) : nullptr;
        if (longer != nullptr) {
            progress.verb = longer;
        } else {
            ++progress.operands;
        }
    } else if (!progress.unfinished_verb.empty()) {
        progress.verb = find_verb(std::string(progress.unfinished_verb).append(" ").append(word));
    } else if (progress.verb = find_verb(word); progress.verb == nullptr) {
        progress.unfinished_verb = word;
    }
}

Progress follow(std::span<const std::string_view> finished) {
    Progress progress;
    for (const auto word : finished) {
        if (progress.verbatim) {
            ++progress.command_words;
        } else if (progress.wants_argument != nullptr) {
            progress.wants_argument = nullptr;
        } else if (word == "--" && !progress.operands_only) {
            (takes_command(progress) ? progress.verbatim : progress.operands_only) = true;
        } else if (word.size() > 1 && word[0] == '-' && !progress.operands_only) {
            const OptionText* option = find_option(word, progress.verb);
            if (option != nullptr && !option->argument.empty()) progress.wants_argument = option;
        } else if (command_comes(progress)) {
            progress.verbatim = true;
            ++progress.command_words;
        } else {
            take_operand(progress, word);
        }
    }
    return progress;
}

void add_choices(std::string_view choices, const std::string& prefix, Candidates& result) {
    while (!choices.empty()) {
        const std::size_t end = std::min(choices.find(' '), choices.size());
        result.words.push_back({prefix + std::string(choices.substr(0, end)), {}});
        choices.remove_prefix(std::min(end + 1, choices.size()));
    }
}

void add_argument(const OptionText& option, const std::string& prefix, Candidates& result) {
    add_choices(option.choices, prefix, result);
    if (option.option == Option::Socket) result.files = true;
}

void add_options(const Verb* verb, Candidates& result) {
    const std::uint64_t wanted = kGlobalOptions | (verb == nullptr ? 0 : verb->options);
    for (const OptionText& option : options()) {
        if ((wanted & bit(option.option)) == 0) continue;
        result.words.push_back(
            {std::string(option.name) + (option.argument.empty() ? "" : "="), std::string(option.help)});
    }
}

void add_verbs(std::string_view before, Candidates& result) {
    for (const Verb& verb : verbs()) {
        if (verb.group == VerbGroup::Hidden) continue;
        const std::size_t space = verb.name.find(' ');
        if (before.empty()) {
            result.words.push_back({std::string(verb.name.substr(0, space)), std::string(verb.help)});
        } else if (space != std::string_view::npos && verb.name.substr(0, space) == before) {
            result.words.push_back({std::string(verb.name.substr(space + 1)), std::string(verb.help)});
        }
    }
}

void add_signals(std::string_view unfinished, Candidates& result) {
    constexpr int kLastClassic = 31;
    for (int signal = 1; signal <= kLastClassic; ++signal) {
        const std::string name = signal_name(signal);
        result.words.push_back({unfinished.empty() || unfinished.starts_with("SIG") ? name : name.substr(3), {}});
    }
}

/// "lock" of "lock break".
std::string_view subject_of(const Verb& verb) { return verb.name.substr(0, verb.name.find(' ')); }

void add_operands(const Progress& progress, std::string_view unfinished, Candidates& result) {
    // "rotate" behind "logs".
    if (progress.operands == 0 && !progress.operands_only) add_verbs(progress.verb->name, result);
    switch (progress.verb->operands) {
        case Operands::None:
        case Operands::Anything: break;
        case Operands::JobAndCount:
        case Operands::Job: result.jobs = progress.operands == 0; break;
        case Operands::JobAndCommand:
            result.jobs = progress.operands == 0;
            result.commands = progress.operands == 1;
            break;
        case Operands::NameAndCommand:
            if (progress.operands == 0) result.coordinated = subject_of(*progress.verb);
            result.commands = progress.operands == 1;
            break;
        case Operands::NameOfProcess:
        case Operands::NameAndNumber:
        case Operands::NameAndNumbers:
        case Operands::NameAndTwo:
        case Operands::Name:
            if (progress.operands == 0) result.coordinated = subject_of(*progress.verb);
            break;
        case Operands::AnyNames: result.coordinated = subject_of(*progress.verb); break;
        case Operands::AnyJobs:
        case Operands::Jobs: result.jobs = true; break;
        case Operands::SignalAndJobs:
            if (progress.operands == 0) add_signals(unfinished, result);
            result.jobs = progress.operands > 0;
            break;
        case Operands::Command: result.commands = true; break;
        case Operands::File: result.files = progress.operands == 0; break;
        case Operands::Files: result.files = true; break;
        case Operands::Shell:
            for (const auto shell : kShells) result.words.push_back({std::string(shell), {}});
            break;
        case Operands::Verb: add_verbs({}, result); break;
    }
}

/// An instance is told by its state, a job of several by their number.
std::vector<Candidate> names_in(const json::Value::Array& instances) {
    std::map<std::string_view, std::size_t> jobs, groups;
    for (const auto& instance : instances) {
        ++jobs[instance.string_or("job", "")];
        if (const auto group = instance.string_or("group", ""); !group.empty()) ++groups[group];
    }
    std::vector<Candidate> names;
    for (const auto& instance : instances) {
        const auto name = instance.string_or("name", "");
        const auto job = instance.string_or("job", "");
        const bool as_the_job = name == job;
        const bool alone = jobs[job] == 1;
        // The first of several may be called as the job, and then has this name too.
        names.push_back(
            {std::string(name) + (as_the_job && !alone ? "@0" : ""), std::string(instance.string_or("state", ""))});
        if (as_the_job && alone) jobs.erase(job);
    }
    for (const auto& [job, count] : jobs) {
        names.push_back({std::string(job), std::to_string(count) + (count == 1 ? " instance" : " instances")});
    }
    for (const auto& [group, count] : groups) {
        names.push_back(
            {std::string(group), "group of " + std::to_string(count) + (count == 1 ? " instance" : " instances")});
    }
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.word < b.word; });
    return names;
}

/// To the supervisor that the finished words name.
Session asking_for(const Session& session, std::span<const std::string_view> finished) {
    CommandLine line = session.line();
    for (std::size_t i = 0; i < finished.size(); ++i) {
        if (finished[i] == "--user") line.user = true;
        if (finished[i] == "--socket" && i + 1 < finished.size()) line.socket = finished[i + 1];
        if (finished[i].starts_with("--socket=")) line.socket = finished[i].substr(9);
    }
    // Somebody waits at the keyboard.
    line.timeout = std::chrono::seconds(1);
    return Session(line, session.surroundings());
}

/// None when the supervisor is not there.
std::vector<Candidate> names_of_jobs(Session asking) {
    if (asking.client_if_up() == nullptr) return {};
    const auto reply = asking.client_if_up()->call("io.procsupd.Manager.Status", "");
    const json::Value* list = reply ? reply->parameters.find("instances") : nullptr;
    const auto* instances = list == nullptr ? nullptr : list->as_array();
    return instances == nullptr ? std::vector<Candidate>() : names_in(*instances);
}

/// How the broker serves what verbs call a lock, a semaphore or an event.
struct Coordinated {
    std::string_view word, interface, list;
};
constexpr std::array kCoordinated{
    Coordinated{"lock", "io.procsupd.Lock", "locks"}, Coordinated{"sem", "io.procsupd.Semaphore", "semaphores"},
    Coordinated{"event", "io.procsupd.Event", "events"}, Coordinated{"value", "io.procsupd.Value", "values"}};

std::vector<Candidate> names_of_coordinated(Session asking, std::string_view word) {
    const auto* known =
        std::find_if(kCoordinated.begin(), kCoordinated.end(), [&](const auto& one) { return one.word == word; });
    if (known == kCoordinated.end()) return {};
    const Broker broker(asking, known->interface);
    if (asking.client_if_up() == nullptr) return {};
    const auto reply = asking.client_if_up()->call(std::string(known->interface) + ".List", "");
    std::vector<Candidate> names;
    if (!reply) return names;
    for (const auto& one : list_in(reply->parameters, known->list)) {
        names.push_back(
            {std::string(one.string_or("name", "")), std::to_string(list_in(one, "waiters").size()) + " waiting"});
    }
    return names;
}

}  // namespace

Candidates candidates_for(std::span<const std::string_view> words) {
    Candidates result;
    if (words.empty()) {
        add_verbs({}, result);
        return result;
    }
    const std::string_view unfinished = words.back();
    const Progress progress = follow(words.first(words.size() - 1));
    const std::size_t equals = unfinished.find('=');
    if (progress.wants_argument != nullptr) {
        add_argument(*progress.wants_argument, "", result);
    } else if (progress.verbatim) {
        result.commands = progress.command_words == 0;
        result.files = !result.commands;
    } else if (progress.operands_only) {
        if (progress.verb != nullptr) add_operands(progress, unfinished, result);
    } else if (unfinished.starts_with("--") && equals != std::string_view::npos) {
        const OptionText* option = find_option(unfinished.substr(0, equals), progress.verb);
        if (option != nullptr) add_argument(*option, std::string(unfinished.substr(0, equals + 1)), result);
    } else if (unfinished.starts_with('-')) {
        add_options(progress.verb, result);
    } else if (progress.verb == nullptr) {
        add_verbs(progress.unfinished_verb, result);
    } else {
        add_operands(progress, unfinished, result);
    }
    std::erase_if(result.words, [&](const auto& candidate) { return !candidate.word.starts_with(unfinished); });
    // Verbs of two words stand together in the table.
    const auto same_word = [](const auto& a, const auto& b) { return a.word == b.word; };
    result.words.erase(std::unique(result.words.begin(), result.words.end(), same_word), result.words.end());
    return result;
}

namespace {

int print_candidates(Session& session, bool described) {
    const std::span<const std::string_view> words(session.line().operands);
    const auto print = [&](const Candidate& candidate) {
        const bool has_help = described && !candidate.help.empty();
        session.out().line(candidate.word + (has_help ? "\t" + candidate.help : ""));
    };
    const Candidates candidates = candidates_for(words);
    for (const auto& candidate : candidates.words) print(candidate);
    const auto print_matching = [&](const std::vector<Candidate>& names) {
        for (const auto& name : names) {
            if (name.word.starts_with(words.back())) print(name);
        }
    };
    if (!words.empty()) {
        const auto finished = words.first(words.size() - 1);
        if (candidates.jobs) print_matching(names_of_jobs(asking_for(session, finished)));
        if (!candidates.coordinated.empty())
            print_matching(names_of_coordinated(asking_for(session, finished), candidates.coordinated));
    }
    if (candidates.files) session.out().line(":files");
    if (candidates.commands) session.out().line(":commands");
    return kSuccess;
}

}  // namespace

int complete(Session& session) { return print_candidates(session, false); }

int describe(Session& session) { return print_candidates(session, true); }

int completion(Session& session) {
    const auto script = completion_script(session.line().operands.front());
    if (script.empty()) {
        session.out().error("there is a completion for bash, zsh and fish only");
        return kUsage;
    }
    session.out().add(script);
    return kSuccess;
}

}  // namespace procsup::ctl
