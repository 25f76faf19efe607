#include <array>
#include <string>
#include <string_view>

#include "common/json.h"
#include "conf/keys.h"

namespace procsup {
namespace {

constexpr std::array<std::string_view, 4> kOnlyInProject{"jobs", "defaults", kDaemonSection, kAccessSection};
constexpr std::string_view kInBoth = "x";
constexpr std::string_view kNamePattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$";

/// Compact JSON with line breaks and indentation, for people and for diffs.
std::string indented(const std::string& compact) {
    std::string text;
    std::size_t depth = 0;
    bool in_string = false;
    const auto new_line = [&] { text.append("\n").append(depth * 2, ' '); };
    for (std::size_t i = 0; i < compact.size(); ++i) {
        const char c = compact[i];
        if (in_string) {
            text += c;
            if (c == '\\') {
                text += compact[++i];
            } else if (c == '"') {
                in_string = false;
            }
            continue;
        }
        const bool empty = i + 1 < compact.size() && (compact[i + 1] == '}' || compact[i + 1] == ']');
        switch (c) {
            case '"':
                in_string = true;
                text += c;
                break;
            case '{':
            case '[':
                text += c;
                if (empty) {
                    text += compact[++i];
                } else {
                    ++depth;
                    new_line();
                }
                break;
            case '}':
            case ']':
                --depth;
                new_line();
                text += c;
                break;
            case ',':
                text += c;
                new_line();
                break;
            case ':': text += ": "; break;
            default: text += c;
        }
    }
    return text += '\n';
}

/// "_shell_" is emphasis in the manual only.
std::string plain(std::string_view meaning) {
    std::string text;
    for (std::size_t i = 0; i < meaning.size(); ++i) {
        const bool before = i == 0 || meaning[i - 1] == ' ';
        const bool after =
            i + 1 == meaning.size() || std::string_view(" ,:;").find(meaning[i + 1]) != std::string_view::npos;
        if (meaning[i] != '_' || (!before && !after)) text += meaning[i];
    }
    return text;
}

void write_properties(json::Writer& writer, std::string_view section) {
    for (const auto& row : all_keys()) {
        if (row.section != section) continue;
        // The form's own schema is a whole object: what describes the key goes in front of its members.
        json::Writer head;
        head.begin_object().member("description", plain(row.meaning) + "; default: " + std::string(row.default_text));
        std::string schema = head.text() + "," + std::string(row.form->schema.substr(1));
        writer.key(row.name).raw(schema);
    }
}

void write_table(json::Writer& writer, std::string_view section) {
    writer.begin_object().member("type", "object").key("properties").begin_object();
    write_properties(writer, section);
    writer.end_object().member_bool("additionalProperties", false).end_object();
}

void write_reference(json::Writer& writer, std::string_view name) {
    writer.begin_object().member("$ref", "#/definitions/" + std::string(name)).end_object();
}

/// A job's properties: also those of [defaults], where nothing is required.
void write_settings(json::Writer& writer) {
    writer.begin_object().member("type", "object").key("properties").begin_object();
    write_properties(writer, "");
    for (const auto section : kTablesOfJob) {
        writer.key(section);
        write_table(writer, section);
    }
    writer.end_object().member_bool("additionalProperties", false).end_object();
}

/// "groups" is a job's key too: its user's groups.
void write_groups(json::Writer& writer) {
    writer.begin_object().key("anyOf").begin_array();
    write_reference(writer, "settings/properties/groups");
    write_reference(writer, "groups");
    writer.end_array().end_object();
}

void write_groups_definition(json::Writer& writer) {
    writer.key(kGroupSection).begin_object().member("type", "object");
    writer.key("patternProperties").begin_object().key(kNamePattern);
    write_table(writer, kGroupSection);
    writer.end_object().member_bool("additionalProperties", false).end_object();
}

/// Of a project file: its tables.
void write_project_tables(json::Writer& writer) {
    writer.key("jobs").begin_object().member("type", "object");
    writer.key("patternProperties").begin_object().key(kNamePattern);
    // What a job must have may stand in [defaults].
    write_reference(writer, "settings");
    writer.end_object().member_bool("additionalProperties", false).end_object();
    writer.key("defaults");
    write_reference(writer, "settings");
    for (const auto section : {kDaemonSection, kAccessSection}) {
        writer.key(section);
        write_table(writer, section);
    }
}

/// The names at the top of a project file, whatever stands there.
void write_only_project(json::Writer& writer) {
    writer.begin_object().key("properties").begin_object();
    for (const auto name : kOnlyInProject) writer.key(name).begin_object().end_object();
    writer.key(kGroupSection);
    write_reference(writer, kGroupSection);
    writer.key(kInBoth).begin_object().end_object().end_object();
    writer.member_bool("additionalProperties", false).end_object();
}

void write_names_of_file(json::Writer& writer) {
    const auto reference = [&](std::string_view name) {
        writer.key(name);
        write_reference(writer, std::string("settings/properties/").append(name));
    };
    writer.key("properties").begin_object();
    for (const auto& row : all_keys()) {
        if (row.section.empty() && row.name != kGroupSection) reference(row.name);
    }
    writer.key(kGroupSection);
    write_groups(writer);
    for (const auto section : kTablesOfJob) reference(section);
    write_project_tables(writer);
    writer.end_object().member_bool("additionalProperties", false);
}

/// A job has one of the first two; a file that is empty is a project too.
void write_required_of_file(json::Writer& writer) {
    const auto required = [&](std::string_view name) {
        writer.begin_object().key("required").begin_array().string(name).end_array().end_object();
    };
    writer.key("anyOf").begin_array();
    for (const auto name : {"command", "shell"}) required(name);
    for (const auto name : kOnlyInProject) required(name);
    write_reference(writer, "only_project");
    writer.end_array();
}

/// A choice between "job" and "project" would be shorter, but of what is wrong in it editors only say that neither fits, and
/// mark the whole file.
void write_file(json::Writer& writer) {
    writer.member("type", "object");
    write_names_of_file(writer);
    writer.key("dependencies").begin_object();
    for (const auto name : kOnlyInProject) {
        writer.key(name);
        write_reference(writer, "only_project");
    }
    writer.end_object();
    write_required_of_file(writer);
}

}  // namespace

std::string json_schema() {
    json::Writer writer;
    writer.begin_object();
    writer.member("$schema", "http://json-schema.org/draft-04/schema#");
    writer.member("id", "https://procsupd.example/procsup-1.schema.json");
    writer.member("title", "procsupd: a job file, or a project file");
    write_file(writer);
    writer.key("definitions").begin_object();
    writer.key("settings");
    write_settings(writer);
    writer.key("only_project");
    write_only_project(writer);
    write_groups_definition(writer);
    writer.end_object().end_object();
    return indented(writer.text());
}

}  // namespace procsup
