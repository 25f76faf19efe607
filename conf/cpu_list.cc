#include "conf/cpu_list.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "conf/job_spec.h"

namespace procsup {
namespace {

std::optional<int> cpu_number(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good =
        error == std::errc() && end == text.data() + text.size() && !text.empty() && number >= 0 && number < kMostCpus;
    return good ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
    std::vector<bool> has(kMostCpus);
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        const auto range = text.substr(at, end - at);
        const auto dash = range.find('-');
        const auto first = cpu_number(range.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : cpu_number(range.substr(dash + 1));
        if (!first || !last) {
            return Error{"'" + std::string(range) + "' is neither a CPU from 0 to " + std::to_string(kMostCpus - 1) +
                         " nor a range such as \"0-3\""};
        }
        if (*last < *first) return Error{"the range '" + std::string(range) + "' ends before it begins"};
        std::fill(has.begin() + *first, has.begin() + *last + 1, true);
        at = end + 1;
    }
    std::vector<int> cpus;
    for (int cpu = 0; cpu < kMostCpus; ++cpu) {
        if (has[static_cast<std::size_t>(cpu)]) cpus.push_back(cpu);
    }
    return cpus;
}

std::string cpu_list_text(std::span<const int> cpus) {
    std::string text;
    for (std::size_t i = 0; i < cpus.size();) {
        std::size_t last = i;
        while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
        text += (text.empty() ? "" : ",") + std::to_string(cpus[i]);
        if (last > i) text += "-" + std::to_string(cpus[last]);
        i = last + 1;
    }
    return text;
}

}  // namespace procsup
