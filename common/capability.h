#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace procsup {

/// Capabilities by their numbers (capabilities(7)): number n is bit n.
using CapabilitySet = std::uint64_t;

constexpr CapabilitySet capability_bit(int number) { return CapabilitySet{1} << number; }

/// One more than the largest number that has a name here; a kernel can know fewer, or more.
int named_capabilities();

/// The number of "CAP_NET_BIND_SERVICE" or "net_bind_service", in any case of letters.
std::optional<int> parse_capability(std::string_view text);

/// "CAP_NET_BIND_SERVICE"; "CAP_63" for a number without a name.
std::string capability_name(int number);

/// " (did you mean 'CAP_CHOWN'?)", or "" when nothing is near.
std::string capability_hint(std::string_view text);

/// The names of all of `set`, in the order of their numbers.
std::vector<std::string> capability_names(CapabilitySet set);

/// "CAP_CHOWN, CAP_KILL"; "none" for none.
std::string capabilities_text(CapabilitySet set);

}  // namespace procsup
