#include "ctl/metrics_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// [a-zA-Z_][a-zA-Z0-9_]*, for families and labels.
bool is_name(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
    return !text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), fits);
}

void append_escaped(std::string& out, std::string_view text, bool quoted) {
    for (const char c : text) {
        if (c == '\\' || (quoted && c == '"')) out += '\\';
        out += c == '\n' ? std::string_view("\\n") : std::string_view(&c, 1);
    }
}

void append_number(std::string& out, const json::Value* value) {
    std::array<char, 32> text;
    auto* end = text.data();
    if (value != nullptr && value->as_int() != nullptr) {
        end = std::to_chars(text.data(), text.data() + text.size(), *value->as_int()).ptr;
    } else if (value != nullptr && value->as_double() != nullptr) {
        end = std::to_chars(text.data(), text.data() + text.size(), *value->as_double()).ptr;
    }
    out += end == text.data() ? std::string_view("NaN") : std::string_view(text.data(), end - text.data());
}

std::string labels_of(const json::Value& sample) {
    std::string text;
    const auto* labels = sample.find("labels");
    if (labels == nullptr || labels->as_object() == nullptr) return text;
    for (const auto& [name, value] : *labels->as_object()) {
        if (!is_name(name) || value.as_string() == nullptr) continue;
        text += (text.empty() ? "" : ",") + name + "=\"";
        append_escaped(text, *value.as_string(), true);
        text += '"';
    }
    return text;
}

void append_line(std::string& out, std::string_view name, const std::string& labels) {
    out += name;
    if (!labels.empty()) out += "{" + labels + "}";
    out += ' ';
}

void append_states(std::string& out, std::string_view name, const json::Value& states, const json::Value& sample) {
    const auto labels = labels_of(sample);
    const auto is = sample.string_or("state", "");
    for (const auto& state : *states.as_array()) {
        if (state.as_string() == nullptr) continue;
        auto all = labels + (labels.empty() ? "" : ",") + "state=\"";
        append_escaped(all, *state.as_string(), true);
        append_line(out, name, all + '"');
        out += *state.as_string() == is ? "1\n" : "0\n";
    }
}

}  // namespace

void MetricFamilies::add(const json::Value& answer) {
    const auto* list = answer.find("families");
    if (list == nullptr || list->as_array() == nullptr) return;
    for (const auto& family : *list->as_array()) {
        const auto name = family.string_or("name", "");
        auto found =
            std::find_if(families_.begin(), families_.end(), [&](const Family& one) { return one.name == name; });
        if (found == families_.end()) found = families_.insert(families_.end(), {name, &family, {}});
        const auto* samples = family.find("samples");
        if (samples == nullptr || samples->as_array() == nullptr) continue;
        for (const auto& sample : *samples->as_array()) found->samples.push_back(&sample);
    }
}

std::string MetricFamilies::text() const {
    std::string out;
    for (const auto& [name, described, samples] : families_) {
        if (!is_name(name) || samples.empty()) continue;
        const auto* states = described->find("states");
        const bool is_set = states != nullptr && states->as_array() != nullptr;
        out += "# HELP " + std::string(name) + " ";
        append_escaped(out, described->string_or("help", ""), false);
        const bool counts = described->string_or("type", "") == "counter";
        out += "\n# TYPE " + std::string(name) + (counts ? " counter\n" : " gauge\n");
        for (const auto* sample : samples) {
            if (is_set) {
                append_states(out, name, *states, *sample);
                continue;
            }
            append_line(out, name, labels_of(*sample));
            append_number(out, sample->find("value"));
            out += '\n';
        }
    }
    return out;
}

std::string MetricFamilies::json() const {
    json::Writer writer;
    writer.begin_object().key("families").begin_array();
    for (const auto& [name, described, samples] : families_) {
        writer.begin_object();
        for (const auto* member : {"name", "type", "help", "states"}) {
            if (const auto* value = described->find(member)) writer.key(member).value(*value);
        }
        writer.key("samples").begin_array();
        for (const auto* sample : samples) writer.value(*sample);
        writer.end_array().end_object();
    }
    return writer.end_array().end_object().take();
}

}  // namespace procsup::ctl
