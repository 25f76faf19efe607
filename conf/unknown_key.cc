#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "common/did_you_mean.h"
#include "conf/key_reader.h"
#include "conf/keys.h"

namespace procsup {
namespace {

struct LaterKey {
    std::string_view section;
    std::string_view name;
};

/// Keys that are part of the design but not of this version: told apart from slips of the fingers.
// clang-format off
constexpr LaterKey kLater[] = {
    {"", "coordination"},   {"", "pool"},
    {"project", "locks"},   {"project", "semaphores"}, {"project", "queues"},
    {"project", "values"},
};
// clang-format on

struct NoKey {
    std::string_view section;
    std::string_view name;
    std::string_view instead;
};

/// What people know from setrlimit(2) and expect to find.
constexpr NoKey kNoKeys[] = {
    {"limits", "rss", "Linux has not enforced RLIMIT_RSS since 2.4.30: write 'address_space' or 'data'"},
    {"limits", "locks",
     "Linux has not enforced RLIMIT_LOCKS since 2.4.25: 'open_files' bounds how many files a process can lock"},
};

constexpr std::string_view kProjectKeys[] = {"jobs", "groups", "defaults", "daemon", "access", "x"};

std::vector<std::string_view> names_in(std::string_view section) {
    if (section == "project") return {std::begin(kProjectKeys), std::end(kProjectKeys)};
    std::vector<std::string_view> names;
    for (const auto& row : all_keys()) {
        if (row.section == section) names.push_back(row.name);
    }
    if (section.empty()) names.insert(names.end(), kTablesOfJob.begin(), kTablesOfJob.end());
    return names;
}

/// Where a key that stands in the wrong table belongs; empty when nowhere.
std::string_view other_home(std::string_view section, std::string_view name) {
    if (section == "project" && (find_key("", name) != nullptr || is_table_of_job(name))) return "[jobs.NAME]";
    if (section.empty() && name == "jobs") return "a project file: give the file itself instead of its directory";
    if (section == kDaemonSection && name == kAccessSection) return "a table of its own, [access]";
    for (const auto& row : all_keys()) {
        if (row.name != name || row.section == section || is_job_section(section) != is_job_section(row.section)) {
            continue;
        }
        if (row.section == "ready") return "[ready]";
        if (row.section == "health") return "[health]";
        if (row.section == "schedule") return "[schedule]";
        if (row.section == "log") return "[log]";
        if (row.section == "limits") return "[limits]";
        if (row.section == "sandbox") return "[sandbox]";
        if (row.section == kGroupSection) return "[groups.NAME]";
        if (row.section == kDaemonSection) return "[daemon]";
        if (row.section == kAccessSection) return "[access]";
        return "the job itself, above its first table";
    }
    return {};
}

}  // namespace

std::string unknown_key_text(std::string_view section, std::string_view name, bool is_table) {
    const bool later = std::any_of(std::begin(kLater), std::end(kLater),
                                   [&](const LaterKey& key) { return key.section == section && key.name == name; });
    for (const auto& key : kNoKeys) {
        if (key.section == section && key.name == name) {
            return "there is no key " + quoted(name) + ": " + std::string(key.instead);
        }
    }
    std::string text = quoted(name);
    if (later) return "key " + text + " is not available in this version";
    text.insert(0, "unknown key ");
    if (section == kGroupSection) {
        text += " in [groups.NAME]";
    } else if (section != "project" && !section.empty())
        text.append(" in [").append(section).append("]");
    if (const auto home = other_home(section, name); !home.empty()) {
        return text.append(" (it belongs in ").append(home).append(")");
    }
    const auto meant = did_you_mean(name, names_in(section));
    if (!meant.empty() || !is_table || !section.empty()) return text + meant;
    return text +
           " (a job has the tables [env], [credentials], [ready], [health], [schedule], [log], [limits], [sandbox] and "
           "[x]; each "
           "job is a "
           "table of "
           "its own in "
           "[jobs])";
}

}  // namespace procsup
