#include "conf/time_zone.h"

#include <cctz/time_zone.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "common/did_you_mean.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr sys_seconds kFirst = sys_days(std::chrono::year(1950) / 1 / 1);
constexpr sys_seconds kLast = sys_days(std::chrono::year(2150) / 1 / 1);
constexpr const char* kDatabase = "/usr/share/zoneinfo/tzdata.zi";
constexpr const char* kOfTheMachine = "/etc/localtime";

/// Not a path, which cctz would take as well.
bool may_be_name(std::string_view name) {
    constexpr std::size_t kLongest = 64;
    const auto good = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' ||
               c == '+' || c == '/';
    };
    return !name.empty() && name.size() <= kLongest && name.front() != '/' &&
           std::all_of(name.begin(), name.end(), good);
}

Zone zone_of(std::string name, const cctz::time_zone& zone) {
    std::vector<Zone::Change> changes;
    cctz::time_zone::civil_transition change;
    for (sys_seconds at = kFirst; zone.next_transition(at, &change);) {
        at = zone.lookup(change.to).trans;
        if (at > kLast) break;
        changes.push_back({at, seconds(zone.lookup(at).offset)});
    }
    return {std::move(name), seconds(zone.lookup(kFirst).offset), changes};
}

std::string folded(std::string_view text) {
    std::string result(text);
    for (auto& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return result;
}

/// The zones of the database: lines "Z NAME RULES..." and "L TARGET NAME".
std::vector<std::string> zone_names() {
    std::vector<std::string> names{"UTC", "local"};
    std::ifstream file(kDatabase);
    for (std::string line; std::getline(file, line);) {
        const std::string_view text(line);
        const auto space = text.find(' ', 2);
        if (text.starts_with("Z ")) names.emplace_back(text.substr(2, space - 2));
        if (text.starts_with("L ") && space != text.npos) names.emplace_back(text.substr(space + 1));
    }
    return names;
}

/// Also for a name in other letters, and for the city alone.
std::string meant_zone(std::string_view name) {
    const auto names = zone_names();
    const auto wanted = folded(name);
    std::vector<std::string> folded_names;
    for (const auto& each : names) folded_names.push_back(folded(each));
    std::vector<std::string_view> candidates(folded_names.begin(), folded_names.end());
    for (const auto& each : folded_names) candidates.push_back(std::string_view(each).substr(each.rfind('/') + 1));
    const auto found = nearest(wanted, candidates);
    if (found.empty()) return {};
    const auto same = [&](std::string_view candidate) { return candidate.data() == found.data(); };
    const auto index = std::find_if(candidates.begin(), candidates.end(), same) - candidates.begin();
    return " (did you mean '" + names[static_cast<std::size_t>(index) % names.size()] + "'?)";
}

Result<Zone> local_zone(const std::optional<std::string>& tz) {
    cctz::time_zone zone;
    if (!tz) {
        // A machine without that file is in UTC, as the C library has it.
        if (!std::ifstream(kOfTheMachine) || cctz::load_time_zone(kOfTheMachine, &zone)) return zone_of("local", zone);
        return Error{std::string("cannot read the time zone of this machine: ") + kOfTheMachine + " is not one"};
    }
    const auto name = tz->substr(tz->starts_with(':') ? 1 : 0);
    if (name.empty() || cctz::load_time_zone(name, &zone)) return zone_of("local", zone);
    return Error{"cannot read the time zone of this machine: TZ is " + quoted(*tz) +
                 ", and no name such as \"Europe/Berlin\""};
}

}  // namespace

Zone::Zone(std::string name, seconds first_offset, const std::vector<Change>& changes) : name_(std::move(name)) {
    spans_.push_back({sys_seconds::min(), first_offset, local_seconds::min()});
    for (const auto& change : changes) {
        const auto& before = spans_.back();
        const local_seconds end((change.at + before.offset - seconds(1)).time_since_epoch());
        spans_.push_back({change.at, change.offset, std::max(before.reached, end)});
    }
}

std::vector<Zone::Change> Zone::changes() const {
    std::vector<Change> changes;
    for (auto span = spans_.begin() + 1; span != spans_.end(); ++span) changes.push_back({span->begin, span->offset});
    return changes;
}

const Zone::Span& Zone::span_at(sys_seconds time) const {
    const auto next = std::upper_bound(spans_.begin() + 1, spans_.end(), time,
                                       [](sys_seconds at, const Span& span) { return at < span.begin; });
    return *std::prev(next);
}

seconds Zone::offset_at(sys_seconds time) const { return span_at(time).offset; }

std::optional<sys_seconds> Zone::next_change(sys_seconds after) const {
    const auto* next = &span_at(after) + 1;
    return next == spans_.data() + spans_.size() ? std::nullopt : std::optional(next->begin);
}

local_seconds Zone::reached_by(sys_seconds time) const {
    const auto& span = span_at(time);
    return std::max(local_seconds((time + span.offset).time_since_epoch()), span.reached);
}

sys_seconds Zone::first_reaching(local_seconds local) const {
    const auto next = std::lower_bound(spans_.begin() + 1, spans_.end(), local,
                                       [](const Span& span, local_seconds at) { return span.reached < at; });
    const auto& span = *std::prev(next);
    return std::max(span.begin, sys_seconds(local.time_since_epoch()) - span.offset);
}

Result<Zone> load_zone(std::string_view name, const std::optional<std::string>& tz) {
    if (name == "local") return local_zone(tz);
    cctz::time_zone zone;
    const std::string text(name);
    if (may_be_name(name) && cctz::load_time_zone(text, &zone)) return zone_of(text, zone);
    if (!std::ifstream(kDatabase)) {
        return Error{"unknown time zone " + quoted(name) + ": this machine has no time zones but UTC (package tzdata)"};
    }
    return Error{"unknown time zone " + quoted(name) + meant_zone(name)};
}

}  // namespace procsup
