// The reader of configurations, on texts in memory and a machine that does not exist.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "conf/fake_surroundings.h"
#include "conf/job_text.h"

namespace {

using procsup::Configuration;

/// What is behind each such line is an overlay of what is before the first.
constexpr const char* kOverlay = "\n#overlay\n";

auto read_with_overlays(const std::string& text, const procsup::FakeSurroundings& surroundings) {
    std::vector<procsup::ConfigurationReader::Text> overlays;
    auto at = text.find(kOverlay);
    const auto base = text.substr(0, at);
    while (at != std::string::npos) {
        at += std::strlen(kOverlay);
        const auto end = text.find(kOverlay, at);
        overlays.push_back({std::to_string(overlays.size()) + ".toml", text.substr(at, end - at)});
        at = end;
    }
    return procsup::read_configuration_text(base, "fuzz.toml", surroundings, std::move(overlays));
}

/// What is accepted must survive the pipe to the daemon.
void check_round_trip(const Configuration& configuration) {
    const auto back = procsup::decode_load_result(procsup::encode_load_result(configuration));
    if (!back || !(std::get<Configuration>(*back).jobs == configuration.jobs)) std::abort();
    for (const auto& job : configuration.jobs) {
        procsup::json::Writer writer;
        procsup::write_json(writer, job);
        if (!procsup::json::parse(writer.text())) std::abort();
    }
}

/// What `cat` shows of a job must be a job file again, and the same job.
void check_cat(const Configuration& configuration, const procsup::FakeSurroundings& surroundings) {
    for (auto job : configuration.jobs) {
        const auto again =
            procsup::read_configuration_text(procsup::to_toml_with_places(job), job.name + ".toml", surroundings);
        const auto* read = std::get_if<Configuration>(&again);
        if (read == nullptr || read->jobs.size() != 1) std::abort();
        if (read->jobs[0].command != job.command || read->jobs[0].env != job.env) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    procsup::FakeSurroundings surroundings;
    surroundings.files["/etc/env"] = std::string(reinterpret_cast<const char*>(data), size);
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto result = read_with_overlays(text, surroundings);
    if (const auto* configuration = std::get_if<Configuration>(&result)) {
        check_round_trip(*configuration);
        // What has no effect is no mistake in [defaults], nor below an overlay, but would be one in the job's own file.
        if (text.find("defaults") == std::string::npos && text.find(kOverlay) == std::string::npos)
            check_cat(*configuration, surroundings);
    } else if (std::get<1>(result).empty()) {
        std::abort();
    }
    return 0;
}
