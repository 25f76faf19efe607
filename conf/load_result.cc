// The configuration or its problems as JSON, between the process that loads and the daemon. Members that are as by
// default are left out.
#include <algorithm>
#include <map>
#include <memory>
#include <type_traits>
#include <utility>

#include "common/json.h"
#include "conf/load.h"
#include "conf/load_result_fields.h"

namespace procsup {
namespace {

/// Writes one value; of a job only what is not as by default, which keeps thousands of them short.
class Encoder {
public:
    explicit Encoder(json::Writer& writer) : writer_(writer) {}

    template <typename T>
    void field(std::string_view name, const T& value) {
        writer_.key(name);
        put(value);
    }
    template <typename T>
    void field(std::string_view name, const T& value, const T& usual) {
        if (!(value == usual)) field(name, value);
    }

    void put(const std::string& text) { writer_.string(text); }
    void put(bool value) { writer_.boolean(value); }
    void put(double value) { writer_.real(value); }
    void put(Duration value) { writer_.number(value.count()); }
    template <typename T>
    void put(const std::optional<T>& value) {
        if (value) {
            put(*value);
        } else {
            writer_.null();
        }
    }
    template <typename T>
    void put(const std::vector<T>& values) {
        writer_.begin_array();
        for (const auto& value : values) put(value);
        writer_.end_array();
    }
    template <typename T>
    void put(const T& value) {
        if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
            // RLIM_INFINITY, the one number beyond 63 bits, goes as -1.
            writer_.number(static_cast<std::int64_t>(value));
        } else {
            writer_.begin_object();
            wire::describe(*this, value);
            writer_.end_object();
        }
    }

private:
    json::Writer& writer_;
};

/// Takes one object apart, strictly: a member that is missing, unknown or of a wrong type makes it fail. The sender is
/// this same program, but a child that read hostile files.
class Decoder {
public:
    explicit Decoder(json::Value& object) : object_(object) {}

    template <typename T>
    void field(std::string_view name, T& out) {
        if (!fault_.empty()) return;
        ++fields_;
        auto value = object_.take(name);
        if (!get(value, out)) fault_ = name;
    }
    /// One that may be left out; `out` is as by default then.
    template <typename T>
    void field(std::string_view name, T& out, const T&) {
        if (object_.find(name) != nullptr) field(name, out);
    }

    /// Why it cannot be; empty when all went well.
    std::string fault() const {
        if (!fault_.empty()) return fault_;
        const auto* members = object_.as_object();
        if (members == nullptr) return "not an object";
        return members->size() == fields_ ? std::string() : "unknown members";
    }

private:
    static bool get(json::Value& value, std::string& out) {
        const auto* text = value.as_string();
        // What the kernel takes ends at a NUL, and would not be what was checked.
        if (text == nullptr || text->find('\0') != std::string::npos) return false;
        out = *text;
        return true;
    }
    static bool get(json::Value& value, bool& out) {
        const auto* truth = value.as_bool();
        if (truth != nullptr) out = *truth;
        return truth != nullptr;
    }
    static bool get(json::Value& value, double& out) {
        const auto* number = value.as_double();
        if (number != nullptr) out = *number;
        return number != nullptr;
    }
    static bool get(json::Value& value, Duration& out) {
        const auto* number = value.as_int();
        if (number == nullptr || *number < 0) return false;
        out = Duration(*number);
        return true;
    }
    static bool get(json::Value& value, rlim_t& out) {
        const auto* number = value.as_int();
        if (number == nullptr || *number < -1) return false;
        out = static_cast<rlim_t>(*number);
        return true;
    }
    template <typename T>
    static bool get(json::Value& value, std::optional<T>& out) {
        out.reset();
        return value.is_null() || get(value, out.emplace());
    }
    template <typename T>
    static bool get(json::Value& value, std::vector<T>& out) {
        const auto* elements = value.as_array();
        if (elements == nullptr) return false;
        out.clear();
        out.reserve(elements->size());
        for (auto& element : const_cast<json::Value::Array&>(*elements)) {
            if (!get(element, out.emplace_back())) return false;
        }
        return true;
    }
    template <typename T>
    static bool get(json::Value& value, T& out) {
        if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
            const auto* number = value.as_int();
            if (number == nullptr || !fits<T>(*number)) return false;
            out = static_cast<T>(*number);
            return true;
        } else {
            Decoder inner(value);
            wire::describe(inner, out);
            return inner.fault().empty();
        }
    }
    template <typename T>
    static bool fits(std::int64_t number) {
        if constexpr (std::is_enum_v<T>) {
            return number >= 0 && number <= wire::last_of(T{});
        } else {
            return std::in_range<T>(number);
        }
    }

    json::Value& object_;
    std::size_t fields_ = 0;
    std::string fault_;
};

Error unusable(const std::string& why) { return Error{"cannot use what the load process sent: " + why}; }

template <typename T>
Result<std::vector<T>> decode_list(json::Value& list) {
    const auto* elements = list.as_array();
    if (elements == nullptr) return unusable("not a list");
    std::vector<T> result;
    result.reserve(elements->size());
    for (auto& element : const_cast<json::Value::Array&>(*elements)) {
        Decoder decoder(element);
        wire::describe(decoder, result.emplace_back());
        if (const auto fault = decoder.fault(); !fault.empty()) return unusable(fault);
    }
    return result;
}

using Zones = std::map<std::string, std::shared_ptr<const Zone>>;

wire::ZoneText text_of(const Zone& zone) {
    wire::ZoneText text{zone.name(), zone.first_offset().count(), {}, {}};
    for (const auto& change : zone.changes()) {
        text.changes.push_back(change.at.time_since_epoch().count());
        text.offsets.push_back(change.offset.count());
    }
    return text;
}

/// Null for what is none.
std::shared_ptr<const Zone> zone_of(const wire::ZoneText& text) {
    const bool ordered = std::is_sorted(text.changes.begin(), text.changes.end());
    if (text.changes.size() != text.offsets.size() || !ordered) return nullptr;
    std::vector<Zone::Change> changes;
    for (std::size_t i = 0; i < text.changes.size(); ++i) {
        changes.push_back(
            {std::chrono::sys_seconds(std::chrono::seconds(text.changes[i])), std::chrono::seconds(text.offsets[i])});
    }
    return std::make_shared<const Zone>(text.name, std::chrono::seconds(text.first_offset), changes);
}

Zones zones_of(const std::vector<JobSpec>& jobs) {
    Zones zones;
    for (const auto& job : jobs) {
        if (job.schedule.zone) zones.emplace(job.schedule.timezone, job.schedule.zone);
    }
    return zones;
}

/// Whether all that clocks decide about have one.
bool give_zones(std::vector<JobSpec>& jobs, const Zones& zones) {
    for (auto& job : jobs) {
        if (job.schedule.cron.empty()) continue;
        const auto zone = zones.find(job.schedule.timezone);
        if (zone == zones.end()) return false;
        job.schedule.zone = zone->second;
    }
    return true;
}

}  // namespace

std::string encode_load_result(const std::variant<Configuration, std::vector<Problem>>& result) {
    json::Writer writer;
    Encoder encoder(writer);
    std::string text;
    const auto line = [&](std::string_view key, const auto& value) {
        writer.begin_object();
        encoder.field(key, value);
        writer.end_object();
        text.append(writer.take()).append("\n");
    };
    if (const auto* configuration = std::get_if<Configuration>(&result)) {
        line("daemon", configuration->daemon);
        for (const auto& job : configuration->jobs) line("job", job);
        for (const auto& [name, zone] : zones_of(configuration->jobs)) line("zone", text_of(*zone));
    } else {
        line("problems", std::get<std::vector<Problem>>(result));
    }
    return text;
}

// Line by line: the tree of a whole configuration would leave the daemon's heap full of holes.
Result<std::variant<Configuration, std::vector<Problem>>> decode_load_result(std::string_view text) {
    using Outcome = std::variant<Configuration, std::vector<Problem>>;
    if (text.empty() || text.back() != '\n') return unusable("it is cut off");
    Configuration configuration;
    Zones zones;
    configuration.jobs.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
    for (bool first = true; !text.empty(); first = false) {
        const auto end = text.find('\n');
        auto parsed = json::parse(text.substr(0, end));
        text.remove_prefix(end + 1);
        if (!parsed) return unusable(parsed.error().message);
        const auto* members = parsed->as_object();
        if (members == nullptr || members->size() != 1) return unusable("not an object of one member");
        const auto& key = (*members)[0].first;
        if (first && key == "problems" && text.empty()) {
            auto list = parsed->take("problems");
            auto problems = decode_list<Problem>(list);
            if (!problems) return problems.error();
            return Outcome(std::move(*problems));
        }
        const std::string kind = key;
        if (first != (kind == "daemon") || (!first && kind != "job" && kind != "zone"))
            return unusable("neither a configuration nor problems");
        auto value = parsed->take(kind);
        Decoder decoder(value);
        wire::ZoneText zone;
        if (first) {
            wire::describe(decoder, configuration.daemon);
        } else if (kind == "job") {
            wire::describe(decoder, configuration.jobs.emplace_back());
        } else {
            wire::describe(decoder, zone);
        }
        if (const auto fault = decoder.fault(); !fault.empty()) return unusable(fault);
        if (kind == "zone" && !(zones[zone.name] = zone_of(zone))) return unusable("no time zone");
    }
    if (!give_zones(configuration.jobs, zones)) return unusable("a time zone is missing");
    return Outcome(std::move(configuration));
}

}  // namespace procsup
