#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/json.h"
#include "common/units.h"

/// Pure text functions of the command line.
namespace procsup::ctl {

/// `text` with everything that could steer a terminal made visible: control characters (ESC becomes "\x1b"),
/// C1 controls, direction overrides, bytes that are not UTF-8. With `keep_lines`, newlines and tabs stay.
std::string escaped(std::string_view text, bool keep_lines = false);

/// Columns that escaped text takes: one a character.
std::size_t display_width(std::string_view text);

/// "sinceUSec" -> "since_usec", "errnoName" -> "errno_name": the protocol's names as --json prints them.
std::string snake_case(std::string_view name);
/// Writes `value` with the names of all members in snake_case; only the members of "settings" keep theirs,
/// because they are the user's.
void write_snake_case(const json::Value& value, json::Writer& writer);

/// "2h 11m", "4m", "9s": how long ago, for a table's cell.
std::string age_text(Duration duration);
/// "0.2s", "12.4s", "6d 2h": how long something ran.
std::string run_time_text(Duration duration);
/// "10:11:02" and "Tue 2026-03-03 10:11:02 UTC", in the user's time zone.
std::string clock_text(std::int64_t realtime_usec);
std::string date_text(std::int64_t realtime_usec);
/// "2026-03-03 10:11:02", in a column.
std::string moment_text(std::int64_t realtime_usec);

/// The member `name`, empty where it is no list.
const json::Value::Array& list_in(const json::Value& value, std::string_view name);

/// Orders "web@2" before "web@10".
bool natural_less(std::string_view a, std::string_view b);

/// `text` as a word that a shell reads back unchanged.
std::string shell_quoted(std::string_view text);

}  // namespace procsup::ctl
