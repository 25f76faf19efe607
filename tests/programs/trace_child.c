// trace_child
//
// Traces a child that has stopped for it and that would stop for it once more before it ends, prints the child's pid,
// and stays without ever letting it go on.

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    const pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) _exit(2);
        raise(SIGSTOP);
        _exit(0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT) < 0) {
        perror("trace_child");
        return 2;
    }
    printf("%d\n", pid);
    fflush(stdout);
    for (;;) pause();
}
