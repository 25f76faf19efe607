// Values of a form that one key has alone.
#include <algorithm>

#include "conf/command_line.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::size_t kMostTags = 64;
constexpr std::size_t kMostStopSignals = 8;

}  // namespace

void KeyReader::instances(const TomlValue& value) {
    auto& names = job_->spec.instances;
    const auto* elements = value.as<TomlValue::Array>();
    if (elements == nullptr) {
        std::int64_t count = 0;
        if (!checked_integer(value, 1, kMostInstancesOfJob, count)) return;
        names.clear();
        if (count == 1) return;
        for (std::int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
        return;
    }
    if (elements->empty() || elements->size() > kMostInstancesOfJob) {
        report(value, "must have 1 to 1000 names, not " + std::to_string(elements->size()));
        return;
    }
    std::vector<std::string> read;
    for (const auto& element : *elements) {
        const auto* name = string(element);
        if (name == nullptr) continue;
        if (!is_job_name(*name)) {
            report(element, quoted(*name) +
                                " cannot name an instance: use 1 to 64 of A-Z a-z 0-9 _ . -, not starting "
                                "with - or .");
        } else if (std::find(read.begin(), read.end(), *name) != read.end()) {
            report(element, "has the name " + quoted(*name) + " twice");
        } else {
            read.push_back(*name);
        }
    }
    if (read.size() == elements->size()) names = std::move(read);
}

void KeyReader::pipe(const TomlValue& value, Stream& out) {
    std::string job;
    job_name(value, job);
    if (!job.empty()) out = {Stream::Kind::Pipe, std::move(job)};
}

void KeyReader::stop_signal(const TomlValue& value) {
    auto& spec = job_->spec;
    spec.stop_steps.clear();
    const auto* elements = value.as<TomlValue::Array>();
    if (elements == nullptr) return signal(value, spec.stop_signal);
    if (elements->size() % 2 == 0 || elements->size() > 2 * kMostStopSignals) {
        report(value,
               "as an array has 1 to 8 signals with a pause between each two, such as [\"SIGINT\", \"5s\", "
               "\"SIGTERM\"]");
        return;
    }
    signal(elements->front(), spec.stop_signal);
    for (std::size_t i = 1; i < elements->size(); i += 2) {
        StopStep step;
        duration((*elements)[i], step.pause, Zero::Refused);
        signal((*elements)[i + 1], step.signal);
        spec.stop_steps.push_back(step);
    }
}

void KeyReader::command(const TomlValue& value, std::vector<PlacedText>& words) {
    words.clear();
    if (const auto* line = value.as<std::string>()) {
        if (string(value) == nullptr) return;
        auto split = row_->key == Key::Command ? split_command_line(*line)
                                               : split_command_line(*line, "[\"/bin/sh\", \"-c\", \"…\"]");
        if (!split) {
            report(value, split.error().message);
            return;
        }
        for (auto& word : *split) words.push_back({std::move(word), place_of(value)});
    } else if (!strings(value, words)) {
        words.clear();
        return;
    }
    if (words.empty() || words[0].text.empty()) report(value, "must name a program");
}

void KeyReader::shell(const TomlValue& value) {
    const auto* text = string(value);
    if (text == nullptr) return;
    if (text->find_first_not_of(" \t\n") == std::string::npos) {
        report(value, "must not be empty");
    } else {
        job_->shell = {*text, place_of(value)};
    }
}

void KeyReader::on_exhausted(const TomlValue& value) {
    const auto* text = value.as<std::string>();
    if (text != nullptr && text->starts_with("exec:")) {
        report(value, "\"exec:\" is not available in this version");
        return;
    }
    choice(value, job_->spec.restart.on_exhausted);
}

void KeyReader::environment(const TomlValue& value) {
    const auto* table = value.as<TomlValue::Table>();
    if (table == nullptr) {
        wrong_type(value, "write [env]");
        return;
    }
    for (const auto& [name, position, setting] : *table) {
        if (const auto fault = env_name_fault(name); !fault.empty()) {
            problems_.add({&file_, position}, fault);
        } else if (const auto* text = setting.as<std::string>()) {
            if (string(setting) != nullptr) job_->env[name] = {*text, place_of(setting)};
        } else {
            std::string hint;
            if (const auto* integer = setting.as<std::int64_t>()) hint = std::to_string(*integer);
            if (const auto* truth = setting.as<bool>()) hint = *truth ? "true" : "false";
            if (!hint.empty()) hint = ": write \"" + hint + "\"";
            problems_.add(place_of(setting),
                          "'env." + name + "' must be a string, not " + std::string(type_name(setting)) + hint);
        }
    }
}

void KeyReader::env_names(const TomlValue& value) {
    std::vector<PlacedText> names;
    if (!strings(value, names)) return;
    job_->inherit_env.clear();
    for (const auto& name : names) {
        if (const auto fault = env_name_fault(name.text); !fault.empty()) {
            problems_.add(name.place, fault);
        } else {
            job_->inherit_env.push_back(name.text);
        }
    }
}

bool KeyReader::optional_paths(const TomlValue& value, std::vector<PlacedText>& out) {
    const auto* elements = array(value);
    if (elements == nullptr) return false;
    out.clear();
    for (const auto& element : *elements) {
        const auto* text = string(element);
        if (text == nullptr) continue;
        const bool optional = text->starts_with('-');
        std::string path = text->substr(optional ? 1 : 0);
        if (!anchored(element, path)) continue;
        out.push_back({(optional ? "-" : "") + path, place_of(element)});
    }
    return out.size() == elements->size();
}

void KeyReader::env_files(const TomlValue& value) { optional_paths(value, job_->env_files); }

void KeyReader::tags(const TomlValue& value) {
    std::vector<PlacedText> words;
    if (!strings(value, words)) return;
    if (words.size() > kMostTags) {
        report(value, "must have at most 64 words");
        return;
    }
    job_->spec.tags.clear();
    for (const auto& word : words) {
        const bool good = !word.text.empty() && word.text.size() <= 64 &&
                          std::all_of(word.text.begin(), word.text.end(), [](char c) { return c < 0 || c > 0x20; });
        if (good) {
            job_->spec.tags.push_back(word.text);
        } else {
            problems_.add(word.place, "'tags' must have words of 1 to 64 bytes without spaces");
        }
    }
}

}  // namespace procsup
