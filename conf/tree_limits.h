#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/json.h"
#include "conf/job_draft.h"
#include "conf/job_spec.h"

namespace procsup {

/// The controllers of cgroups of version 2 that limits of trees need (cgroups(7)).
enum class Controller : std::uint8_t { Cpu, Io, Memory, Pids };
inline constexpr auto kControllerNames = std::to_array<std::string_view>({"cpu", "io", "memory", "pids"});

/// One bit for each Controller.
using ControllerSet = std::uint8_t;
constexpr ControllerSet bit_of(Controller controller) {
    return static_cast<ControllerSet>(1u << static_cast<unsigned>(controller));
}

/// By controllers: why it cannot be had; empty: it can.
using ControllerFaults = std::array<std::string, kControllerNames.size()>;

/// The same for each of them.
ControllerFaults all_faults(const std::string& why);

struct TreeLimitRow {
    TreeLimit::Kind kind;
    Key key;
    Controller controller;
    const char* file;  ///< of a cgroup
};

inline constexpr auto kTreeLimits = std::to_array<TreeLimitRow>({
    {TreeLimit::Kind::MemoryMax, Key::MemoryMax, Controller::Memory, "memory.max"},
    {TreeLimit::Kind::MemoryHigh, Key::MemoryHigh, Controller::Memory, "memory.high"},
    {TreeLimit::Kind::Cpu, Key::Cpu, Controller::Cpu, "cpu.max"},
    {TreeLimit::Kind::CpuWeight, Key::CpuWeight, Controller::Cpu, "cpu.weight"},
    {TreeLimit::Kind::TasksMax, Key::TasksMax, Controller::Pids, "pids.max"},
    {TreeLimit::Kind::IoWeight, Key::IoWeight, Controller::Io, "io.weight"},
});

inline const TreeLimitRow& row_of(TreeLimit::Kind kind) { return kTreeLimits[static_cast<std::size_t>(kind)]; }
/// nullptr: the key is none of these.
const TreeLimitRow* find_tree_limit(Key key);

/// The limit of this kind that `spec` has; nullptr: none.
const TreeLimit* find_tree_limit(const JobSpec& spec, TreeLimit::Kind kind);
/// The controllers without which limits of `spec` cannot be enforced.
ControllerSet controllers_for(const JobSpec& spec);

/// The period of cpu.max: how long a tree that has used its share up may have to wait at most.
inline constexpr std::uint64_t kCpuPeriodUsec = 100'000;

/// The value as it stands in a file: "64MiB", 1.5, 200, "unlimited".
std::string tree_limit_toml(const TreeLimit& limit);
/// What the kernel's file is written with: "67108864", "150000 100000", "max".
std::string kernel_text(const TreeLimit& limit);
/// In bytes, processors, or as it stands; "unlimited".
void write_value(json::Writer& writer, const TreeLimit& limit);

}  // namespace procsup
