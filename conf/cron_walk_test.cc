// What next_after() finds is compared with a walk through weeks, minute by minute, that follows the definition.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "conf/cron.h"

namespace procsup {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

/// A field as text and as what it means, made without the parser.
struct Field {
    std::string text;
    std::set<int> values;
    bool starred() const { return text.front() == '*'; }
};

class Walk {
public:
    explicit Walk(unsigned seed) : random_(seed) {}

    int below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }

    Field field(int first, int last) {
        Field made;
        for (int elements = below(4) == 0 ? 1 + below(4) : 1; elements > 0; --elements) {
            const int kind = below(4);
            int from = first, to = last, step = 1;
            std::string element = "*";
            if (kind >= 2) {
                from = to = first + below(last - first + 1);
                element = std::to_string(from);
            }
            if (kind == 3) {
                to = from + below(last - from + 1);
                element += "-" + std::to_string(to);
            }
            if (kind != 2 && below(2) == 0) {
                step = 1 + below(last - first + 1);
                element += "/" + std::to_string(step);
            }
            for (int value = from; value <= to; value += step) made.values.insert(value);
            made.text += (made.text.empty() ? "" : ",") + element;
        }
        return made;
    }

    void make_expression() {
        minute_ = field(0, 59);
        // Most changes are at night: what happens then is to be frequent.
        const int early = below(5);
        hour_ = below(2) == 0 ? field(0, 23) : Field{std::to_string(early), {early}};
        day_ = below(3) == 0 ? field(1, 31) : everything(1, 31);
        month_ = below(6) == 0 ? field(1, 12) : everything(1, 12);
        weekday_ = below(3) == 0 ? field(0, 6) : everything(0, 6);
        text = minute_.text + " " + hour_.text + " " + day_.text + " " + month_.text + " " + weekday_.text;
    }

    bool matches(local_seconds local) const {
        const auto day = floor<days>(local);
        const std::chrono::year_month_day date(day);
        const auto minute_of_day = static_cast<int>(floor<minutes>(local - day).count());
        const bool by_month = day_.values.contains(static_cast<int>(unsigned(date.day())));
        const bool by_week = weekday_.values.contains(static_cast<int>(std::chrono::weekday(day).c_encoding()));
        const bool either = !day_.starred() && !weekday_.starred();
        return minute_.values.contains(minute_of_day % 60) && hour_.values.contains(minute_of_day / 60) &&
               month_.values.contains(static_cast<int>(unsigned(date.month()))) &&
               (either ? by_month || by_week : by_month && by_week);
    }

    /// All moments after `begin` up to `end`. Steps are half minutes where the offset has seconds (Monrovia, until 1972).
    std::vector<sys_seconds> moments(const Zone& zone, sys_seconds begin, sys_seconds end) const {
        const seconds step(zone.offset_at(begin) % minutes(1) == seconds(0) ? 60 : 30);
        std::vector<sys_seconds> found;
        const auto local = [&](sys_seconds at) { return local_seconds((at + zone.offset_at(at)).time_since_epoch()); };
        auto reached = local(begin - days(2));
        for (auto at = begin - days(2); at <= end; at += step) {
            const auto now = local(at);
            bool happens = false;
            if (minute_.starred() || hour_.starred()) {
                happens = floor<minutes>(now) == now && matches(now);
            } else {
                for (auto shown = floor<minutes>(reached) + minutes(1); shown <= now; shown += minutes(1)) {
                    happens = happens || matches(shown);
                }
            }
            reached = std::max(reached, now);
            if (happens && at > begin) found.push_back(at);
        }
        return found;
    }

    std::string text;

private:
    Field everything(int first, int last) const {
        Field made{"*", {}};
        for (int value = first; value <= last; ++value) made.values.insert(value);
        return made;
    }

    std::mt19937 random_;
    Field minute_, hour_, day_, month_, weekday_;
};

class CronWalk : public testing::TestWithParam<const char*> {};

TEST_P(CronWalk, FindsWhatNextAfterFindsAroundChangesOfClocks) {
    const auto zone = load_zone(GetParam(), std::nullopt);
    ASSERT_TRUE(zone) << zone.error().message;
    Walk walk(20'261);
    for (int round = 0; round < 50; ++round) {
        walk.make_expression();
        const auto parsed = parse_cron(walk.text);
        if (!parsed) continue;  // never happens
        const sys_seconds somewhen =
            sys_days(std::chrono::year(1970 + walk.below(135)) / 1 / 1) + days(walk.below(365));
        const auto change = zone->next_change(somewhen).value_or(somewhen);
        const auto begin = floor<minutes>(change) - days(walk.below(7)) - minutes(walk.below(300));
        const auto end = begin + days(10);
        std::vector<sys_seconds> found;
        for (auto next = next_after(*parsed, *zone, begin); next && *next <= end;
             next = next_after(*parsed, *zone, *next)) {
            ASSERT_GT(*next, found.empty() ? begin : found.back()) << walk.text;
            found.push_back(*next);
        }
        const auto walked = walk.moments(*zone, begin, end);
        const auto differs = std::mismatch(found.begin(), found.end(), walked.begin(), walked.end()).first;
        ASSERT_TRUE(found == walked) << walk.text << " after " << seconds(begin.time_since_epoch()).count()
                                     << ": number " << differs - found.begin() << " of " << found.size() << ", walked "
                                     << walked.size();
        if (found.size() < 2) continue;
        EXPECT_EQ(last_before(*parsed, *zone, found.back()), found[found.size() - 2]) << walk.text;
        EXPECT_EQ(next_after(*parsed, *zone, found[1] - seconds(1)), found[1]) << walk.text;
    }
}

INSTANTIATE_TEST_SUITE_P(Zones, CronWalk,
                         testing::Values("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                         "Pacific/Apia", "Africa/Casablanca", "Africa/Monrovia", "Antarctica/Troll",
                                         "America/Havana"),
                         [](const auto& zone) {
                             std::string name = zone.param;
                             std::replace(name.begin(), name.end(), '/', '_');
                             return name;
                         });

}  // namespace
}  // namespace procsup
