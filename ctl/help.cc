#include "ctl/help.h"

#include <array>
#include <utility>

#include "common/did_you_mean.h"
#include "ctl/handlers.h"
#include "ctl/session.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::array kGroups{VerbGroup::State,   VerbGroup::Act,       VerbGroup::Configuration,
                             VerbGroup::Logs,    VerbGroup::Transient, VerbGroup::Coordination,
                             VerbGroup::Project, VerbGroup::Daemon};

std::string usage_of(const Verb& verb) {
    std::string text(verb.name);
    if (!verb.synopsis.empty()) text.append(" ").append(verb.synopsis);
    return text;
}

/// "-f, --follow", "--timeout=DUR".
std::string spelling(const OptionText& option) {
    std::string text;
    if (option.letter != 0) text = std::string("-") + option.letter + ", ";
    text += option.name;
    if (!option.argument.empty()) text.append("=").append(option.argument);
    return text;
}

void add_options(Table& table, std::uint64_t wanted) {
    for (const OptionText& option : options()) {
        if ((wanted & bit(option.option)) != 0) table.add("  ", {spelling(option), std::string(option.help)});
    }
}

std::string exit_codes_of(ExitFamily family) {
    switch (family) {
        case ExitFamily::Status:
            return "0 yes, 1 failed, 2 usage, 3 not running, 4 no such job or not allowed, 69 no supervisor";
        case ExitFamily::Action:
            return "0 done, 1 failed, 2 usage, 4 not allowed, 5 no such job, 6 bad configuration, 69 no supervisor, "
                   "124 timed out";
        case ExitFamily::Run:
            return "the command's own, 128+N killed by signal N, 2 usage, 124 timed out, 125 procsupctl failed, "
                   "126 not executable, 127 not found";
    }
    return {};
}

/// Text for scdoc: its markup characters mean themselves.
std::string plain(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (std::string_view("*_\\#`").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

void add_manual_options(std::string& text, std::uint64_t wanted) {
    for (const OptionText& option : options()) {
        if ((wanted & bit(option.option)) == 0) continue;
        if (option.letter != 0) text += std::string("*-") + option.letter + "*, ";
        text += "*" + plain(option.name) + "*";
        if (!option.argument.empty()) text += "=_" + plain(option.argument) + "_";
        text += "\n\t" + plain(option.help) + ".\n\n";
    }
}

}  // namespace

std::string overview_text() {
    std::string text = "Usage: procsupctl [OPTION…] VERB …\nControls the process supervisor procsupd.\n";
    // One table, so that all groups are aligned alike; the titles have no columns.
    for (const VerbGroup group : kGroups) {
        Table table;
        for (const Verb& verb : verbs()) {
            if (verb.group != group) continue;
            std::string usage = usage_of(verb);
            constexpr std::size_t kColumn = 26;
            if (const auto width = display_width(usage); width < kColumn) usage.append(kColumn - width, ' ');
            table.add("  ", {usage + " " + std::string(verb.help)});
        }
        text.append("\n").append(group_title(group)).append(":\n").append(table.text());
    }
    Table table;
    add_options(table, kGlobalOptions);
    return text + "\nOptions of every verb:\n" + table.text() +
           "\nJOB is a job (web), an instance (web@1) or a pattern ('web@*').\n"
           "`procsupctl help VERB` explains a verb.\n";
}

std::string verb_text(const Verb& verb) {
    std::string text = "Usage: procsupctl " + usage_of(verb) + "\n" + std::string(verb.help) + "\n";
    Table table;
    if (verb.options != 0) text += "\nOptions:\n";
    add_options(table, verb.options | kGlobalOptions);
    if (verb.options == 0) text += "\nOptions of every verb:\n";
    return text + table.text() + "\nExit codes: " + exit_codes_of(verb.family) + "\n";
}

std::string manual_text() {
    std::string text;
    for (const VerbGroup group : kGroups) {
        text.append("## ").append(group_title(group)).append("\n\n");
        for (const Verb& verb : verbs()) {
            if (verb.group != group) continue;
            text += "*" + plain(verb.name) + "*";
            if (!verb.synopsis.empty()) text += " " + plain(verb.synopsis);
            text += "\n\t" + plain(verb.help) + ".\n\n";
        }
    }
    std::uint64_t specific = 0;
    for (const Verb& verb : verbs()) specific |= verb.options;
    text += "# OPTIONS\n\nOf every verb, before or behind it:\n\n";
    add_manual_options(text, kGlobalOptions);
    text += "Of the verbs that name them:\n\n";
    add_manual_options(text, specific);
    return text;
}

int help(Session& session) {
    std::string name;
    for (const auto word : session.line().operands) name.append(name.empty() ? "" : " ").append(word);
    if (name.empty()) {
        session.out().add(overview_text());
        return kSuccess;
    }
    if (const Verb* verb = find_verb(name)) {
        session.out().add(verb_text(*verb));
        return kSuccess;
    }
    std::vector<std::string_view> names;
    for (const Verb& verb : verbs()) {
        if (verb.group != VerbGroup::Hidden) names.push_back(verb.name);
    }
    session.out().error("unknown command '" + escaped(name) + "'" + did_you_mean(name, names));
    return kUsage;
}

int print_manual(Session& session) {
    session.out().add(manual_text());
    return kSuccess;
}

}  // namespace procsup::ctl
