#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/expand.h"
#include "conf/job_spec.h"

namespace procsup {

/// One of the paths of an instance.
struct PlacedPath : SandboxPath {
    bool implied = false;  ///< a directory that procsupd makes for the job

    friend bool operator==(const PlacedPath&, const PlacedPath&) = default;
};

/// What is read-only to an instance and what is not, with its placeholders replaced: what is above stands before what is
/// below it, and counts less. The job's own directories are among them where they would be read-only otherwise.
std::vector<PlacedPath> sandbox_paths(const JobSpec& spec, const InstanceName& name);

/// The paths of one kind as in a file, "-" in front of those that may be absent.
std::vector<std::string> written_paths(const Sandbox& sandbox, bool read_only);

/// Whether `inner` is `outer`, or below it. Both without "." and ".." and with no '/' at their end.
bool is_in(std::string_view inner, std::string_view outer);

/// Whether `path` is where private_tmp puts something else.
bool is_in_tmp(std::string_view path);

}  // namespace procsup
