#include "conf/expand.h"

namespace procsup {
namespace {

/// What the placeholder `body` ("job:name") stands for; nothing for text that is no placeholder.
std::optional<std::string> value_of(std::string_view body, const InstanceName& instance, std::string_view credentials) {
    if (body == "job:name") return instance.job;
    if (body == "job:instance") return instance.instance;
    if (body == "job:index") return std::to_string(instance.index);
    if (body == "job:port" && instance.port) return std::to_string(*instance.port);
    constexpr std::string_view kCred = "cred:";
    if (body.starts_with(kCred) && !credentials.empty()) {
        return std::string(credentials) + "/" + std::string(body.substr(kCred.size()));
    }
    return std::nullopt;
}

}  // namespace

std::vector<InstanceName> instance_names(const JobSpec& spec) { return instance_names(spec, written_instances(spec)); }

std::vector<InstanceName> instance_names(const JobSpec& spec, std::size_t count) {
    std::vector<InstanceName> result;
    result.reserve(count);
    for (std::uint32_t index = 0; index < count; ++index) {
        std::optional<int> port;
        if (spec.port_base) port = *spec.port_base + static_cast<int>(index);
        const bool as_written = index < spec.instances.size();
        const auto suffix = as_written ? spec.instances[index] : std::to_string(index);
        const bool as_the_job = index == 0 && spec.instances.empty();
        result.push_back({spec.name, as_the_job ? spec.name : spec.name + "@" + suffix, index, port});
    }
    return result;
}

bool has_numbered_instances(const JobSpec& spec) {
    for (std::size_t i = 0; i < spec.instances.size(); ++i) {
        if (spec.instances[i] != std::to_string(i)) return false;
    }
    return true;
}

std::string_view environment_value(const std::vector<std::string>& entries, std::string_view name) {
    for (const auto& entry : entries) {
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
            return std::string_view(entry).substr(name.size() + 1);
        }
    }
    return {};
}

std::string expand_job(std::string_view text, const InstanceName& instance, std::string_view credentials) {
    std::string result;
    while (!text.empty()) {
        const auto next = text.find('$');
        result.append(text.substr(0, next));
        if (next == std::string_view::npos) break;
        text.remove_prefix(next);
        std::size_t used = 1;
        if (text.starts_with("$${")) {
            result.append("${");
            used = 3;
        } else if (const auto end = text.find('}');
                   end != std::string_view::npos && (text.starts_with("${job:") || text.starts_with("${cred:"))) {
            const auto value = value_of(text.substr(2, end - 2), instance, credentials);
            result.append(value ? std::string_view(*value) : text.substr(0, end + 1));
            used = end + 1;
        } else {
            result += '$';
        }
        text.remove_prefix(used);
    }
    return result;
}

}  // namespace procsup
