#pragma once

#include <sys/types.h>

#include <string>

#include "common/fd.h"
#include "common/result.h"

/// Directories of jobs, in places where a job's user may already have put something: no link is ever followed, and nobody is
/// given what is not a directory made here. All of it may hang at a file system: not for the supervisor itself.
namespace procsup {

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
};

/// What becomes of a directory that is there already, and somebody else's.
enum class Found { Given, Refused };

/// Makes `name`, one or more elements of a path, below `base` and gives the last element to `owner`; what is missing above it
/// stays the caller's. An existing directory keeps its mode and what is in it; `found` says what becomes of one that is somebody
/// else's.
Result<Fd> make_job_dir(const std::string& base, const std::string& name, const Owner& owner,
                        Found found = Found::Given);

/// Removes the last element of `name` below `base` with everything in it, without leaving the file system that it is on. What
/// is not there, or is no directory, is none that was made here, and no error.
Result<void> remove_job_dir(const std::string& base, const std::string& name);

}  // namespace procsup
