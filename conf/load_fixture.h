#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "conf/load.h"

namespace procsup::testing {

/// Configurations in a directory of the test's own.
class LoadFixture : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = std::filesystem::temp_directory_path() / "procsup-conf-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void write(const std::string& name, const std::string& text) {
        std::filesystem::create_directories((root_ / name).parent_path());
        std::ofstream(root_ / name) << text;
    }
    std::string path(const std::string& name) const { return name.empty() ? root_.string() : (root_ / name).string(); }
    auto load(const ConfigPaths& config, const std::string& state_dir = "") {
        DaemonPlaces places;
        places.state_dir = state_dir;
        places.default_state_dir = path("default");
        return load_configuration({config, places, false});
    }
    auto load(const std::string& name = "", const std::string& state_dir = "") {
        return load(ConfigPaths(path(name)), state_dir);
    }
    /// Problems, one a line, with "DIR" for the folder of this test.
    template <typename Config = std::string>
    std::string problems(const Config& config = {}) {
        const auto result = load(config);
        std::string text;
        if (const auto* list = std::get_if<1>(&result)) {
            for (const auto& problem : *list) text += to_text(problem) + "\n";
        }
        return without_root(std::move(text));
    }
    std::string without_root(std::string text) const {
        for (auto at = text.find(root_.string()); at != std::string::npos; at = text.find(root_.string())) {
            text.replace(at, root_.string().size(), "DIR");
        }
        return text;
    }
    template <typename Config = std::string>
    std::vector<std::string> names(const Config& config = {}) {
        const auto result = load(config);
        std::vector<std::string> jobs;
        if (const auto* configuration = std::get_if<0>(&result)) {
            for (const auto& job : configuration->jobs) jobs.push_back(job.name);
        }
        return jobs;
    }

    std::filesystem::path root_;
};

}  // namespace procsup::testing
