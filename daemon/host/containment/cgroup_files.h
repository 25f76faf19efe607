#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace procsup {

inline constexpr std::size_t kMostRead = 4096;

/// The first kMostRead bytes of a file of a cgroup, or of proc(5); empty: there is none, or it cannot be read.
std::string read_cgroup_file(int directory, const std::string& name);

/// In one write; an error, or 0.
int write_cgroup_file(int directory, const std::string& name, std::string_view text);

/// The number that is all of a line.
std::optional<std::uint64_t> number_in(std::string_view line);

/// The number behind `key` in lines of "key number"; nothing: there is no such line.
std::optional<std::uint64_t> number_behind(std::string_view text, std::string_view key);

}  // namespace procsup
