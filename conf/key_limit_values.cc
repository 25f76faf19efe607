// Values of [limits].
#include <algorithm>
#include <charconv>

#include "common/did_you_mean.h"
#include "common/units.h"
#include "conf/cpu_list.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

/// The numbers that may be written, of units that have no letters.
std::pair<std::int64_t, std::int64_t> range_of(LimitUnit unit) {
    switch (unit) {
        case LimitUnit::Nice: return {-20, 19};
        case LimitUnit::Priority: return {0, 99};
        case LimitUnit::Count:
        case LimitUnit::Bytes:
        case LimitUnit::Seconds:
        case LimitUnit::Microseconds: break;
    }
    return {0, INT64_MAX};
}

bool is_plain_number(LimitUnit unit) {
    return unit == LimitUnit::Count || unit == LimitUnit::Nice || unit == LimitUnit::Priority;
}

rlim_t to_kernel(LimitUnit unit, std::int64_t number) {
    return unit == LimitUnit::Nice ? limit_of_nice(static_cast<int>(number)) : static_cast<rlim_t>(number);
}

}  // namespace

bool KeyReader::whole_number(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() && out >= least && out <= most;
}

bool KeyReader::one_limit(const TomlValue& value, LimitUnit unit, std::string_view text, rlim_t& out) {
    if (text == "unlimited") {
        out = RLIM_INFINITY;
        return true;
    }
    const auto refuse = [&](const std::string& why) {
        report(value, why);
        return false;
    };
    const std::string wanted = "must be " + std::string(row_->form->phrase) + ", not " + quoted(text);
    if (text == "infinity" || text == "none" || text == "-1") return refuse(wanted + " (did you mean 'unlimited'?)");
    if (is_plain_number(unit)) {
        std::int64_t number = 0;
        const auto [least, most] = range_of(unit);
        if (!whole_number(text, least, most, number)) return refuse(wanted);
        out = to_kernel(unit, number);
        return true;
    }
    if (unit == LimitUnit::Bytes) {
        const auto size = parse_size(text);
        if (!size) return refuse("cannot be used: " + size.error().message);
        out = *size;
        return true;
    }
    Duration duration{};
    if (!parsed_duration(value, text, duration)) return false;
    if (duration == Duration::zero()) return refuse("must be longer than 0");
    const bool whole = duration % std::chrono::seconds(1) == Duration::zero();
    if (unit == LimitUnit::Seconds && !whole) return refuse(wanted);
    out = static_cast<rlim_t>(unit == LimitUnit::Seconds ? duration / std::chrono::seconds(1) : duration.count());
    return true;
}

void KeyReader::resource_limit(const TomlValue& value) {
    const LimitRow& row = *find_limit(row_->key);
    ResourceLimit limit(row.resource, 0);
    const auto* integer = value.as<std::int64_t>();
    if (is_plain_number(row.unit) && value.as<std::string>() == nullptr) {
        std::int64_t number = 0;
        const auto [least, most] = range_of(row.unit);
        if (!checked_integer(value, least, most, number)) return;
        limit.soft = limit.hard = to_kernel(row.unit, number);
    } else if (integer != nullptr) {
        const auto digits = std::to_string(*integer);
        return wrong_type(
            value, row.unit == LimitUnit::Bytes ? "write \"" + digits + "B\" for bytes" : "write \"" + digits + "s\"");
    } else {
        const auto* text = string(value);
        if (text == nullptr) return;
        const auto colon = text->find(':');
        std::int64_t ignored = 0;
        if (colon == std::string::npos && is_plain_number(row.unit) &&
            whole_number(*text, INT64_MIN, INT64_MAX, ignored))
            return wrong_type(value, "write it without quotes");
        if (!one_limit(value, row.unit, std::string_view(*text).substr(0, colon), limit.soft)) return;
        limit.hard = limit.soft;
        if (colon != std::string::npos &&
            !one_limit(value, row.unit, std::string_view(*text).substr(colon + 1), limit.hard)) {
            return;
        }
        if (limit.soft > limit.hard) {
            return report(value, "has a soft limit above the hard one: write \"SOFT:HARD\"");
        }
    }
    auto& limits = job_->spec.limits;
    const auto place = std::lower_bound(limits.begin(), limits.end(), row.resource,
                                        [](const ResourceLimit& one, int key) { return one.resource < key; });
    if (place != limits.end() && place->resource == row.resource) {
        *place = limit;
    } else {
        limits.insert(place, limit);
    }
}

std::optional<KeyReader::NumberedWord> KeyReader::numbered_word(const TomlValue& value, std::uint32_t numbered,
                                                                int least, int most) {
    const auto* text = string(value);
    if (text == nullptr) return std::nullopt;
    const auto colon = text->find(':');
    const auto word = std::string_view(*text).substr(0, colon);
    const auto choices = row_->form->choices;
    const auto found = std::find(choices.begin(), choices.end(), word);
    const std::string wanted = "must be " + std::string(row_->form->phrase) + ", not " + quoted(*text);
    if (found == choices.end()) {
        report(value, wanted + did_you_mean(word, choices));
        return std::nullopt;
    }
    NumberedWord result{static_cast<std::size_t>(found - choices.begin()), 0};
    const bool takes_number = (numbered >> result.index & 1) != 0;
    std::int64_t number = 0;
    if (takes_number != (colon != std::string::npos) ||
        (takes_number && !whole_number(std::string_view(*text).substr(colon + 1), least, most, number))) {
        report(value, wanted);
        return std::nullopt;
    }
    result.number = static_cast<int>(number);
    return result;
}

void KeyReader::scheduling(const TomlValue& value) {
    constexpr std::uint32_t kRealtime =
        1u << static_cast<unsigned>(Scheduling::Policy::Fifo) | 1u << static_cast<unsigned>(Scheduling::Policy::Rr);
    if (const auto read = numbered_word(value, kRealtime, 1, 99)) {
        job_->spec.scheduling = Scheduling{static_cast<Scheduling::Policy>(read->index), read->number};
    }
}

void KeyReader::io_priority(const TomlValue& value) {
    constexpr std::uint32_t kLevels = 1u << static_cast<unsigned>(IoPriority::Class::Realtime) |
                                      1u << static_cast<unsigned>(IoPriority::Class::BestEffort);
    if (const auto read = numbered_word(value, kLevels, 0, 7)) {
        job_->spec.io_priority = IoPriority{static_cast<IoPriority::Class>(read->index), read->number};
    }
}

void KeyReader::cpu_affinity(const TomlValue& value) {
    if (const auto* elements = value.as<TomlValue::Array>()) {
        std::vector<int> cpus;
        for (const auto& element : *elements) {
            const auto* number = element.as<std::int64_t>();
            if (number == nullptr) return wrong_type(element, "write numbers without quotes, or one string");
            if (*number < 0 || *number >= kMostCpus) {
                return report(element, "must have CPUs from 0 to " + std::to_string(kMostCpus - 1) + ", not " +
                                           std::to_string(*number));
            }
            cpus.push_back(static_cast<int>(*number));
        }
        if (cpus.empty()) return report(value, "must have at least one CPU");
        std::sort(cpus.begin(), cpus.end());
        cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
        job_->spec.cpu_affinity = std::move(cpus);
        return;
    }
    if (const auto* number = value.as<std::int64_t>()) {
        return wrong_type(value, "write [" + std::to_string(*number) + "]");
    }
    const auto* text = string(value);
    if (text == nullptr) return;
    auto cpus = parse_cpu_list(*text);
    if (!cpus) return report(value, "cannot be used: " + cpus.error().message);
    job_->spec.cpu_affinity = std::move(*cpus);
}

}  // namespace procsup
