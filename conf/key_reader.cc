#include "conf/key_reader.h"

#include <algorithm>
#include <charconv>

#include "common/did_you_mean.h"
#include "common/units.h"
#include "conf/account_name.h"

namespace procsup {
namespace {

bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::optional<std::uint32_t> parse_id(std::string_view text) {
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    // -1 means "leave as it is" to the kernel; a leading zero might be meant as octal.
    if (error != std::errc() || end != text.data() + text.size() || id == UINT32_MAX) return std::nullopt;
    if (text.size() > 1 && text[0] == '0') return std::nullopt;
    return id;
}

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

bool is_job_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && name[0] != '-' && name[0] != '.' &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_word_char(c) || c == '.' || c == '-'; });
}

bool is_env_name(std::string_view name) {
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), is_word_char);
}

std::string env_name_fault(std::string_view name) {
    if (!is_env_name(name)) return quoted(name) + " is not a name for a variable: use letters, digits and _";
    if (name == "LISTEN_FDS" || name == "LISTEN_PID" || name == "LISTEN_FDNAMES")
        return quoted(name) + " cannot be set: it is of [[sockets]]";
    if (name.starts_with("PROCSUPD_")) return quoted(name) + " cannot be set: names with PROCSUPD_ are procsupd's own";
    return {};
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kMostShown = 100;
    std::string result = "'";
    std::size_t shown = std::min(text.size(), kMostShown);
    while (shown < text.size() && shown > 0 && (static_cast<unsigned char>(text[shown]) & 0xC0) == 0x80) --shown;
    for (const char c : text.substr(0, shown)) {
        const auto byte = static_cast<unsigned char>(c);
        result += byte < 0x20 || byte == 0x7F ? '?' : c;
    }
    if (shown < text.size()) result += "...";
    return result += '\'';
}

void KeyReader::read_job(const TomlValue::Table& table, JobDraft& job) {
    job_ = &job;
    read_table("", table);
    job_ = nullptr;
}

void KeyReader::read_daemon(std::string_view section, const TomlValue::Table& table, DaemonDraft& daemon) {
    daemon_ = &daemon;
    read_table(section, table);
    daemon_ = nullptr;
}

void KeyReader::read_group(const TomlValue::Table& table, GroupDraft& group) {
    group_ = &group;
    read_table(kGroupSection, table);
    group_ = nullptr;
}

void KeyReader::read_table(std::string_view section, const TomlValue::Table& table) {
    for (const auto& member : table) {
        if (section.empty() && is_table_of_job(member.key)) {
            if (const auto* inner = member.value.as<TomlValue::Table>()) {
                read_table(member.key, *inner);
            } else {
                problems_.add(place_of(member.value), quoted(member.key) + " must be a table, not " +
                                                          std::string(type_name(member.value)) + ": write [" +
                                                          member.key + "]");
            }
        } else if (const auto* row = find_key(section, member.key)) {
            read_member(*row, member);
        } else {
            problems_.add({&file_, member.position},
                          unknown_key_text(section, member.key, member.value.as<TomlValue::Table>() != nullptr));
        }
    }
}

void KeyReader::read_member(const KeyRow& row, const TomlMember& member) {
    row_ = &row;
    if (job_ != nullptr) job_->marks[static_cast<std::size_t>(row.key)] = {{&file_, member.position}, rank_, false};
    row.read(*this, member.value);
}

std::string KeyReader::label() const {
    const bool plain = row_->section.empty() || !is_job_section(row_->section);
    return "'" + (plain ? std::string() : std::string(row_->section) + ".") + std::string(row_->name) + "'";
}

void KeyReader::report(const TomlValue& value, const std::string& message) {
    problems_.add(place_of(value), label() + " " + message);
}

void KeyReader::wrong_type(const TomlValue& value, std::string_view hint) {
    std::string message = "must be " + std::string(row_->form->phrase) + ", not " + std::string(type_name(value));
    if (!hint.empty()) message.append(": ").append(hint);
    report(value, message);
}

const std::string* KeyReader::string(const TomlValue& value) {
    const auto* text = value.as<std::string>();
    if (text == nullptr) {
        wrong_type(value);
    } else if (text->find('\0') != std::string::npos) {
        report(value, "must not have a NUL character in it");
        return nullptr;
    }
    return text;
}

const TomlValue::Array* KeyReader::array(const TomlValue& value) {
    const auto* array = value.as<TomlValue::Array>();
    if (array == nullptr) {
        const auto* text = value.as<std::string>();
        wrong_type(value, text != nullptr ? "write [\"" + *text + "\"]" : std::string());
    }
    return array;
}

bool KeyReader::strings(const TomlValue& value, std::vector<PlacedText>& out) {
    const auto* elements = array(value);
    if (elements == nullptr) return false;
    out.clear();
    for (const auto& element : *elements) {
        if (const auto* text = string(element)) out.push_back({*text, place_of(element)});
    }
    return out.size() == elements->size();
}

void KeyReader::text(const TomlValue& value, std::string& out) {
    const auto* text = string(value);
    if (text == nullptr) return;
    const bool one_line = std::none_of(text->begin(), text->end(), [](char c) { return c >= 0 && c < 0x20; });
    if (one_line) {
        out = *text;
    } else {
        report(value, "must be one line without control characters");
    }
}

void KeyReader::placed_text(const TomlValue& value, PlacedText& out) {
    if (const auto* text = string(value)) out = {*text, place_of(value)};
}

void KeyReader::boolean(const TomlValue& value, bool& out) {
    if (const auto* truth = value.as<bool>()) {
        out = *truth;
        return;
    }
    const auto* text = value.as<std::string>();
    const bool quotes = text != nullptr && (*text == "true" || *text == "false");
    wrong_type(value, quotes ? "write it without quotes" : "");
}

bool KeyReader::checked_integer(const TomlValue& value, std::int64_t least, std::int64_t most, std::int64_t& out) {
    const auto* integer = value.as<std::int64_t>();
    if (integer == nullptr) {
        const auto* text = value.as<std::string>();
        wrong_type(value, text != nullptr && all_digits(*text) ? "write it without quotes" : "");
        return false;
    }
    if (*integer < least || *integer > most) {
        report(value, "must be " + std::string(row_->form->phrase) + ", not " + std::to_string(*integer));
        return false;
    }
    out = *integer;
    return true;
}

void KeyReader::number(const TomlValue& value, double least, double most, double& out) {
    double number = 0;
    if (const auto* integer = value.as<std::int64_t>()) {
        number = static_cast<double>(*integer);
    } else if (const auto* real = value.as<double>()) {
        number = *real;
    } else {
        wrong_type(value);
        return;
    }
    // Written so that not-a-number is refused too.
    if (number >= least && number <= most) {
        out = number;
    } else {
        report(value, "must be " + std::string(row_->form->phrase));
    }
}

bool KeyReader::parsed_duration(const TomlValue& value, std::string_view text, Duration& out) {
    const auto duration = parse_duration(text);
    if (duration) {
        out = *duration;
        return true;
    }
    report(value, "cannot be used: " + duration.error().message);
    return false;
}

void KeyReader::duration(const TomlValue& value, Duration& out, Zero zero) {
    if (const auto* integer = value.as<std::int64_t>()) {
        wrong_type(value, "write \"" + std::to_string(*integer) + "s\"");
        return;
    }
    const auto* text = string(value);
    Duration duration{};
    if (text == nullptr || !parsed_duration(value, *text, duration)) return;
    if (zero == Zero::Refused && duration == Duration::zero()) {
        report(value, "must be longer than 0");
        return;
    }
    out = duration;
}

void KeyReader::timeout(const TomlValue& value, Duration& out, Zero zero) {
    const auto* text = value.as<std::string>();
    if (text != nullptr && *text == "none") {
        out = kForever;
    } else {
        duration(value, out, zero);
    }
}

bool KeyReader::chosen(const TomlValue& value, std::size_t& index) {
    const auto* text = string(value);
    if (text == nullptr) return false;
    const auto choices = row_->form->choices;
    const auto found = std::find(choices.begin(), choices.end(), *text);
    if (found != choices.end()) {
        index = static_cast<std::size_t>(found - choices.begin());
        return true;
    }
    report(value,
           "must be " + std::string(row_->form->phrase) + ", not " + quoted(*text) + did_you_mean(*text, choices));
    return false;
}

bool KeyReader::single_name(const TomlValue& value, PlacedName& out) {
    if (const auto* integer = value.as<std::int64_t>()) {
        if (*integer < 0 || *integer >= static_cast<std::int64_t>(UINT32_MAX)) {
            report(value, "must be an id from 0 to 4294967294, not " + std::to_string(*integer));
            return false;
        }
        out = {{}, static_cast<std::uint32_t>(*integer), place_of(value)};
        return true;
    }
    const auto* text = string(value);
    if (text == nullptr) return false;
    out = {*text, std::nullopt, place_of(value)};
    if (all_digits(*text)) {
        out.id = parse_id(*text);
        if (!out.id) report(value, "must be an id from 0 to 4294967294 without leading zeros, not " + quoted(*text));
        return out.id.has_value();
    }
    std::string_view name = *text;
    if (daemon_ != nullptr && name == "*") return true;
    if (daemon_ != nullptr && name.starts_with('@')) name.remove_prefix(1);
    const auto fault = name.empty() ? "must not be empty" : account_name_fault(name);
    if (!fault.empty()) report(value, fault);
    return fault.empty();
}

void KeyReader::name_or_id(const TomlValue& value, std::optional<PlacedName>& out) {
    PlacedName name;
    if (single_name(value, name)) out = std::move(name);
}

void KeyReader::names_or_ids(const TomlValue& value, std::vector<PlacedName>& out) {
    const auto* elements = array(value);
    if (elements == nullptr) return;
    out.clear();
    for (const auto& element : *elements) {
        PlacedName name;
        if (single_name(element, name)) out.push_back(std::move(name));
    }
}

void KeyReader::on_crash(const TomlValue& value) {
    daemon_->on_crash = place_of(value);
    choice(value, daemon_->spec.on_crash.emplace());
}

}  // namespace procsup
