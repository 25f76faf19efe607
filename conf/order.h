#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/problems.h"

namespace procsup {

/// The steps of a circle in one line. There may be as many as jobs: of many only the first and the last.
std::string circle_text(const std::vector<std::string>& steps);

/// Which jobs are started after which, to find those that would wait for each other. A job is its place in `names`.
class Order {
public:
    explicit Order(std::span<const std::string_view> names) : names_(names), steps_(names.size()) {}

    /// `job` is started after `first`, because of `key`, which stands at `place`.
    void add(std::size_t job, std::size_t first, std::string_view key, const Place& place);
    /// Reports each circle once, with the place of each step.
    void check(Problems& problems) const;

private:
    struct Step {
        std::size_t first;
        std::string_view key;
        Place place;
    };
    struct Walk;
    void report(const Walk& walk, std::size_t from, Problems& problems) const;

    std::span<const std::string_view> names_;
    std::vector<std::vector<Step>> steps_;  ///< by the job that waits
};

}  // namespace procsup
