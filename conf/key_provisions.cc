// Values of what is laid out for a job before it runs.
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::size_t kMostCredentials = 64;
constexpr std::size_t kMostDirs = 16;

}  // namespace

void KeyReader::credentials(const TomlValue& value) {
    const auto* table = value.as<TomlValue::Table>();
    if (table == nullptr) return wrong_type(value, "write [credentials]");
    for (const auto& [name, position, source] : *table) {
        const Place place{&file_, position};
        const auto* text = source.as<std::string>();
        if (!is_job_name(name)) {
            problems_.add(place, quoted(name) +
                                     " cannot name a credential: use 1 to 64 of A-Z a-z 0-9 _ . -, not "
                                     "starting with - or .");
        } else if (text == nullptr) {
            problems_.add(place_of(source), "'credentials." + name +
                                                "' must be a path such as \"/etc/shop/key\", not " +
                                                std::string(type_name(source)));
        } else if (std::string path = *text; string(source) != nullptr && anchored(source, path)) {
            job_->credentials[name] = {std::move(path), place_of(source)};
        }
    }
    if (job_->credentials.size() > kMostCredentials) report(value, "must have at most 64 files");
}

void KeyReader::dir_names(const TomlValue& value, std::vector<PlacedText>& out) {
    std::vector<PlacedText> names;
    if (!strings(value, names)) return;
    if (names.size() > kMostDirs) return report(value, "must have at most 16 names");
    out = std::move(names);
}

}  // namespace procsup
