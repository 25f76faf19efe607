#include <signal.h>

#include <cstdint>

#include "common/raw_syscall.h"
#include "daemon/init/signals.h"
#include "daemon/probe/probe.h"

extern "C" int main(int argc, char** argv) {
    using namespace procsup;
    using namespace procsup::probe;
    // The last two would end it where nobody reads, and where a limit of the job's does not let it write to a file.
    const std::uint64_t taken = init::bit(SIGTERM) | init::bit(SIGCHLD) | init::bit(SIGPIPE) | init::bit(SIGXFSZ);
    std::uint64_t mask = 0;
    raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, &taken, &mask, sizeof(mask));
    const CommandLine line = parse_command_line(argc, argv);
    if (line.what == CommandLine::What::Wrong) return kExitUsage;
    // The environment lies behind the arguments (execve(2)).
    return Probe(line, mask, argv + argc + 1).run();
}
