#include "conf/sandbox_paths.h"

#include <algorithm>

namespace procsup {
namespace {

/// What counts at `path`: the deepest of `paths` that it is in.
const PlacedPath* deepest(const std::vector<PlacedPath>& paths, std::string_view path) {
    const PlacedPath* found = nullptr;
    for (const auto& other : paths) {
        if (is_in(path, other.path) && (found == nullptr || other.path.size() >= found->path.size())) found = &other;
    }
    return found;
}

}  // namespace

bool is_in(std::string_view inner, std::string_view outer) {
    if (outer == "/") return true;
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

bool is_in_tmp(std::string_view path) { return is_in(path, "/tmp") || is_in(path, "/var/tmp"); }

std::vector<PlacedPath> sandbox_paths(const JobSpec& spec, const InstanceName& name) {
    std::vector<PlacedPath> paths;
    if (!spec.sandbox.has_read_only()) return paths;
    for (const auto& path : spec.sandbox.paths) {
        paths.push_back({{expand_job(path.path, name), path.read_only, path.may_be_absent}, false});
    }
    for (const auto& dir : spec.dirs) {
        auto path = dir.base + "/" + expand_job(dir.name, name);
        const auto* above = deepest(paths, path);
        if (above == nullptr || !above->read_only || above->path == path) continue;
        paths.push_back({{std::move(path), false, false}, true});
    }
    std::stable_sort(paths.begin(), paths.end(),
                     [](const auto& a, const auto& b) { return a.path.size() < b.path.size(); });
    return paths;
}

std::vector<std::string> written_paths(const Sandbox& sandbox, bool read_only) {
    std::vector<std::string> texts;
    for (const auto& path : sandbox.paths) {
        if (path.read_only == read_only) texts.push_back((path.may_be_absent ? "-" : "") + path.path);
    }
    return texts;
}

}  // namespace procsup
