// Sockets that are listened on for a job: [[sockets]].
#include <algorithm>
#include <charconv>

#include "common/did_you_mean.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::array<std::string_view, 9> kMembers{"name",   "listen",          "mode",      "user",        "group",
                                                   "accept", "max_connections", "on_demand", "idle_timeout"};
/// As systemd's FDNAME_MAX.
constexpr std::size_t kLongestName = 255;

/// What systemd takes for one of LISTEN_FDNAMES, but for none at all.
bool is_fd_name(std::string_view name) {
    return !name.empty() && name.size() <= kLongestName &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7F && c != ':'; });
}

}  // namespace

void KeyReader::sockets(const TomlValue& value) {
    const auto* elements = value.as<TomlValue::Array>();
    if (elements == nullptr) return wrong_type(value, "write [[sockets]], with two brackets");
    if (elements->size() > kMostSockets) return report(value, "must have at most 64 sockets");
    auto& out = job_->sockets;
    out.clear();
    for (const auto& element : *elements) {
        SocketDraft one;
        one.place = place_of(element);
        if (!socket(element, one)) continue;
        // Of those without one the name is the job's.
        const auto same = std::find_if(out.begin(), out.end(),
                                       [&](const SocketDraft& other) { return other.name.text == one.name.text; });
        if (same != out.end()) {
            const auto& place = one.name.place.file != nullptr ? one.name.place : one.place;
            problems_.add(place, one.name.text.empty()
                                     ? "'sockets' has two without 'name', which is the job's name then: give them names"
                                     : "'sockets' has two with the name " + quoted(one.name.text));
            continue;
        }
        out.push_back(std::move(one));
    }
}

bool KeyReader::socket(const TomlValue& value, SocketDraft& out) {
    const auto* table = value.as<TomlValue::Table>();
    if (table == nullptr) {
        wrong_type(value, "write [[sockets]] and below it listen = \"…\"");
        return false;
    }
    bool good = true;
    for (const auto& member : *table) good &= socket_member(member, out);
    if (find(*table, "listen") == nullptr) {
        report(value, "does not say where: write listen = \"127.0.0.1:8080\", or what it is to listen on");
        good = false;
    }
    return good;
}

bool KeyReader::socket_member(const TomlMember& member, SocketDraft& out) {
    const auto refuse = [&](const Place& place, const std::string& message) {
        problems_.add(place, message);
        return false;
    };
    const auto at = place_of(member.value);
    if (std::find(kMembers.begin(), kMembers.end(), member.key) == kMembers.end()) {
        return refuse({&file_, member.position}, label() + " has " + quoted(member.key) + ", which is not known there" +
                                                     did_you_mean(member.key, kMembers));
    }
    const auto key = "'sockets." + member.key + "' ";
    const auto* text = member.value.as<std::string>();
    if (const auto fault = socket_service_fault(member, out); fault) return fault->empty() || refuse(at, key + *fault);
    const bool owner = member.key == "user" || member.key == "group";
    if (owner) return socket_owner(member, member.key == "user" ? out.user : out.group);
    if (text == nullptr) {
        const bool number = member.key == "mode" && member.value.as<std::int64_t>() != nullptr;
        return refuse(at, key + "must be a string, not " + std::string(type_name(member.value)) +
                              (number ? ": write it in quotes, as in \"0660\"" : ""));
    }
    if (text->find('\0') != std::string::npos) return refuse(at, key + "must not have a NUL character in it");
    if (member.key == "listen") {
        out.listen = {*text, at};
        return true;
    }
    if (member.key == "name") {
        out.name = {*text, at};
        return is_fd_name(*text) ||
               refuse(at, key + "must be 1 to 255 printable ASCII characters without ':', not " + quoted(*text));
    }
    const bool octal = text->find_first_not_of("01234567") == std::string::npos;
    if (!octal || (text->size() != 3 && !(text->size() == 4 && (*text)[0] == '0')))
        return refuse(at, key + "must be an octal string such as \"0660\", not " + quoted(*text));
    unsigned mode = 0;
    std::from_chars(text->data(), text->data() + text->size(), mode, 8);
    out.mode = static_cast<mode_t>(mode);
    out.mode_place = at;
    return true;
}

/// What procsupd does at a socket. Empty: it was taken; nothing: it is none of these members.
std::optional<std::string> KeyReader::socket_service_fault(const TomlMember& member, SocketDraft& out) {
    const auto at = place_of(member.value);
    if (member.key == "accept" || member.key == "on_demand") {
        const auto* yes = member.value.as<bool>();
        if (yes == nullptr) return "must be true or false, not " + std::string(type_name(member.value));
        (member.key == "accept" ? out.accept : out.on_demand) = *yes;
        (member.key == "accept" ? out.accept_place : out.on_demand_place) = at;
        return std::string();
    }
    if (member.key == "max_connections") {
        const auto* number = member.value.as<std::int64_t>();
        if (number == nullptr || *number < 1 || *number > kMostConnections)
            return "must be a number from 1 to " + std::to_string(kMostConnections);
        out.max_connections = static_cast<std::uint32_t>(*number);
        out.max_connections_place = at;
        return std::string();
    }
    if (member.key != "idle_timeout") return std::nullopt;
    const auto* text = member.value.as<std::string>();
    if (text == nullptr) return "must be a duration such as \"5min\", not " + std::string(type_name(member.value));
    const auto duration = parse_duration(*text);
    if (!duration) return "cannot be used: " + duration.error().message;
    if (*duration < kLeastIdleTimeout) return "must be " + to_text(kLeastIdleTimeout) + " at least";
    out.idle_timeout = *duration;
    out.idle_timeout_place = at;
    return std::string();
}

bool KeyReader::socket_owner(const TomlMember& member, std::optional<PlacedName>& out) {
    const auto at = place_of(member.value);
    const auto* text = member.value.as<std::string>();
    const auto* number = member.value.as<std::int64_t>();
    if (number != nullptr && *number >= 0 && *number < std::int64_t{UINT32_MAX}) {
        out = PlacedName{{}, static_cast<std::uint32_t>(*number), at};
    } else if (text != nullptr && !text->empty() && text->find('\0') == std::string::npos) {
        out = PlacedName{*text, std::nullopt, at};
    } else {
        problems_.add(at, "'sockets." + member.key + "' must be a name or an id");
        return false;
    }
    return true;
}

}  // namespace procsup
