#include "conf/order.h"

#include <algorithm>
#include <set>

#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::string_view kBond = "daemon_of";

std::string place_text(const Place& place) { return place.file->name + ":" + std::to_string(place.at.line); }

}  // namespace

/// A way through the jobs, each of which is started after the next one.
struct Order::Walk {
    struct At {
        const std::string* job;
        const std::vector<Step>* steps;
        std::size_t next = 0;
    };
    std::vector<At> way;
    std::map<std::string_view, std::size_t> on_way;
    std::set<std::string_view> done;
};

void Order::add(const std::string& job, const std::string& first, std::string_view key, const Place& place) {
    steps_[job].push_back({first, key, place});
}

// Not recursive: a chain may be as long as there are jobs.
void Order::check(Problems& problems) const {
    Walk walk;
    const auto enter = [&](const std::map<std::string, std::vector<Step>, std::less<>>::const_iterator& job) {
        walk.on_way[job->first] = walk.way.size();
        walk.way.push_back({&job->first, &job->second});
    };
    for (auto start = steps_.begin(); start != steps_.end(); ++start) {
        if (walk.done.contains(start->first)) continue;
        enter(start);
        while (!walk.way.empty()) {
            auto& at = walk.way.back();
            if (at.next == at.steps->size()) {
                walk.done.insert(*at.job);
                walk.on_way.erase(*at.job);
                walk.way.pop_back();
                continue;
            }
            const auto& first = (*at.steps)[at.next++].first;
            if (const auto met = walk.on_way.find(first); met != walk.on_way.end()) {
                report(walk, met->second, problems);
            } else if (const auto next = steps_.find(first); next != steps_.end() && !walk.done.contains(first)) {
                enter(next);
            }
        }
    }
}

void Order::report(const Walk& walk, std::size_t from, Problems& problems) {
    std::string text;
    bool only_bonds = true;
    for (std::size_t i = from; i < walk.way.size(); ++i) {
        const auto& at = walk.way[i];
        const auto& step = (*at.steps)[at.next - 1];
        only_bonds = only_bonds && step.key == kBond;
        if (!text.empty()) text += ", ";
        text +=
            *at.job + " waits for " + step.first + " (" + std::string(step.key) + ", " + place_text(step.place) + ")";
    }
    // That is told where bonds are checked.
    if (only_bonds) return;
    const auto& begin = walk.way[from];
    const auto& step = (*begin.steps)[begin.next - 1];
    problems.add(step.place, quoted(step.key) + " goes round in a circle: " + text);
}

}  // namespace procsup
