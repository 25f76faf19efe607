// Where the keys of a job are written: a line with a word for each key that counts, then the names of files. A word is
// "KEY:LINE", where KEY is the number of a Key, or eN and cN for the variable and the credential number N of the job; with
// "@FILE" behind it, the number of one of the names, where that is not the file the job is defined in.
#include "conf/key_places.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/job_text.h"
#include "conf/keys.h"

namespace procsup {
namespace {

/// Whose values are shown one by one, or nowhere.
constexpr std::array kNotShown{Key::Env, Key::EnvFiles, Key::InheritEnv, Key::Credentials, Key::Free};

constexpr std::array kAlternatives{std::pair{Key::Command, Key::Shell}, std::pair{Key::LogStdout, Key::LogPipeTo}};

/// Of keys that exclude each other, one that another text has replaced.
bool is_replaced(const JobDraft& draft, Key key) {
    return std::any_of(kAlternatives.begin(), kAlternatives.end(), [&](const auto& pair) {
        return (key == pair.first && draft.outranks(pair.second, key)) ||
               (key == pair.second && draft.outranks(pair.first, key));
    });
}

/// The place of `key`, or of what its value follows from.
Place place_of(const JobDraft& draft, const JobSpec& spec, Key key) {
    const bool follows = spec.identity && (key == Key::Group || key == Key::Groups) && !draft.written(key);
    return draft.mark(follows ? Key::User : key).place;
}

/// A comment ends with its line, and has no control characters.
std::string in_comment(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, '?');
    return text;
}

/// Writes KeyPlaces.
class PlaceWriter {
public:
    explicit PlaceWriter(const SourceFile& home) : home_(home) {}

    void add(const std::string& what, const Place& place) {
        if (place.file == nullptr) return;
        words_.append(words_.empty() ? "" : " ").append(what).append(":").append(std::to_string(place.at.line));
        if (place.file == &home_) return;
        auto file = std::find(files_.begin(), files_.end(), place.file);
        if (file == files_.end()) file = files_.insert(file, place.file);
        words_.append("@").append(std::to_string(file - files_.begin()));
    }
    KeyPlaces take() {
        for (const auto* file : files_) words_.append("\n").append(in_comment(file->name));
        words_.shrink_to_fit();
        return {std::move(words_)};
    }

private:
    const SourceFile& home_;
    std::string words_;
    std::vector<const SourceFile*> files_;
};

/// Reads them.
class Places {
public:
    explicit Places(const JobSpec& spec) {
        std::string_view rest = spec.key_places.text;
        const auto words = next(rest, '\n');
        std::vector<std::string_view> files;
        while (!rest.empty()) files.push_back(next(rest, '\n'));
        read(words, files, in_comment(spec.origin.substr(0, spec.origin.rfind(':'))));
    }

    /// "FILE:LINE"; empty: nowhere, or already taken.
    std::string take(const std::string& what) {
        const auto found = places_.find(what);
        if (found == places_.end()) return {};
        auto place = std::move(found->second);
        places_.erase(found);
        return place;
    }

private:
    static std::string_view next(std::string_view& rest, char end) {
        const auto part = rest.substr(0, rest.find(end));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        return part;
    }

    void read(std::string_view words, const std::vector<std::string_view>& files, const std::string& home) {
        while (!words.empty()) {
            auto place = next(words, ' ');
            const auto what = next(place, ':');
            const auto line = next(place, '@');
            std::size_t file = 0;
            const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), file);
            const bool elsewhere = error == std::errc() && file < files.size();
            if (line.empty() || (!place.empty() && !elsewhere)) continue;
            places_[std::string(what)] = (elsewhere ? std::string(files[file]) : home) + ":" + std::string(line);
        }
    }

    std::map<std::string, std::string> places_;  // by what is in front of the colon
};

std::string number_of(Key key) { return std::to_string(static_cast<std::size_t>(key)); }

std::string label_of(const KeyRow& row) {
    return (row.section.empty() ? "" : std::string(row.section) + ".") + std::string(row.name);
}

}  // namespace

KeyPlaces key_places(const JobDraft& draft, const JobSpec& spec, const JobResolver::EnvPlaces& env) {
    PlaceWriter writer(*draft.place.file);
    for (std::size_t i = 0; i < kKeyCount; ++i) {
        const auto key = static_cast<Key>(i);
        const auto place = place_of(draft, spec, key);
        if (place.file == nullptr) continue;
        const bool shown = std::find(kNotShown.begin(), kNotShown.end(), key) == kNotShown.end();
        if (shown && !is_replaced(draft, key)) writer.add(number_of(key), place);
    }
    for (std::size_t i = 0; i < spec.env.size(); ++i) {
        const auto found = env.find(std::string_view(spec.env[i]).substr(0, spec.env[i].find('=')));
        if (found != env.end()) writer.add("e" + std::to_string(i), found->second);
    }
    for (std::size_t i = 0; i < spec.credentials.size(); ++i) {
        const auto found = draft.credentials.find(spec.credentials[i].name);
        if (found != draft.credentials.end()) writer.add("c" + std::to_string(i), found->second.place);
    }
    return writer.take();
}

std::string to_toml_with_places(const JobSpec& spec) {
    Places places(spec);
    const std::string plain = to_toml(spec);
    std::string text, section;
    std::size_t in_section = 0;
    // A line each: control characters in values are written as escapes.
    for (std::string_view rest = plain; !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        text += line;
        if (line.starts_with('[')) {
            section = line.substr(1, line.size() - 2);
            in_section = 0;
        } else if (const auto equals = line.find(" = "); equals != std::string_view::npos) {
            const auto key = line.substr(line.starts_with("# ") ? 2 : 0, equals - (line.starts_with("# ") ? 2 : 0));
            std::string place;
            if (section == "env" || section == "credentials") {
                place = places.take(section.substr(0, 1) + std::to_string(in_section++));
            } else if (const auto* row = find_key(section, key)) {
                place = places.take(number_of(row->key));
                if (row->key == Key::Command && place.empty()) place = places.take(number_of(Key::Shell));
            }
            if (!place.empty()) text.append("  # ").append(place);
        }
        text += '\n';
    }
    for (const auto& row : all_keys()) {
        const bool follows = row.key == Key::Group || row.key == Key::Groups;
        const auto place = places.take(number_of(row.key));
        if (place.empty() || follows) continue;
        text.append("# ").append(label_of(row)).append(" is as by default, or has no effect  # ") += place + "\n";
    }
    return text;
}

}  // namespace procsup
