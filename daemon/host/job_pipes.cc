#include "daemon/host/job_pipes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/host/kept_pipe.h"

namespace procsup {
namespace {

/// Who can name it, as /dev/stdin or /dev/stdout, has it already or may look into a process that has it. Of these all may
/// write, whatever user the job that reads is; only its user may read.
constexpr mode_t kMode = 0622;

}  // namespace

std::optional<ChildFailure> JobPipes::connect(const JobSpec& job, std::optional<StandardFds>& fds) {
    const bool reads = job.stdin_stream.kind == Stream::Kind::Pipe;
    const bool writes = job.stdout_stream.kind == Stream::Kind::Pipe;
    if (!reads && !writes) return std::nullopt;
    if (!fds) fds.emplace();
    auto& [in, out, error] = *fds;
    if (reads && !in) {
        auto end = input(job);
        if (!end) return ChildFailure{SpawnStage::Stdin, end.error().os_error};
        in = std::move(*end);
    }
    if (writes && !out) {
        auto end = output(job.stdout_stream.path);
        if (!end) return ChildFailure{SpawnStage::Stdout, end.error().os_error};
        out = std::move(*end);
    }
    return std::nullopt;
}

Result<int> JobPipes::pipe_to(const std::string& reader) {
    Fd& pipe = pipes_[reader];
    if (pipe) return pipe.get();
    auto made = make_kept_pipe();
    if (!made) return made.error();
    if (fchmod(made->get(), kMode) < 0) return os_failure("open a pipe to others", errno);
    pipe = std::move(*made);
    return pipe.get();
}

Result<Fd> JobPipes::input(const JobSpec& reader) {
    const auto pipe = pipe_to(reader.name);
    if (!pipe) return pipe.error();
    // With each run: a reload can have given it another user. Refused, it still has the end that it is given.
    const auto& user = reader.identity;
    (void)!fchown(*pipe, user ? user->uid : geteuid(), user ? user->gid : getegid());
    return end_of_pipe(*pipe, O_RDONLY);
}

Result<Fd> JobPipes::output(const std::string& reader) {
    const auto pipe = pipe_to(reader);
    if (!pipe) return pipe.error();
    return end_of_pipe(*pipe, O_WRONLY);
}

}  // namespace procsup
