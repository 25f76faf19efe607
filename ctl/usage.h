#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "common/units.h"

/// What the processes of instances use, ready to be shown. Pure: replies in, text out.
namespace procsup::ctl {

/// Members of an instance, or of an answer to io.procsupd.Job.Usage, as far as they are known.
struct UsageView {
    std::optional<Duration> cpu;
    std::optional<std::int64_t> memory, memory_peak, tasks;

    static UsageView of(const json::Value& value);
    bool known() const { return cpu || memory || tasks; }
    /// Adds what is known of `other`; peaks come at different times and are left.
    void add(const UsageView& other);
};

/// Columns of a table of what is used; "-" where it is not known.
inline constexpr std::array<const char*, 3> kUsageColumns{"TASKS", "CPU", "MEM"};
std::array<std::string, 3> usage_cells(const UsageView& usage);

/// "104M", "1.5G", "512B".
std::string bytes_text(std::int64_t bytes);

/// "cpu 4min 2s, mem 104M (peak 131M)"; empty: nothing is known.
std::string usage_text(const UsageView& usage);

/// Answers to io.procsupd.Job.Usage, one after the other.
class UsageTable {
public:
    void take(const json::Value& reply);
    /// Of the newest answer, those first that have used most of a processor since the one before; at most `most` of them. 100 % is one
    /// processor.
    std::string text(std::size_t most) const;

private:
    struct Row {
        std::string name;
        UsageView usage;
        std::optional<double> percent;  ///< absent: there is no answer before, or another run
    };

    std::vector<Row> rows_;
    std::map<std::string, Duration> before_;
    std::string problem_;
    std::int64_t time_usec_ = 0;
};

}  // namespace procsup::ctl
