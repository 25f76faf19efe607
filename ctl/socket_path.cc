#include "ctl/socket_path.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <system_error>

namespace procsup::ctl {
namespace {

std::string environment(const char* name) {
    const char* value = getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

/// FNV-1a, 64 bits: the same path gives the same name in every version of procsupctl.
std::string path_hash(std::string_view path) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) text += "0123456789abcdef"[(hash >> shift) & 15u];
    return text;
}

std::string user_socket(const Surroundings& surroundings) {
    return surroundings.xdg_runtime_dir + "/procsupd/" + std::string(kSocketName);
}

/// A socket that this user's own supervisor made; in /tmp anybody could have put one.
bool has_own_socket(const std::string& path, uid_t uid) {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) && status.st_uid == uid;
}

/// What procsupd makes as `uid` where it has no better place (daemon/options.cc); empty: it is not there.
std::string last_resort_socket(const Surroundings& surroundings, uid_t uid) {
    for (const auto& place : {surroundings.temporary_place, surroundings.memory_place}) {
        std::string socket = place + "/procsupd-" + std::to_string(uid) + "/" + std::string(kSocketName);
        if (has_own_socket(socket, uid)) return socket;
    }
    return {};
}

/// Of a supervisor that is none of a project.
std::string other_socket(const Surroundings& surroundings) {
    if (surroundings.uid != 0 && !surroundings.xdg_runtime_dir.empty()) {
        std::string socket = user_socket(surroundings);
        if (exists(socket)) return socket;
    }
    if (exists(surroundings.system_socket)) return surroundings.system_socket;
    auto socket = last_resort_socket(surroundings, surroundings.uid);
    if (socket.empty() && surroundings.uid == 0) socket = last_resort_socket(surroundings, surroundings.init_uid);
    return socket.empty() ? surroundings.system_socket : socket;
}

/// Whether the supervisor with this socket was started with `file`, as process 1 of a container mostly is.
bool runs_file(const std::string& socket, const std::string& file) {
    const auto link = socket.substr(0, socket.rfind('/')) + "/" + std::string(kConfigLink);
    std::error_code none, error;
    const auto config = std::filesystem::read_symlink(link, error);
    return !error && std::filesystem::equivalent(config, file, none);
}

Result<void> make_private_dir(const std::string& path, mode_t mode, uid_t uid) {
    if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return os_failure("create " + path, errno);
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return os_failure("examine " + path, errno);
    if (!S_ISDIR(status.st_mode)) return Error{"cannot use " + path + ": it is not a directory"};
    if (status.st_uid != uid) {
        return Error{"cannot use " + path + ": it belongs to uid " + std::to_string(status.st_uid)};
    }
    if ((status.st_mode & 022u) != 0) return Error{"cannot use " + path + ": others may write it"};
    return {};
}

}  // namespace

Surroundings Surroundings::of_this_process() {
    Surroundings result;
    result.procsupd_socket = environment("PROCSUPD_SOCKET");
    result.xdg_runtime_dir = environment("XDG_RUNTIME_DIR");
    result.xdg_state_home = environment("XDG_STATE_HOME");
    result.home = environment("HOME");
    result.uid = geteuid();
    struct stat init {};
    if (stat("/proc/1", &init) == 0) result.init_uid = init.st_uid;
    return result;
}

Result<std::string> real_path_of(const std::string& file) {
    std::unique_ptr<char, void (*)(void*)> real(realpath(file.c_str(), nullptr), free);
    if (real) return std::string(real.get());
    const int cause = errno;
    // A file that is gone still names the supervisor that was started for it.
    const std::size_t slash = file.rfind('/');
    const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
    const std::string directory = slash == std::string::npos ? "." : file.substr(0, slash + 1);
    if (cause == ENOENT && !name.empty()) real.reset(realpath(directory.c_str(), nullptr));
    if (!real) return os_failure("find " + file, cause);
    const std::string parent(real.get());
    return (parent == "/" ? "" : parent) + "/" + name;
}

Result<std::string> project_runtime_dir(const std::string& project_file, const Surroundings& surroundings) {
    const auto file = real_path_of(project_file);
    if (!file) return file.error();
    std::string base;
    if (surroundings.uid == 0) {
        base = "/run/procsupd";
    } else if (!surroundings.xdg_runtime_dir.empty()) {
        base = surroundings.xdg_runtime_dir + "/procsupd";
    } else {
        base = "/tmp/procsupd-" + std::to_string(surroundings.uid);
    }
    return base + "/projects/" + path_hash(*file);
}

std::string project_log_dir(const std::string& runtime_dir, const Surroundings& surroundings) {
    const std::string name = runtime_dir.substr(runtime_dir.rfind('/') + 1);
    if (surroundings.uid == 0) return "/var/log/procsupd/projects/" + name;
    // Relative paths are to be ignored (XDG Base Directory Specification).
    if (surroundings.xdg_state_home.starts_with('/')) {
        return surroundings.xdg_state_home + "/procsupd/projects/" + name + "/log";
    }
    if (surroundings.home.starts_with('/')) {
        return surroundings.home + "/.local/state/procsupd/projects/" + name + "/log";
    }
    return runtime_dir + "/log";
}

Result<std::string> resolve_socket(const CommandLine& line, const Surroundings& surroundings) {
    if (!line.socket.empty()) return std::string(line.socket);
    if (line.user) {
        if (surroundings.xdg_runtime_dir.empty()) return Error{"cannot use --user: XDG_RUNTIME_DIR is not set"};
        return user_socket(surroundings);
    }
    if (!surroundings.procsupd_socket.empty()) return surroundings.procsupd_socket;
    if (exists(surroundings.project_file)) {
        const auto directory = project_runtime_dir(surroundings.project_file, surroundings);
        if (directory) {
            std::string socket = *directory + "/" + std::string(kSocketName);
            if (has_own_socket(socket, surroundings.uid)) return socket;
        }
        // What is meant for this project must not be done to the system's jobs.
        const bool looks = line.verb == nullptr || line.verb->family == ExitFamily::Status || line.here;
        const auto other = other_socket(surroundings);
        if (!looks && !runs_file(other, surroundings.project_file)) {
            return Error{"the supervisor of " + surroundings.project_file +
                         " is not running (procsupctl up, or name another with --socket)"};
        }
        return other;
    }
    return other_socket(surroundings);
}

Result<void> make_private_dirs(const std::string& path, uid_t uid) {
    // From the first missing part on, and never less than the last three: "procsupd*/projects/HASH" are ours.
    std::vector<std::string> parts;
    for (std::string part = path; parts.size() < 3 && part.size() > 1; part.resize(part.rfind('/'))) {
        parts.push_back(part);
        if (part.find('/') == std::string::npos) break;
    }
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        // As /run/procsupd of the system's supervisor: jobs that have users of their own reach their sockets and credentials in it.
        if (auto made = make_private_dir(*part, uid == 0 ? 0755 : 0700, uid); !made) return made;
    }
    return {};
}

}  // namespace procsup::ctl
