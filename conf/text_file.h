#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "common/fd.h"
#include "common/result.h"

namespace procsup {

/// Who, besides root, may own a file that root is to trust.
struct Trust {
    bool as_root = false;  ///< nothing is asked of the files of a daemon that is not root
    uid_t owner = 0;
};

/// Why `status` is of a file or directory that others may change ("mode 0664 lets …"), or nothing. `path` is for the
/// advice in it.
std::optional<std::string> trust_fault(const struct stat& status, const std::string& path, const Trust& trust);

/// The whole of a regular file of at most `most` bytes: `name` in the open `directory` (or AT_FDCWD), for people
/// `path`. Never hangs at a FIFO. os_error of the Error is ENOENT where there is no such file.
Result<std::string> read_text_file(int directory, const std::string& name, const std::string& path, std::size_t most,
                                   const Trust& trust);

}  // namespace procsup
