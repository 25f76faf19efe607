#include <signal.h>

#include "common/raw_syscall.h"
#include "daemon/init/init.h"
#include "daemon/init/signals.h"

extern "C" int main(int argc, char** argv) {
    using namespace procsup;
    using namespace procsup::init;
    std::uint64_t mask = 0;
    // The first system call of all: what comes from here on is kept.
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, &mask, sizeof(mask));
    const CommandLine line = parse_command_line(argc, argv);
    if (line.what == CommandLine::What::Wrong) return kExitOwnFailure;
    if (line.what != CommandLine::What::Run) {
        print(line.what);
        return 0;
    }
    // The environment lies behind the arguments (execve(2)).
    return Init(line, mask).run(argv + argc + 1);
}
