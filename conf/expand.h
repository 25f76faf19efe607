#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/job_spec.h"

namespace procsup {

/// Which instance of a job text is expanded for.
struct InstanceName {
    std::string job;          ///< "web"
    std::string instance;     ///< "web@eu", "web@0", or "web" for a single one
    std::uint32_t index = 0;  ///< from 0
    std::optional<int> port;  ///< port_base + index
};

/// Every instance that `spec` describes, in order.
std::vector<InstanceName> instance_names(const JobSpec& spec);
/// The same of a job with `count` instances. One that is called as the job keeps its name; further ones are web@1, web@2.
std::vector<InstanceName> instance_names(const JobSpec& spec, std::size_t count);
/// Whether its instances have numbers, not names: only of these there can be more or fewer than the file says.
bool has_numbered_instances(const JobSpec& spec);
/// How many instances the file says.
inline std::size_t written_instances(const JobSpec& spec) { return spec.instances.empty() ? 1 : spec.instances.size(); }

/// Replaces ${job:name}, ${job:instance}, ${job:index} and ${job:port}; "$${" stands for "${"; all else passes
/// verbatim. Unknown placeholders were refused when the file was read.
/// ${cred:NAME} is NAME below `credentials`, and passes verbatim where that is empty.
std::string expand_job(std::string_view text, const InstanceName& instance, std::string_view credentials = {});

/// The value of `name` among "NAME=value" entries, a view into them; empty when there is none.
std::string_view environment_value(const std::vector<std::string>& entries, std::string_view name);

}  // namespace procsup
