#include "conf/health.h"

#include <cstdio>

#include "conf/resource_limits.h"

namespace procsup {

std::string processors_text(double processors) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.2f", processors);
    std::string result(text);
    while (result.ends_with('0')) result.pop_back();
    if (result.ends_with('.')) result.pop_back();
    return result;
}

std::string to_text(const Health& health) {
    auto text = health.look.is_declared() ? to_text(health.look) : std::string();
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
    if (health.memory_above > 0) add("memory_above " + exact_size(health.memory_above));
    if (health.cpu_above > 0) add("cpu_above " + processors_text(health.cpu_above));
    return text;
}

}  // namespace procsup
