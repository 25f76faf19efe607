#include "conf/order.h"

#include <algorithm>
#include <string>

#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::string_view kBond = "daemon_of";

std::string place_text(const Place& place) { return place.file->name + ":" + std::to_string(place.at.line); }

/// "1,188"
std::string grouped(std::size_t number) {
    auto text = std::to_string(number);
    for (auto at = text.size(); at > 3; text.insert(at, ",")) at -= 3;
    return text;
}

}  // namespace

std::string circle_text(const std::vector<std::string>& steps) {
    constexpr std::size_t kMostShown = 12;
    const bool many = steps.size() > kMostShown + 1;
    std::string text;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (many && i == kMostShown / 2) {
            const auto omitted = steps.size() - kMostShown;
            text += ", … and " + grouped(omitted) + " more …";
            i += omitted;
        }
        text += (text.empty() ? "" : ", ") + steps[i];
    }
    return text;
}

/// A way through the jobs, each of which is started after the next one.
struct Order::Walk {
    struct At {
        std::size_t job;
        std::size_t next = 0;  ///< of its steps
    };
    enum class Seen : unsigned char { Not, OnWay, Done };
    std::vector<At> way;
    std::vector<Seen> seen;  ///< by job
};

void Order::add(std::size_t job, std::size_t first, std::string_view key, const Place& place) {
    steps_[job].push_back({first, key, place});
}

// Not recursive: a chain may be as long as there are jobs.
void Order::check(Problems& problems) const {
    using Seen = Walk::Seen;
    Walk walk{{}, std::vector<Seen>(steps_.size(), Seen::Not)};
    const auto enter = [&](std::size_t job) {
        if (walk.seen[job] != Seen::Not) return;
        walk.seen[job] = Seen::OnWay;
        walk.way.push_back({job});
    };
    for (std::size_t start = 0; start < steps_.size(); ++start) {
        enter(start);
        while (!walk.way.empty()) {
            auto& at = walk.way.back();
            if (at.next == steps_[at.job].size()) {
                walk.seen[at.job] = Seen::Done;
                walk.way.pop_back();
                continue;
            }
            const auto first = steps_[at.job][at.next++].first;
            if (walk.seen[first] == Seen::OnWay) {
                const auto met = std::find_if(walk.way.begin(), walk.way.end(),
                                              [&](const Walk::At& one) { return one.job == first; });
                report(walk, static_cast<std::size_t>(met - walk.way.begin()), problems);
            }
            enter(first);
        }
    }
}

void Order::report(const Walk& walk, std::size_t from, Problems& problems) const {
    std::vector<std::string> steps;
    bool only_bonds = true;
    for (std::size_t i = from; i < walk.way.size(); ++i) {
        const auto& at = walk.way[i];
        const auto& step = steps_[at.job][at.next - 1];
        only_bonds = only_bonds && step.key == kBond;
        auto& text = steps.emplace_back(names_[at.job]);
        text.append(" waits for ").append(names_[step.first]);
        text += " (" + std::string(step.key) + ", " + place_text(step.place) + ")";
    }
    // That is told where bonds are checked.
    if (only_bonds) return;
    const auto& begin = walk.way[from];
    const auto& step = steps_[begin.job][begin.next - 1];
    problems.add(step.place, quoted(step.key) + " goes round in a circle: " + circle_text(steps));
}

}  // namespace procsup
