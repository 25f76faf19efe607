#include "conf/limits_behind.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "conf/enforcement.h"

namespace procsup {
namespace {

/// What the dynamic linker ends with that may not open its libraries; and shells, whatever the limits.
constexpr int kExitNotFound = 127;

std::vector<std::string> of(const JobSpec& spec, const std::vector<int>& resources) {
    std::vector<std::string> found;
    for (const auto& limit : spec.limits) {
        if (limit.soft == RLIM_INFINITY) continue;
        if (std::find(resources.begin(), resources.end(), limit.resource) == resources.end()) continue;
        const auto key = find_limit(limit.resource)->key;
        found.push_back(key_path(key) + " = " + limit_toml(limit));
    }
    return found;
}

}  // namespace

std::vector<std::string> limits_behind_end(const JobSpec& spec, ExitStatus status) {
    if (!status.by_signal()) {
        if (status.value != kExitNotFound) return {};
        const auto few = [](const ResourceLimit& limit) { return limit.resource == RLIMIT_NOFILE && limit.soft < 8; };
        const bool has_few = std::any_of(spec.limits.begin(), spec.limits.end(), few);
        return of(spec, has_few ? std::vector<int>{RLIMIT_NOFILE} : std::vector<int>());
    }
    switch (status.value) {
        case SIGXCPU: return of(spec, {RLIMIT_CPU, RLIMIT_RTTIME});
        case SIGXFSZ: return of(spec, {RLIMIT_FSIZE});
        // Of execve(2), too: what cannot be laid out is killed.
        case SIGKILL: return of(spec, {RLIMIT_CPU, RLIMIT_RTTIME, RLIMIT_AS, RLIMIT_STACK, RLIMIT_DATA});
        case SIGSEGV:
        case SIGBUS: return of(spec, {RLIMIT_STACK, RLIMIT_AS, RLIMIT_DATA});
        // As programs end that get no memory.
        case SIGABRT: return of(spec, {RLIMIT_AS, RLIMIT_DATA});
        default: return {};
    }
}

std::vector<std::string> limits_behind_error(const JobSpec& spec, int os_error) {
    switch (os_error) {
        case EAGAIN: return of(spec, {RLIMIT_NPROC});
        case ENOMEM: return of(spec, {RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_MEMLOCK});
        case E2BIG: return of(spec, {RLIMIT_STACK});
        case EMFILE: return of(spec, {RLIMIT_NOFILE});
        default: return {};
    }
}

}  // namespace procsup
