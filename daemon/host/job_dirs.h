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

/// Makes `name`, one or more elements of a path, below `base` and gives the last element to `owner`; what is missing above it
/// stays the caller's. An existing directory keeps its mode and what is in it.
Result<Fd> make_job_dir(const std::string& base, const std::string& name, const Owner& owner);

/// As make_job_dir(), but an existing directory is only given when this has made it (see MadeDir, which `own_runtime_dir` is for),
/// be it as a parent, and is `owner`'s.
Result<Fd> make_runtime_dir(const std::string& own_runtime_dir, const std::string& base, const std::string& name,
                            const Owner& owner);

/// Removes the last element of `name` below `base` with everything in it, without leaving the file system that it is on. What
/// is not there, or is no directory, is none that was made here, and no error.
Result<void> remove_job_dir(const std::string& base, const std::string& name);

/// As remove_job_dir(), but what was not made by make_runtime_dir() is left. It is an error when that is in the
/// place of one that was.
Result<void> remove_runtime_dir(const std::string& own_runtime_dir, const std::string& base, const std::string& name);

}  // namespace procsup
