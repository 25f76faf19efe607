#include "conf/job_difference.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "conf/job_text.h"
#include "conf/keys.h"

namespace procsup {
namespace {

/// Values by the names of their keys, of what is not as by default and has an effect.
std::map<std::string, std::string> settings_of(const JobSpec& spec) {
    std::map<std::string, std::string> settings;
    const std::string text = to_toml(spec);
    std::string section;
    for (std::string_view rest = text; !rest.empty();) {
        // A line each: control characters in values are written as escapes.
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.starts_with("# ")) line.remove_prefix(2);
        if (line.starts_with('[')) {
            section = std::string(line.substr(1, line.size() - 2)) + ".";
        } else if (const auto equals = line.find(" = "); equals != std::string_view::npos) {
            std::string key(line.substr(0, equals));
            if (key.starts_with('"')) key = key.substr(1, key.size() - 2);
            settings[section + key] = line.substr(equals + 3);
        }
    }
    return settings;
}

bool is_live(std::string_view key) {
    if (key.starts_with("groups.")) return true;
    const auto dot = key.find('.');
    const auto* row =
        dot == std::string_view::npos ? find_key("", key) : find_key(key.substr(0, dot), key.substr(dot + 1));
    return row != nullptr && row->live;
}

/// The differences, each key once.
class Differences {
public:
    void add(const std::string& key) {
        auto& list = is_live(key) ? result_.live : result_.at_start;
        if (std::find(list.begin(), list.end(), key) == list.end()) list.push_back(key);
    }
    JobDifference take() { return std::move(result_); }

private:
    JobDifference result_;
};

/// What is not in the text of a job, because it follows from the machine.
void add_found(const JobSpec& before, const JobSpec& now, Differences& differences) {
    if (before.program != now.program) differences.add("command");
    for (const auto* one : {&before.membership, &now.membership}) {
        if (before.membership != now.membership && !one->group.empty()) differences.add("groups." + one->group);
    }
    // Of one that others write to, they say so.
    if (before.stdin_stream != now.stdin_stream) differences.add("log.stdin");
    if (before.stop_command != now.stop_command) differences.add("stop_command");
    if (before.reload_command != now.reload_command) differences.add("reload_command");
    for (const auto& [hook, command] : now.hooks) {
        const auto* other = before.hook(hook);
        if (other != nullptr && *other != command) differences.add(std::string(word_of(hook)));
    }
    const auto& ready = now.readiness;
    const bool same_way = before.readiness.kind == ready.kind && before.readiness.target == ready.target;
    const bool same_pace = before.readiness.interval == ready.interval;
    if (same_way && same_pace && before.readiness.probe != ready.probe) {
        differences.add("ready." + std::string(word_of(ready.kind)));
    }
    const bool other_clocks = before.schedule.timezone == now.schedule.timezone && before.schedule != now.schedule;
    if (other_clocks && before.schedule.cron == now.schedule.cron && before.schedule.zone && now.schedule.zone &&
        *before.schedule.zone != *now.schedule.zone)
        differences.add("schedule.timezone");
    const auto& look = now.health.look;
    const bool same_look = before.health.look.kind == look.kind && before.health.look.target == look.target;
    if (same_look && command_of_probe(before.health.look) != command_of_probe(look))
        differences.add("health." + std::string(word_of(look.kind)));
    for (std::size_t i = 0; i < now.dirs.size() && i < before.dirs.size(); ++i) {
        constexpr const char* kKeys[] = {"runtime_dirs", "state_dirs", "log_dirs"};
        if (before.dirs[i].base != now.dirs[i].base) differences.add(kKeys[static_cast<std::size_t>(now.dirs[i].kind)]);
    }
}

}  // namespace

JobDifference difference(const JobSpec& before, const JobSpec& now) {
    Differences differences;
    auto left = settings_of(now);
    for (const auto& [key, value] : settings_of(before)) {
        const auto same = left.find(key);
        if (same == left.end() || same->second != value) differences.add(key);
        if (same != left.end()) left.erase(same);
    }
    for (const auto& [key, value] : left) differences.add(key);
    add_found(before, now, differences);
    return differences.take();
}

}  // namespace procsup
