#pragma once

#include "common/fd.h"
#include "common/result.h"

namespace procsup {

/// A pipe that outlives the processes that use it: one descriptor, open for reading and for writing, so that it has neither
/// an end nor no reader (pipe(7)), and above those that children get.
Result<Fd> make_kept_pipe();

/// One of its ends (`access`: O_RDONLY, O_WRONLY) with an open file description of its own: O_NONBLOCK, which belongs to that,
/// is then of one user of the pipe alone. Where this process may not open what is another user's, it is a copy of the
/// pipe's, which blocks again.
Result<Fd> end_of_pipe(int pipe, int access);

}  // namespace procsup
