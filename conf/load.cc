#include "conf/load.h"

#include <algorithm>
#include <utility>

#include "conf/caching_surroundings.h"
#include "conf/config_files.h"
#include "conf/configuration_reader.h"

namespace procsup {
namespace {

/// `abilities`, `unenforceable`: of check_configuration(), or nullptr.
std::variant<Configuration, std::vector<Problem>> load(const LoadOptions& options, const Abilities* abilities,
                                                       Problems& unenforceable) {
    const SystemSurroundings machine(options.as_root);
    const CachingSurroundings surroundings(machine);
    Problems problems;
    ConfigurationReader reader(surroundings, problems);
    if (abilities != nullptr) reader.examine_by(*abilities, unenforceable);
    ConfigFiles(reader, problems, options.as_root).read(options.config);
    auto configuration = reader.finish(options.places);
    if (problems.empty()) return configuration;
    return problems.take();
}

}  // namespace

std::string ConfigPaths::text() const {
    std::string text;
    for (const auto& path : paths) text.append(text.empty() ? "" : ", ").append(path);
    return text;
}

std::string ConfigPaths::searched() const {
    std::string text;
    for (const auto& path : paths) {
        const auto place = jobs_place(path);
        if (!place.empty()) text.append(text.empty() ? "" : ", ").append(place);
    }
    return text;
}

std::variant<Configuration, std::vector<Problem>> load_configuration(const LoadOptions& options) {
    Problems none;
    return load(options, nullptr, none);
}

CheckResult check_configuration(const LoadOptions& options, const Abilities& abilities) {
    Problems unenforceable;
    CheckResult result{load(options, &abilities, unenforceable), {}};
    result.unenforceable = unenforceable.take();
    return result;
}

bool CheckResult::good() const {
    return std::holds_alternative<Configuration>(loaded) &&
           std::all_of(unenforceable.begin(), unenforceable.end(), [](const auto& problem) { return problem.warning; });
}

}  // namespace procsup
