#include "daemon/init/command.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include <cerrno>

#include "common/raw_syscall.h"
#include "daemon/host/listen_pid.h"
#include "daemon/init/message.h"
#include "daemon/init/signals.h"

extern "C" long procsup_clone3(void* args, std::size_t size, int (*fn)(void*), void* arg);

namespace procsup::init {
namespace {

const char* search_path(char* const* envp) {
    for (; *envp != nullptr; ++envp) {
        const char* text = *envp;
        if (text[0] == 'P' && text[1] == 'A' && text[2] == 'T' && text[3] == 'H' && text[4] == '=') return text + 5;
    }
    return "/bin:/usr/bin";  // as execvp(3)
}

/// As execvp(3): what the kernel does not know how to execute is a script of the shell.
long execute_file(const char* path, char** argv, char** envp) {
    const long result = raw_syscall(SYS_execve, path, argv, envp);
    if (result != -ENOEXEC) return result;
    char name[] = "sh";
    char** const shell = argv - 1;
    char* const before[] = {shell[0], argv[0]};
    shell[0] = name;
    argv[0] = const_cast<char*>(path);
    raw_syscall(SYS_execve, "/bin/sh", shell, envp);
    shell[0] = before[0];
    argv[0] = before[1];
    return result;
}

long execute_searched(char** argv, char** envp) {
    char path[4096];
    long result = -ENOENT;
    const char* name = argv[0];
    for (const char* entry = search_path(envp);; ++entry) {
        std::size_t used = 0;
        for (; *entry != '\0' && *entry != ':'; ++entry) {
            if (used < sizeof(path) - 2) path[used++] = *entry;
        }
        if (used > 0) path[used++] = '/';
        for (std::size_t i = 0; name[i] != '\0' && used < sizeof(path) - 1; ++i) path[used++] = name[i];
        path[used] = '\0';
        const long tried = execute_file(path, argv, envp);
        if (tried != -ENOENT && tried != -ENOTDIR) result = tried;
        // Another directory can have one that may be executed.
        if (result != -ENOENT && result != -EACCES) return result;
        if (*entry == '\0') return result;
    }
}

bool has_slash(const char* text) {
    while (*text != '\0' && *text != '/') ++text;
    return *text == '/';
}

/// Sockets that procsup-init was given are its command's: it says so, if the variable names `init`, in `text`.
void hand_on_sockets(char** envp, pid_t init, char (&text)[kListenPidSize]) {
    char given[kListenPidSize];
    write_listen_pid(given, init);
    for (; *envp != nullptr; ++envp) {
        std::size_t same = 0;
        while (given[same] != '\0' && (*envp)[same] == given[same]) ++same;
        if (given[same] != (*envp)[same]) continue;
        write_listen_pid(text, raw_syscall(SYS_getpid));
        *envp = text;
        return;
    }
}

int enter(void* command) { return static_cast<const Command*>(command)->execute(); }

}  // namespace

int Command::execute() const {
    raw_syscall(SYS_setpgid, 0, 0);
    if (has_terminal) terminal->give_to(static_cast<pid_t>(raw_syscall(SYS_getpid)));
    if (init != 1) {
        // SIGKILL cannot be handed on, so it takes the command along.
        raw_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (raw_syscall(SYS_getppid) != init) raw_syscall(SYS_kill, raw_syscall(SYS_getpid), SIGKILL);
    }
    char listen_pid[kListenPidSize];
    hand_on_sockets(envp, init, listen_pid);
    if (ignores_sigchld) set_disposition(SIGCHLD, SIG_IGN);
    // What was sent to procsup-init and handed on until here takes effect here.
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(mask));
    const bool searched = !has_slash(argv[0]) && argv[0][0] != '\0';
    const long result = searched ? execute_searched(argv, envp) : execute_file(argv[0], argv, envp);
    Message("cannot execute '").operator<<(argv[0]).operator<<("'").cause(-result);
    return result == -ENOENT ? kNotFound : kNotExecutable;
}

long Command::start(char* stack, std::uint64_t stack_size) {
    clone_args args{};
    args.flags = CLONE_VM;
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uint64_t>(stack);
    args.stack_size = stack_size;
    long pid = procsup_clone3(&args, sizeof(args), enter, this);
    // Container run-times of the past refuse clone3 as if the kernel lacked it.
    if (pid == -ENOSYS || pid == -EPERM) {
#if defined(__x86_64__)
        pid = raw_syscall(SYS_fork);
#else
        pid = raw_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
        if (pid == 0) raw_syscall(SYS_exit_group, execute());
    }
    return pid;
}

}  // namespace procsup::init
