// Values of [sandbox].
#include "common/capability.h"
#include "conf/key_reader.h"

namespace procsup {

void KeyReader::capabilities(const TomlValue& value, CapabilitySet& out) {
    std::vector<PlacedText> names;
    if (!strings(value, names)) return;
    out = 0;
    for (const auto& name : names) {
        if (const auto number = parse_capability(name.text)) {
            out |= capability_bit(*number);
        } else {
            problems_.add(name.place, label() + " has " + quoted(name.text) + ", which is no capability" +
                                          capability_hint(name.text));
        }
    }
}

void KeyReader::sandbox_paths(const TomlValue& value, std::vector<PlacedText>& out) {
    constexpr std::size_t kMost = 64;
    if (optional_paths(value, out) && out.size() > kMost) report(value, "must have at most 64 paths");
}

}  // namespace procsup
