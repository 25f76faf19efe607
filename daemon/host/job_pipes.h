#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/fd.h"
#include "common/result.h"
#include "conf/job_spec.h"
#include "daemon/host/child.h"
#include "daemon/host/spawner.h"

namespace procsup {

/// The pipes by which the output of jobs is the input of others: one for each job that reads, made with the first run of
/// either side and held open, for reading and for writing, until that job is forgotten. So what was written waits for the
/// next reader, a reader sees no end when a writer has ended, and a writer is never without a reader.
///
/// Each run gets an open file description of its own: O_NONBLOCK, which belongs to that, is then of this run alone, neither of
/// the next one nor of another job that writes to the same pipe.
class JobPipes {
public:
    /// Adds what a run of the job gets as 0 and 1, as far as these are pipes and nothing was attached to it instead.
    std::optional<ChildFailure> connect(const JobSpec& job, std::optional<StandardFds>& fds);
    /// The job is no more: what was not read is lost, and who still writes to it gets EPIPE.
    void forget(const std::string& reader) { pipes_.erase(reader); }

private:
    Result<Fd> input(const JobSpec& reader);
    Result<Fd> output(const std::string& reader);
    Result<int> pipe_to(const std::string& reader);

    std::map<std::string, Fd> pipes_;  ///< for reading and writing, by the job that reads
};

}  // namespace procsup
