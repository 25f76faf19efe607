#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"

namespace procsup::ctl {

/// Answers of Manager.Metrics put together. Refers to them: they outlive it.
class MetricFamilies {
public:
    /// Of an answer that follows others: samples of families that those had are put behind theirs.
    void add(const json::Value& answer);

    /// In the text format of Prometheus, version 0.0.4
    /// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). A stateset is a gauge for each state, with
    /// the label `state`. What is no name there is left out.
    std::string text() const;
    /// {"families":[...]}, as one answer would be.
    std::string json() const;

private:
    struct Family {
        std::string_view name;
        const json::Value* described = nullptr;
        std::vector<const json::Value*> samples;
    };

    std::vector<Family> families_;
};

}  // namespace procsup::ctl
