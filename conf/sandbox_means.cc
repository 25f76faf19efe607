#include "conf/sandbox_means.h"

#include <linux/capability.h>
#include <string.h>

#include <algorithm>
#include <string>

#include "conf/sandbox_paths.h"

namespace procsup {
namespace {

/// The first Landlock under which files can be moved between directories that the job may write to.
constexpr int kLeastLandlock = 2;
constexpr int kLandlockTruncates = 3;

/// Only exceptions from an all that is read-only, and nothing read-only in these.
bool suits_landlock(const Sandbox& sandbox) {
    const auto& paths = sandbox.paths;
    const bool all =
        std::any_of(paths.begin(), paths.end(), [](const auto& path) { return path.read_only && path.path == "/"; });
    return all && std::none_of(paths.begin(), paths.end(), [&](const auto& inner) {
               return inner.read_only && std::any_of(paths.begin(), paths.end(), [&](const auto& outer) {
                          return !outer.read_only && is_in(inner.path, outer.path);
                      });
           });
}

std::string without_mounts(const Abilities& abilities) {
    const bool has = (abilities.capabilities >> CAP_SYS_ADMIN & 1) != 0;
    return has ? std::string("mounts of its own are refused here (") + strerrordesc_np(abilities.mounts_error) + ")"
               : "procsupd lacks CAP_SYS_ADMIN, which mounts of its own need";
}

/// Why Landlock does not do it either; empty: it does.
std::string without_landlock(const JobSpec& spec, const Abilities& abilities) {
    if (abilities.landlock < kLeastLandlock) return "this kernel has no Landlock that could do without";
    if (!spec.privileges.no_new_privileges.value_or(true)) {
        return "Landlock, which does without, needs sandbox.no_new_privileges = true";
    }
    if (suits_landlock(spec.sandbox)) return {};
    return "Landlock, which does without, can only make everything read-only but for some directories: write "
           "read_only_paths = [\"/\"], and the others as read_write_paths";
}

}  // namespace

SandboxMeans sandbox_means(const JobSpec& spec, const Abilities& abilities) {
    if (!spec.sandbox.changes_files()) return SandboxMeans::None;
    if (abilities.mounts_error == 0) return SandboxMeans::Mounts;
    const bool landlock = spec.sandbox.has_read_only() && without_landlock(spec, abilities).empty();
    return landlock ? SandboxMeans::Landlock : SandboxMeans::None;
}

std::vector<Shortfall> sandbox_shortfalls(const JobSpec& spec, const Abilities& abilities) {
    std::vector<Shortfall> found;
    if (!spec.sandbox.changes_files() || abilities.mounts_error == 0) return found;
    const auto add = [&](Key key, std::string reason) {
        found.push_back({key, sandbox_setting(spec, key), std::move(reason)});
    };
    if (spec.sandbox.private_tmp) add(Key::PrivateTmp, without_mounts(abilities));
    if (!spec.sandbox.has_read_only()) return found;
    if (const auto why = without_landlock(spec, abilities); !why.empty()) {
        add(Key::ReadOnlyPaths, without_mounts(abilities) + "; " + why);
    } else if (abilities.landlock < kLandlockTruncates) {
        add(Key::ReadOnlyPaths, without_mounts(abilities) +
                                    "; Landlock, which does without, keeps nobody from truncate(2) before Linux 6.2");
    }
    return found;
}

std::string sandbox_setting(const JobSpec& spec, Key key) {
    if (key == Key::PrivateTmp) return spec.sandbox.private_tmp ? "true" : "";
    if (key != Key::ReadOnlyPaths || !spec.sandbox.has_read_only()) return {};
    std::string text;
    for (const auto& path : written_paths(spec.sandbox, true)) text += (text.empty() ? "\"" : ", \"") + path + "\"";
    return "[" + text + "]";
}

}  // namespace procsup
