// Names of other jobs that a job depends on.
#include <algorithm>

#include "common/did_you_mean.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::size_t kMostDependencies = 256;
constexpr std::array<std::string_view, 3> kMembers{"job", "condition", "on_restart"};

}  // namespace

void KeyReader::job_name(const TomlValue& value, std::string& out) {
    const auto* name = string(value);
    if (name == nullptr) return;
    if (is_job_name(*name)) {
        out = *name;
    } else if (name->find('@') != std::string::npos) {
        report(value, quoted(*name) + " is an instance: write the job's name, " +
                          quoted(std::string_view(*name).substr(0, name->find('@'))));
    } else {
        report(value, quoted(*name) + " cannot be a job's name");
    }
}

void KeyReader::job_names(const TomlValue& value, std::vector<std::string>& out, std::vector<Place>& places) {
    const auto* elements = array(value);
    if (elements == nullptr) return;
    out.clear();
    places.clear();
    if (elements->size() > kMostDependencies) {
        report(value, "names more than " + std::to_string(kMostDependencies) + " jobs");
        return;
    }
    for (const auto& element : *elements) {
        std::string name;
        job_name(element, name);
        if (name.empty()) continue;
        if (std::find(out.begin(), out.end(), name) != out.end()) {
            report(element, "names " + quoted(name) + " twice");
            continue;
        }
        out.push_back(std::move(name));
        places.push_back(place_of(element));
    }
}

void KeyReader::members(const TomlValue& value) {
    job_names(value, group_->members, group_->places);
    group_->refused = group_->members.empty();
    const auto* names = value.as<TomlValue::Array>();
    if (names != nullptr && names->empty()) report(value, "must name at least one job");
}

void KeyReader::group_exhausted(const TomlValue& value) {
    group_->on_exhausted = place_of(value);
    choice(value, group_->settings.on_exhausted);
}

void KeyReader::requirements(const TomlValue& value) {
    const auto* elements = array(value);
    if (elements == nullptr) return;
    auto& out = job_->spec.dependencies.requirements;
    auto& places = job_->dependency_places.requirements;
    out.clear();
    places.clear();
    if (elements->size() > kMostDependencies) {
        report(value, "names more than " + std::to_string(kMostDependencies) + " jobs");
        return;
    }
    for (const auto& element : *elements) {
        Requirement one;
        if (!requirement(element, one)) continue;
        const auto same = [&](const Requirement& other) { return other.job == one.job; };
        if (std::any_of(out.begin(), out.end(), same)) {
            report(element, "names " + quoted(one.job) + " twice");
            continue;
        }
        out.push_back(std::move(one));
        places.push_back(place_of(element));
    }
}

bool KeyReader::requirement(const TomlValue& value, Requirement& out) {
    const auto* table = value.as<TomlValue::Table>();
    if (table == nullptr) {
        job_name(value, out.job);
        return !out.job.empty();
    }
    bool good = true;
    const TomlMember* on_restart = nullptr;
    for (const auto& member : *table) {
        if (member.key == "job") {
            job_name(member.value, out.job);
        } else if (member.key == "condition") {
            good &= member_choice(member, kConditionWords, out.condition);
        } else if (member.key == "on_restart") {
            on_restart = &member;
            good &= member_choice(member, kOnRestartWords, out.on_restart);
        } else {
            problems_.add({&file_, member.position}, label() + " has " + quoted(member.key) +
                                                         ", which is not known there" +
                                                         did_you_mean(member.key, kMembers));
            good = false;
        }
    }
    if (find(*table, "job") == nullptr) report(value, "does not say which job: write { job = \"NAME\", … }");
    if (on_restart != nullptr && good && !out.lasts()) {
        problems_.add({&file_, on_restart->position}, "'on_restart' never takes effect: condition = \"" +
                                                          std::string(word_of(out.condition)) +
                                                          "\" is only for the start");
        good = false;
    }
    return good && !out.job.empty();
}

template <typename Enum>
bool KeyReader::member_choice(const TomlMember& member, std::span<const std::string_view> words, Enum& out) {
    const auto* text = string(member.value);
    if (text == nullptr) return false;
    const auto found = std::find(words.begin(), words.end(), *text);
    if (found != words.end()) {
        out = static_cast<Enum>(found - words.begin());
        return true;
    }
    std::string all;
    for (const auto word : words) all += (all.empty() ? "" : ", ") + std::string(word);
    report(member.value, "has " + quoted(member.key) + " = " + quoted(*text) + ", which is none of " + all +
                             did_you_mean(*text, words));
    return false;
}

}  // namespace procsup
