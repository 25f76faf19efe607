#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "conf/job_draft.h"

namespace procsup {

class KeyReader;

/// What a value may look like: for messages, the manual and the editor schema.
struct ValueForm {
    std::string_view phrase;                    ///< "a duration such as \"10s\""
    std::string_view short_phrase;              ///< "duration"
    std::string_view schema;                    ///< JSON schema (draft-04) of the value
    std::span<const std::string_view> choices;  ///< the words allowed, where they are few
};

/// One key: the one place that says what it is called, may be, is by default and means, and how it is read.
struct KeyRow {
    Key key;
    std::string_view section;  ///< "" for a job's own keys, else one of kTablesOfJob, or "groups", "daemon", "access"
    std::string_view name;
    const ValueForm* form;
    std::string_view default_text;
    std::string_view applies_to;  ///< kinds of jobs, or "groups", "daemon"
    std::string_view meaning;
    void (*read)(KeyReader& reader, const TomlValue& value);
    bool live = false;  ///< a job that runs takes on another value without being restarted
};

std::span<const KeyRow> all_keys();

/// The row of `name` in `section`, or nullptr.
const KeyRow* find_key(std::string_view section, std::string_view name);

inline constexpr std::string_view kDaemonSection = "daemon";
inline constexpr std::string_view kAccessSection = "access";
/// [groups.NAME]
inline constexpr std::string_view kGroupSection = "groups";

/// The tables of a job that have keys of their own.
inline constexpr std::array<std::string_view, 6> kTablesOfJob{"ready", "health", "schedule",
                                                              "log",   "limits", "sandbox"};

inline bool is_table_of_job(std::string_view name) {
    return std::find(kTablesOfJob.begin(), kTablesOfJob.end(), name) != kTablesOfJob.end();
}

/// Is `section` one of a job's tables?
inline bool is_job_section(std::string_view section) {
    return section != kDaemonSection && section != kAccessSection && section != kGroupSection;
}

/// What to say of a key that is in no row: "unknown key …" with a hint, or "… is not available in this version".
/// `section` as in KeyRow, or "project" for the top level of a project file; `is_table`: its value is a table.
std::string unknown_key_text(std::string_view section, std::string_view name, bool is_table);

/// The schema for editors (JSON schema draft-04) of a job file and of a project file, indented.
std::string json_schema();

/// The keys as scdoc source: sections of the manual page procsupd-job(5).
std::string manual_keys();

}  // namespace procsup
