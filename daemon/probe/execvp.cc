#include "daemon/probe/execvp.h"

#include <cerrno>
#include <cstddef>

#include "common/raw_syscall.h"

namespace procsup::probe {
namespace {

const char* search_path(char* const* envp) {
    for (; *envp != nullptr; ++envp) {
        const char* text = *envp;
        if (text[0] == 'P' && text[1] == 'A' && text[2] == 'T' && text[3] == 'H' && text[4] == '=') return text + 5;
    }
    return "/bin:/usr/bin";
}

/// What the kernel does not know how to execute is a script of the shell.
long execute_file(const char* path, char** argv, char** envp) {
    const long result = raw_syscall(SYS_execve, path, argv, envp);
    if (result != -ENOEXEC) return result;
    char shell[] = "sh";
    argv[-1] = shell;
    argv[0] = const_cast<char*>(path);
    raw_syscall(SYS_execve, "/bin/sh", argv - 1, envp);
    return result;
}

bool has_slash(const char* text) {
    while (*text != '\0' && *text != '/') ++text;
    return *text == '/';
}

}  // namespace

long execute(char** argv, char** envp) {
    const char* const name = argv[0];
    if (has_slash(name) || *name == '\0') return execute_file(name, argv, envp);
    char path[4096];
    long result = -ENOENT;
    for (const char* entry = search_path(envp);; ++entry) {
        std::size_t used = 0;
        for (; *entry != '\0' && *entry != ':'; ++entry) {
            if (used < sizeof(path) - 2) path[used++] = *entry;
        }
        if (used > 0) path[used++] = '/';
        for (std::size_t i = 0; name[i] != '\0' && used < sizeof(path) - 1; ++i) path[used++] = name[i];
        path[used] = '\0';
        const long tried = execute_file(path, argv, envp);
        if (tried == -EACCES) result = tried;
        // Another directory can have one that may be executed.
        if (tried != -ENOENT && tried != -ENOTDIR && tried != -EACCES) return tried;
        if (*entry == '\0') return result;
    }
}

}  // namespace procsup::probe
