#include "ctl/command_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "common/did_you_mean.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

Error usage_error(std::string message) { return Error{std::move(message), 0}; }

std::string quoted(std::string_view word) { return "'" + escaped(word) + "'"; }

/// The state of reading one command line, word by word.
class Parser {
public:
    explicit Parser(std::span<const std::string_view> words) : words_(words) {}

    Result<CommandLine> parse() {
        while (at_ < words_.size()) {
            if (auto taken = take_word(); !taken) return taken.error();
        }
        if (auto settled = settle_verb(); !settled) return settled.error();
        if (auto fits = check_options(); !fits) return fits.error();
        if (line_.help) return std::move(line_);
        if (auto fits = check_operands(); !fits) return fits.error();
        return std::move(line_);
    }

private:
    bool verbatim() const { return line_.verb != nullptr && line_.verb->operands == Operands::Anything; }

    /// How many operands come before the command, or nothing for verbs without one.
    std::optional<std::size_t> command_position() const {
        if (line_.verb == nullptr) return std::nullopt;
        if (line_.verb->operands == Operands::Command) return 0;
        if (line_.verb->operands == Operands::JobAndCommand || line_.verb->operands == Operands::NameAndCommand)
            return 1;
        return std::nullopt;
    }

    Result<void> take_word() {
        const std::string_view word = words_[at_];
        if (verbatim()) {
            line_.operands.push_back(word);
            ++at_;
            return {};
        }
        if (word == "--") {
            ++at_;
            take_rest();
            return {};
        }
        if (word.size() > 1 && word[0] == '-' && !is_negative_number(word)) {
            ++at_;
            return word[1] == '-' ? take_long_option(word) : take_letters(word);
        }
        if (line_.verb == nullptr) return take_verb();
        if (command_position() == line_.operands.size()) {
            take_rest();
            return {};
        }
        line_.operands.push_back(word);
        ++at_;
        return {};
    }

    /// Not an option: of a count it is told what it is.
    bool is_negative_number(std::string_view word) const {
        constexpr std::array kNumbers{Operands::JobAndCount, Operands::NameAndNumber, Operands::NameAndNumbers,
                                      Operands::NameAndTwo};
        const bool takes = line_.verb != nullptr &&
                           std::find(kNumbers.begin(), kNumbers.end(), line_.verb->operands) != kNumbers.end();
        return takes && (word[1] == '.' || (word[1] >= '0' && word[1] <= '9'));
    }

    void take_rest() {
        auto& target = command_position() ? line_.command : line_.operands;
        target.insert(target.end(), words_.begin() + static_cast<std::ptrdiff_t>(at_), words_.end());
        at_ = words_.size();
    }

    Result<void> take_verb() {
        const std::string_view word = words_[at_++];
        if (at_ < words_.size()) {
            const std::string both = std::string(word).append(" ").append(words_[at_]);
            if (line_.verb = find_verb(both); line_.verb != nullptr) {
                ++at_;
                return {};
            }
        }
        line_.verb = find_verb(word);
        if (line_.verb == nullptr) return unknown_verb(word);
        return {};
    }

    Error unknown_verb(std::string_view word) const {
        std::vector<std::string_view> names;
        for (const Verb& verb : verbs()) {
            if (verb.name.starts_with(std::string(word) + " ")) {
                return usage_error("unknown command " + quoted(word) + " (did you mean '" + std::string(verb.name) +
                                   "'?)");
            }
            if (verb.group != VerbGroup::Hidden) names.push_back(verb.name);
        }
        return usage_error("unknown command " + quoted(word) + did_you_mean(word, names));
    }

    Result<void> take_long_option(std::string_view word) {
        const std::size_t equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        std::optional<std::string_view> argument;
        if (equals != std::string_view::npos) argument = word.substr(equals + 1);
        for (const OptionText& option : options()) {
            if (option.name == name) return take_option(option, argument);
        }
        std::vector<std::string_view> names;
        for (const OptionText& option : options()) names.push_back(option.name);
        return usage_error("unknown option " + quoted(name) + did_you_mean(name, names));
    }

    Result<void> take_letters(std::string_view word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const auto* known = find_letter(word[i], line_.verb);
            if (known == nullptr) return usage_error("unknown option " + quoted(word));
            // "-n20" is "-n 20".
            if (!known->argument.empty() && i + 1 < word.size()) return take_option(*known, word.substr(i + 1));
            if (auto taken = take_option(*known, std::nullopt); !taken) return taken;
        }
        return {};
    }

    Result<void> take_option(const OptionText& option, std::optional<std::string_view> argument) {
        const std::string name(option.name);
        if (option.argument.empty()) {
            if (argument) return usage_error("option '" + name + "' takes no argument");
        } else if (!argument) {
            if (at_ == words_.size()) return usage_error("option '" + name + "' needs " + std::string(option.argument));
            argument = words_[at_++];
        }
        if (argument && argument->empty()) return usage_error("option '" + name + "' is empty");
        given_ |= bit(option.option);
        return apply(option, argument.value_or(std::string_view()));
    }

    Result<void> apply(const OptionText& option, std::string_view argument) {
        switch (option.option) {
            case Option::Json: line_.json = true; return {};
            case Option::Quiet: line_.quiet = true; return {};
            case Option::Socket: line_.socket = argument; return {};
            case Option::User: line_.user = true; return {};
            case Option::Help: line_.help = true; return {};
            case Option::Version: return {};
            case Option::NoWait: line_.no_wait = true; return {};
            case Option::All: line_.all = true; return {};
            case Option::Follow: line_.follow = true; return {};
            case Option::Name: line_.name = argument; return {};
            case Option::Detach: line_.detach = true; return {};
            case Option::Daemon: line_.daemon = true; return {};
            case Option::Here: line_.here = true; return {};
            case Option::Cascade: line_.cascade = true; return {};
            case Option::Critical: line_.critical = true; return {};
            case Option::Dot: line_.dot = true; return {};
            case Option::DryRun: line_.dry_run = true; return {};
            case Option::NoRestart: line_.no_restart = true; return {};
            case Option::Rolling: line_.rolling = true; return {};
            case Option::Once: line_.once = true; return {};
            case Option::Try: line_.try_only = true; return {};
            case Option::Shared: line_.shared = true; return {};
            case Option::Delay: return take_delay(argument);
            case Option::Bind: return take_pid("--bind", argument, line_.bind);
            case Option::Pid: return take_pid("--pid", argument, line_.pid);
            case Option::Permits: return take_permits("--permits", argument, line_.permits.emplace());
            case Option::At: return take_index(argument);
            case Option::Type: line_.number_type = argument; return check_choice(option, argument);
            case Option::Count: return take_permits("--count", argument, line_.permit_count);
            case Option::Lines: return take_count("--lines", "lines", argument, line_.logs.lines);
            case Option::Run: return take_count("--run", "runs", argument, line_.logs.run);
            case Option::Since: line_.logs.since = argument; return {};
            case Option::Until: line_.logs.until = argument; return {};
            case Option::Grep: line_.logs.grep = argument; return {};
            case Option::Stream: line_.logs.stream = argument; return check_choice(option, argument);
            case Option::Output: line_.logs.output = argument; return check_choice(option, argument);
            case Option::Timeout: return take_timeout(argument);
            case Option::For: {
                if (auto known = check_choice(option, argument); !known) return known;
                line_.wait_for = argument;
                return {};
            }
            case Option::Color: {
                if (auto known = check_choice(option, argument); !known) return known;
                line_.color = argument == "auto"     ? ColorChoice::Auto
                              : argument == "always" ? ColorChoice::Always
                                                     : ColorChoice::Never;
                return {};
            }
        }
        return {};
    }

    Result<void> take_timeout(std::string_view argument) {
        if (argument == "none") {
            line_.timeout.reset();
            return {};
        }
        auto duration = parse_duration(argument);
        if (!duration) return usage_error("option '--timeout': " + escaped(duration.error().message));
        line_.timeout = *duration;
        return {};
    }

    Result<void> take_delay(std::string_view argument) {
        constexpr Duration kLeast = std::chrono::milliseconds(100);
        constexpr Duration kMost = std::chrono::hours(1);
        const auto duration = parse_duration(argument);
        if (!duration) return usage_error("option '--delay': " + escaped(duration.error().message));
        if (*duration < kLeast || *duration > kMost) return usage_error("option '--delay' must be from 100ms to 1h");
        line_.delay = *duration;
        return {};
    }

    Result<void> take_count(std::string_view option, std::string_view what, std::string_view argument,
                            std::optional<std::uint64_t>& out) {
        std::uint64_t count = 0;
        const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), count);
        if (error != std::errc() || end != argument.data() + argument.size()) {
            return usage_error("option '" + std::string(option) + "': " + quoted(argument) + " is no number of " +
                               std::string(what));
        }
        out = count;
        return {};
    }

    static Result<void> take_pid(std::string_view option, std::string_view argument, std::int64_t& out) {
        const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), out);
        const bool whole = error == std::errc() && end == argument.data() + argument.size();
        if (whole && out > 0 && out <= INT32_MAX) return {};
        return usage_error("option '" + std::string(option) + "': " + quoted(argument) + " is no process id");
    }

    Result<void> take_index(std::string_view argument) {
        line_.at_given = true;
        const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), line_.at);
        if (error == std::errc() && end == argument.data() + argument.size()) return {};
        return usage_error("option '--at': " + quoted(argument) + " is no number from 0 on");
    }

    static Result<void> take_permits(std::string_view option, std::string_view argument, std::uint32_t& out) {
        const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), out);
        const bool whole = error == std::errc() && end == argument.data() + argument.size();
        if (whole && out > 0 && out <= INT32_MAX) return {};
        return usage_error("option '" + std::string(option) + "': " + quoted(argument) + " is no number of permits");
    }

    static Result<void> check_choice(const OptionText& option, std::string_view argument) {
        std::vector<std::string_view> choices;
        for (std::string_view rest = option.choices; !rest.empty();) {
            const std::size_t space = std::min(rest.find(' '), rest.size());
            choices.push_back(rest.substr(0, space));
            rest.remove_prefix(std::min(space + 1, rest.size()));
        }
        if (std::find(choices.begin(), choices.end(), argument) != choices.end()) return {};
        std::string text = "option '" + std::string(option.name) + "' cannot be " + quoted(argument);
        const std::string near = did_you_mean(argument, choices);
        return usage_error(text + (near.empty() ? " (one of: " + std::string(option.choices) + ")" : near));
    }

    Result<void> settle_verb() {
        if ((given_ & bit(Option::Version)) != 0) {
            line_.verb = find_verb("version");
            line_.operands.clear();
            line_.help = false;
        } else if (line_.verb == nullptr && line_.help) {
            line_.verb = find_verb("help");
        } else if (line_.verb == nullptr) {
            return usage_error("a command is missing");
        }
        return {};
    }

    Result<void> check_options() {
        const std::uint64_t foreign = given_ & ~(kGlobalOptions | line_.verb->options);
        for (const OptionText& option : options()) {
            if ((foreign & bit(option.option)) != 0) {
                return usage_error("option '" + std::string(option.name) + "' is not for '" +
                                   std::string(line_.verb->name) + "'");
            }
        }
        if (line_.rolling && line_.all) return usage_error("options '--rolling' and '--all' exclude each other");
        if (line_.try_only && line_.timeout) return usage_error("options '--try' and '--timeout' exclude each other");
        if (line_.bind != 0 && !line_.daemon) return usage_error("option '--bind' needs '--daemon'");
        if (line_.json && !line_.logs.output.empty() && line_.logs.output != "json") {
            return usage_error("options '--json' and '--output' exclude each other");
        }
        if (line_.follow && !line_.logs.until.empty()) {
            return usage_error("options '--follow' and '--until' exclude each other");
        }
        if (line_.user && !line_.socket.empty())
            return usage_error("options '--user' and '--socket' exclude each other");
        return {};
    }

    Result<void> check_operands() {
        const std::size_t count = line_.operands.size();
        switch (line_.verb->operands) {
            case Operands::None: return at_most(0);
            case Operands::Job: return count == 0 ? missing("a JOB") : at_most(1);
            case Operands::AnyJobs: return {};
            case Operands::Jobs: return check_jobs(0);
            case Operands::SignalAndJobs: return count == 0 ? missing("a signal and a JOB") : check_jobs(1);
            case Operands::JobAndCount: return check_count();
            case Operands::Command: return line_.command.empty() ? missing("a command behind '--'") : Result<void>();
            case Operands::JobAndCommand:
                if (count == 0) return missing("a JOB");
                return line_.command.empty() ? missing("a command behind '--'") : Result<void>();
            case Operands::NameAndCommand: return check_holder();
            case Operands::NameOfProcess:
                if (line_.pid == 0) return missing("a NAME and '--pid PID': whose it is");
                [[fallthrough]];
            case Operands::Name: return count == 0 ? missing("a NAME") : at_most(1);
            case Operands::NameAndNumber: return count == 0 ? missing("a NAME") : at_most(2);
            case Operands::NameAndNumbers: return count < 2 ? missing("a NAME and a number") : Result<void>();
            case Operands::NameAndTwo: return count < 3 ? missing("a NAME and two numbers: OLD and NEW") : at_most(3);
            case Operands::AnyNames: return {};
            case Operands::File: return at_most(1);
            case Operands::Files: return {};
            case Operands::Shell: return count == 0 ? missing("a shell: bash, zsh or fish") : at_most(1);
            case Operands::Verb: return at_most(2);
            case Operands::Anything: return {};
        }
        return {};
    }

    /// Either a command is to have it or a process.
    Result<void> check_holder() {
        if (line_.operands.empty()) return missing("a NAME");
        const bool has_command = !line_.command.empty();
        if (has_command && line_.pid != 0) return usage_error("'--pid' and a command exclude each other");
        if (!has_command && line_.pid == 0)
            return missing("a command behind '--', or '--pid PID' for a process that runs already");
        return has_command ? Result<void>() : at_most(1);
    }

    Result<void> check_jobs(std::size_t before) {
        const bool named = line_.operands.size() > before;
        if (line_.all && named) return usage_error("'--all' and names of jobs exclude each other");
        if (!line_.all && !named) return missing("a JOB (or --all)");
        return {};
    }

    Result<void> check_count() {
        if (line_.operands.empty()) return missing("a JOB and a number");
        if (line_.operands.size() == 1) return missing("a number of instances (as in: procsupctl scale web 3)");
        if (auto fits = at_most(2); !fits) return fits;
        const auto word = line_.operands[1];
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), line_.count);
        if (error == std::errc() && end == word.data() + word.size()) return {};
        return usage_error(quoted(word) + " is no number of instances (as in: procsupctl scale web 3)");
    }

    Result<void> missing(std::string_view what) const {
        return usage_error("'" + std::string(line_.verb->name) + "' needs " + std::string(what));
    }

    Result<void> at_most(std::size_t count) const {
        if (line_.operands.size() <= count) return {};
        return usage_error("'" + std::string(line_.verb->name) + "' does not take " + quoted(line_.operands[count]));
    }

    std::span<const std::string_view> words_;
    std::size_t at_ = 0;
    std::uint64_t given_ = 0;
    CommandLine line_;
};

}  // namespace

Result<CommandLine> parse_command_line(std::span<const std::string_view> words) { return Parser(words).parse(); }

}  // namespace procsup::ctl
