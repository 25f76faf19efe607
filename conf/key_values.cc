// Values of a form that several keys share: signals, paths, streams, sizes.
#include <signal.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "common/did_you_mean.h"
#include "common/signal_name.h"
#include "common/units.h"
#include "conf/key_reader.h"
#include "conf/placeholder.h"

namespace procsup {
namespace {

/// A signal by its name only: numbers differ between machines.
std::optional<int> named_signal(const std::string& text) {
    if (text.empty() || !std::isalpha(static_cast<unsigned char>(text[0]))) return std::nullopt;
    return parse_signal(text);
}

std::string signal_hint(const std::string& text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number > 0 && number < SIGRTMIN) {
        return ": write \"" + signal_name(number) + "\"";
    }
    // What all names begin with makes nothing alike.
    std::vector<std::string> names;
    for (int signal = 1; signal < 32; ++signal) names.push_back(signal_name(signal).substr(3));
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    if (upper.starts_with("SIG")) upper.erase(0, 3);
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto found = nearest(upper, views);
    return found.empty() ? std::string() : " (did you mean 'SIG" + std::string(found) + "'?)";
}

template <typename List>
void sort_and_unite(List& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// May be the beginning of a path, now or after its placeholder is replaced.
bool looks_like_path(const std::string& text) { return text.find('/') != std::string::npos || text.starts_with("${"); }

}  // namespace

void KeyReader::signal(const TomlValue& value, int& out) {
    if (const auto* integer = value.as<std::int64_t>()) {
        const bool known = *integer > 0 && *integer < SIGRTMIN;
        wrong_type(value, known ? "write \"" + signal_name(static_cast<int>(*integer)) + "\"" : std::string());
        return;
    }
    const auto* text = string(value);
    if (text == nullptr) return;
    if (const auto signal = named_signal(*text)) {
        out = *signal;
    } else {
        report(value, "must be the name of a signal, not " + quoted(*text) + signal_hint(*text));
    }
}

bool KeyReader::exit_code(const TomlValue& value, ExitSet& out) {
    if (const auto* code = value.as<std::int64_t>()) {
        if (*code < 0 || *code > 255) {
            report(value, "must have exit codes from 0 to 255, not " + std::to_string(*code));
            return false;
        }
        out.codes.push_back(static_cast<std::uint8_t>(*code));
        return true;
    }
    const auto* text = string(value);
    if (text == nullptr) return false;
    if (const auto signal = named_signal(*text)) {
        out.signals.push_back(static_cast<std::uint8_t>(*signal));
        return true;
    }
    const bool digits = text->find_first_not_of("0123456789") == std::string::npos && !text->empty();
    report(value, "must have exit codes and names of signals, not " + quoted(*text) +
                      (digits ? ": write the code without quotes" : signal_hint(*text)));
    return false;
}

void KeyReader::exit_set(const TomlValue& value, ExitSet& out) {
    const auto* elements = array(value);
    if (elements == nullptr) return;
    ExitSet set;
    bool good = true;
    for (const auto& element : *elements) good = exit_code(element, set) && good;
    if (!good) return;
    sort_and_unite(set.codes);
    sort_and_unite(set.signals);
    out = std::move(set);
}

bool KeyReader::anchored(const TomlValue& value, std::string& path) {
    if (path.empty()) {
        report(value, "must not be empty");
        return false;
    }
    if (path[0] == '/' || path.starts_with("${")) return true;
    if (!file_.project) {
        report(value, "must be an absolute path, not " + quoted(path));
        return false;
    }
    path = (file_.folder == "/" ? "" : protect(file_.folder)) + "/" + path;
    return true;
}

void KeyReader::path(const TomlValue& value, PlacedText& out) {
    const auto* text = string(value);
    if (text == nullptr) return;
    std::string path = *text;
    if (anchored(value, path)) out = {std::move(path), place_of(value)};
}

void KeyReader::daemon_path(const TomlValue& value, std::string& out) {
    PlacedText text;
    path(value, text);
    if (text.text.find("${") != std::string::npos) {
        report(value, "cannot have placeholders");
    } else if (!text.text.empty()) {
        out = std::move(text.text);
    }
}

void KeyReader::stream(const TomlValue& value, Stream& out) {
    const auto* text = string(value);
    if (text == nullptr) return;
    if (looks_like_path(*text)) {
        std::string path = *text;
        if (anchored(value, path)) out = {Stream::Kind::File, std::move(path)};
        return;
    }
    if (*text == "capture" && row_->key == Key::LogStdin) {
        report(value, "cannot be \"capture\", which keeps output: write " + std::string(row_->form->phrase));
        return;
    }
    if (*text == "null" && row_->key == Key::LogStdin) {
        out = {Stream::Kind::Null, {}};
        return;
    }
    std::size_t index = 0;
    if (chosen(value, index)) {
        out = {static_cast<Stream::Kind>(index), {}};
    } else {
        job_->stream_refused = true;
    }
}

bool KeyReader::checked_size(const TomlValue& value, std::string_view boundless, std::optional<std::uint64_t>& out) {
    if (const auto* integer = value.as<std::int64_t>()) {
        wrong_type(value, "write \"" + std::to_string(*integer) + "B\" for bytes");
        return false;
    }
    const auto* text = string(value);
    if (text == nullptr) return false;
    out.reset();
    if (*text == boundless) return true;
    if (*text == "none" || *text == "unlimited") {
        report(value, "must be " + std::string(row_->form->phrase) + ", not " + quoted(*text));
        return false;
    }
    const auto size = parse_size(*text);
    if (!size) {
        report(value, "cannot be used: " + size.error().message);
        return false;
    }
    out = *size;
    return true;
}

void KeyReader::log_size(const TomlValue& value, std::uint64_t& out) {
    constexpr std::uint64_t kLeast = 4096;
    std::optional<std::uint64_t> size;
    if (!checked_size(value, "none", size)) return;
    if (size && *size < kLeast) {
        report(value, "must be " + std::string(row_->form->phrase) + ", not " + quoted(*value.as<std::string>()));
    } else {
        out = size.value_or(0);
    }
}

void KeyReader::log_age(const TomlValue& value, Duration& out) {
    Duration age = out;
    timeout(value, age, Zero::Allowed);
    if (age < std::chrono::seconds(1)) {
        report(value, "must be " + std::string(row_->form->phrase) + ", not " + quoted(*value.as<std::string>()));
    } else {
        out = age;
    }
}

void KeyReader::umask(const TomlValue& value) {
    if (value.as<std::int64_t>() != nullptr) {
        wrong_type(value, "write it in quotes");
        return;
    }
    const auto* text = string(value);
    if (text == nullptr) return;
    const bool octal = text->find_first_not_of("01234567") == std::string::npos;
    if (!octal || (text->size() != 3 && !(text->size() == 4 && (*text)[0] == '0'))) {
        report(value, "must be an octal string such as \"0022\", not " + quoted(*text));
        return;
    }
    unsigned mask = 0;
    std::from_chars(text->data(), text->data() + text->size(), mask, 8);
    job_->spec.umask = static_cast<mode_t>(mask);
}

void KeyReader::rate(const TomlValue& value, std::uint32_t most, std::string_view what, RateLimit& out) {
    const auto* text = string(value);
    if (text == nullptr) return;
    if (*text == "none") {
        out = RateLimit{};
        return;
    }
    const auto slash = text->find('/');
    std::uint32_t count = 0;
    const char* const number_end = text->data() + std::min(slash, text->size());
    const auto [end, error] = std::from_chars(text->data(), number_end, count);
    if (slash == std::string::npos || error != std::errc() || end != number_end) {
        report(value, "must be " + std::string(row_->form->phrase) + ", not " + quoted(*text));
        return;
    }
    if (count < 1 || count > most) {
        report(value,
               "must allow 1 to " + std::to_string(most) + " " + std::string(what) + ": write \"none\" for no limit");
        return;
    }
    Duration window{};
    if (!parsed_duration(value, std::string_view(*text).substr(slash + 1), window)) return;
    if (window == Duration::zero()) {
        report(value, "must have a time longer than 0");
    } else {
        out = {count, window};
    }
}

}  // namespace procsup
