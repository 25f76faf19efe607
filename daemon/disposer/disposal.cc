// Runs in memory that it shares with the daemon, so it calls nothing but the kernel.
#include "daemon/disposer/disposal.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/raw_syscall.h"

namespace procsup {

int dispose(void* disposal) {
    auto& it = *static_cast<Disposal*>(disposal);
    // It has all of the daemon's descriptors, which must not outlive it: a guard waits for their end.
    raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    if (raw_syscall(SYS_getppid) != it.daemon) return 0;
    it.step.store(Disposal::Step::Begun);
    if (it.takes_message) {
        // Without room for descriptors none is made: the kernel lets go of them here.
        char byte = 0;
        iovec part{&byte, sizeof(byte)};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        raw_syscall(SYS_recvmsg, it.fd, &message, MSG_DONTWAIT);
    }
    it.step.store(Disposal::Step::Closing);
    raw_syscall(SYS_close, it.fd);
    return 0;
}

}  // namespace procsup
