#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/problems.h"

namespace procsup {

/// Which jobs are started after which, to find those that would wait for each other.
class Order {
public:
    /// `job` is started after `first`, because of `key`, which stands at `place`.
    void add(const std::string& job, const std::string& first, std::string_view key, const Place& place);
    /// Reports each circle once, with the place of each step.
    void check(Problems& problems) const;

private:
    struct Step {
        std::string first;
        std::string_view key;
        Place place;
    };
    struct Walk;
    static void report(const Walk& walk, std::size_t from, Problems& problems);

    std::map<std::string, std::vector<Step>, std::less<>> steps_;  ///< by the job that waits
};

}  // namespace procsup
