#include <array>
#include <string>
#include <string_view>

#include "conf/keys.h"

namespace procsup {
namespace {

struct Chapter {
    std::string_view section;
    std::string_view title;
    std::string_view text;
};

constexpr std::array<Chapter, 10> kChapters{{
    {"", "JOB SETTINGS",
     "The keys of a job file, of [jobs.NAME] and of [defaults]. A change of a key that is called _live_ takes effect "
     "at "
     "once when it is applied, also for a job that runs, and times that are running go by the new limit; with any "
     "other "
     "the job is restarted."},
    {"ready", "READINESS: [ready]",
     "How it is found out that a service does its work: at most one of the keys up to _file_. Without any of them it "
     "is ready when its "
     "program runs. Whoever requires it waits for that, and so does procsupctl(1) start."},
    {"health", "HEALTH: [health]",
     "How it is found out, again and again, that a service that was ready still does its work: one of the keys up to "
     "_exec_. See HEALTH below."},
    {"schedule", "SCHEDULES: [schedule]", "When a task is started, again and again. See SCHEDULES below."},
    {"log", "OUTPUT AND INPUT: [log]", "Where a job's standard streams go to and come from."},
    {"limits", "LIMITS: [limits]",
     "What one process of a job may use, what all of them may use together (from _memory_max_ on), and who goes first. "
     "A resource limit is one value, which is its soft and its "
     "hard limit, or both as \"SOFT:HARD\", such as \"1024:4096\" or \"1min:unlimited\". What the kernel, the user or "
     "the "
     "container does not permit is told by procsupctl(1) check --here beforehand, and by status."},
    {"sandbox", "RIGHTS: [sandbox]",
     "What a job may do, whoever it runs as. What the kernel, the user or the container does not permit of it is told "
     "by "
     "procsupctl(1) check --here beforehand, and by status."},
    {kGroupSection, "GROUPS: [groups.NAME]",
     "In procsupd.toml and in project files: jobs that are one to whoever operates them, and what becomes of the "
     "others when one of "
     "them fails. See GROUPS below."},
    {kDaemonSection, "THE DAEMON: [daemon]", "In procsupd.toml and in project files."},
    {kAccessSection, "ACCESS: [access]", "In procsupd.toml and in project files."},
}};

/// For scdoc: what would be markup in text that has none.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (std::string_view("*_\\#<`|[").find(c) != std::string_view::npos) result += '\\';
        result += c;
    }
    return result;
}

/// As escaped(), but "_word_" stays emphasis.
std::string with_emphasis(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto start = text.find(" _");
        if (!text.starts_with('_') && start == std::string_view::npos) break;
        const auto open = text.starts_with('_') ? 0 : start + 1;
        auto end = open + 1;
        while (end < text.size() && text[end] != ' ' && text[end] != ',' && text[end] != ':') ++end;
        if (text[end - 1] != '_') --end;
        result += escaped(text.substr(0, open)) + "_" + escaped(text.substr(open + 1, end - open - 2)) + "_";
        text.remove_prefix(end);
    }
    return result + escaped(text);
}

}  // namespace

std::string manual_keys() {
    std::string text;
    for (const auto& chapter : kChapters) {
        text.append(text.empty() ? "" : "\n").append("# ").append(chapter.title).append("\n\n");
        text.append(with_emphasis(chapter.text)).append("\n");
        for (const auto& row : all_keys()) {
            if (row.section != chapter.section) continue;
            text.append("\n*").append(escaped(row.name)).append("* = _").append(escaped(row.form->short_phrase));
            text.append("_ (default: ").append(escaped(row.default_text)).append(row.live ? "; live)\n\t" : ")\n\t");
            text.append(with_emphasis(row.meaning)).append(".\n");
        }
    }
    return text;
}

}  // namespace procsup
