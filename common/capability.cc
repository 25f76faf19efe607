#include "common/capability.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "common/did_you_mean.h"

namespace procsup {
namespace {

/// In the order of their numbers (linux/capability.h).
constexpr std::array<std::string_view, 41> kNames{"CHOWN",
                                                  "DAC_OVERRIDE",
                                                  "DAC_READ_SEARCH",
                                                  "FOWNER",
                                                  "FSETID",
                                                  "KILL",
                                                  "SETGID",
                                                  "SETUID",
                                                  "SETPCAP",
                                                  "LINUX_IMMUTABLE",
                                                  "NET_BIND_SERVICE",
                                                  "NET_BROADCAST",
                                                  "NET_ADMIN",
                                                  "NET_RAW",
                                                  "IPC_LOCK",
                                                  "IPC_OWNER",
                                                  "SYS_MODULE",
                                                  "SYS_RAWIO",
                                                  "SYS_CHROOT",
                                                  "SYS_PTRACE",
                                                  "SYS_PACCT",
                                                  "SYS_ADMIN",
                                                  "SYS_BOOT",
                                                  "SYS_NICE",
                                                  "SYS_RESOURCE",
                                                  "SYS_TIME",
                                                  "SYS_TTY_CONFIG",
                                                  "MKNOD",
                                                  "LEASE",
                                                  "AUDIT_WRITE",
                                                  "AUDIT_CONTROL",
                                                  "SETFCAP",
                                                  "MAC_OVERRIDE",
                                                  "MAC_ADMIN",
                                                  "SYSLOG",
                                                  "WAKE_ALARM",
                                                  "BLOCK_SUSPEND",
                                                  "AUDIT_READ",
                                                  "PERFMON",
                                                  "BPF",
                                                  "CHECKPOINT_RESTORE"};

constexpr std::string_view kPrefix = "CAP_";

std::string bare_name(std::string_view text) {
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
    return name;
}

}  // namespace

int named_capabilities() { return static_cast<int>(kNames.size()); }

std::optional<int> parse_capability(std::string_view text) {
    const auto found = std::find(kNames.begin(), kNames.end(), bare_name(text));
    if (found == kNames.end()) return std::nullopt;
    return static_cast<int>(std::distance(kNames.begin(), found));
}

std::string capability_name(int number) {
    std::string name(kPrefix);
    return number < named_capabilities() ? name.append(kNames[static_cast<std::size_t>(number)])
                                         : name + std::to_string(number);
}

std::string capability_hint(std::string_view text) {
    // What all names begin with makes nothing alike.
    const auto found = nearest(bare_name(text), kNames);
    return found.empty() ? std::string() : " (did you mean 'CAP_" + std::string(found) + "'?)";
}

std::vector<std::string> capability_names(CapabilitySet set) {
    std::vector<std::string> names;
    for (int number = 0; number < 64; ++number) {
        if ((set & capability_bit(number)) != 0) names.push_back(capability_name(number));
    }
    return names;
}

std::string capabilities_text(CapabilitySet set) {
    std::string text;
    for (const auto& name : capability_names(set)) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
}

}  // namespace procsup
