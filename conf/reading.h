#pragma once

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "conf/fake_surroundings.h"

/// How the tests of this folder read texts.
namespace procsup::testing {

/// What is wrong with `text` as the file "web.toml", each problem as one line without the file's name.
inline std::vector<std::string> problems_of(const std::string& text,
                                            const FakeSurroundings& surroundings = FakeSurroundings()) {
    std::vector<std::string> lines;
    const auto result = read_configuration_text(text, "web.toml", surroundings);
    const auto* problems = std::get_if<std::vector<Problem>>(&result);
    if (problems == nullptr) return lines;
    for (const auto& problem : *problems) {
        const std::string line = to_text(problem);
        lines.push_back(line.starts_with("web.toml:") ? line.substr(9) : line);
    }
    return lines;
}

inline Configuration configuration_of(const std::string& text,
                                      const FakeSurroundings& surroundings = FakeSurroundings()) {
    auto result = read_configuration_text(text, "web.toml", surroundings);
    if (auto* configuration = std::get_if<Configuration>(&result)) return std::move(*configuration);
    ADD_FAILURE() << to_text(std::get<std::vector<Problem>>(result).at(0)) << "\nin:\n" << text;
    return {};
}

/// The one job of `text`.
inline JobSpec job_of(const std::string& text, const FakeSurroundings& surroundings = FakeSurroundings()) {
    auto configuration = configuration_of(text, surroundings);
    if (configuration.jobs.size() == 1) return std::move(configuration.jobs[0]);
    ADD_FAILURE() << configuration.jobs.size() << " jobs instead of one in:\n" << text;
    return {};
}

/// A job with a command and `lines`.
inline JobSpec job_with(const std::string& lines, const FakeSurroundings& surroundings = FakeSurroundings()) {
    return job_of("command = \"/bin/web\"\n" + lines, surroundings);
}

}  // namespace procsup::testing
