// new_process
//
// Tries each way to make a process, then a thread, and prints a line for each: "fork works" or "fork EPERM".

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(const char* way, long pid, int error) {
    if (pid > 0) waitpid((pid_t)pid, NULL, 0);
    printf("%s %s\n", way, pid >= 0 ? "works" : strerrorname_np(error));
}

static void* run(void* said) { return said; }

int main(void) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    report("fork", pid, errno);

    pid = vfork();
    if (pid == 0) _exit(0);
    report("vfork", pid, errno);

    const long made = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (made == 0) _exit(0);
    report("clone", made, errno);

    char* const argv[] = {"true", NULL};
    const int error = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ);
    report("posix_spawn", error == 0 ? pid : -1, error);

    pthread_t thread;
    void* result = NULL;
    int token = 0;
    const int refused = pthread_create(&thread, NULL, run, &token);
    if (refused == 0) pthread_join(thread, &result);
    report("thread", refused == 0 && result == &token ? 0 : -1, refused);
    return 0;
}
