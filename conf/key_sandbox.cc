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

}  // namespace procsup
