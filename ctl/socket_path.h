#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "ctl/command_line.h"

namespace procsup::ctl {

/// What decides where the supervisor is, besides the command line.
struct Surroundings {
    std::string procsupd_socket;  ///< $PROCSUPD_SOCKET
    std::string xdg_runtime_dir;  ///< $XDG_RUNTIME_DIR
    std::string xdg_state_home;   ///< $XDG_STATE_HOME
    std::string home;             ///< $HOME
    std::string project_file = "procsup.toml";
    std::string system_socket = "/run/procsupd/io.procsupd";
    std::string temporary_place = "/tmp";   ///< of users' supervisors without $XDG_RUNTIME_DIR
    std::string memory_place = "/dev/shm";  ///< of supervisors that can write nothing else
    uid_t uid = 0;
    uid_t init_uid = 0;  ///< whose process 1 is

    static Surroundings of_this_process();
};

inline constexpr std::string_view kSocketName = "io.procsupd";
inline constexpr std::string_view kConfigLink = "config";  ///< beside it

/// The path of a project file without links; of one that does not exist, in the real path of its directory.
Result<std::string> real_path_of(const std::string& file);

/// The runtime directory of the supervisor of a project file: one for each file, by its real path, in a place
/// that only this user can write.
Result<std::string> project_runtime_dir(const std::string& project_file, const Surroundings& surroundings);

/// Where the captured output of that supervisor's jobs is kept: on disk, which its runtime directory often is not.
std::string project_log_dir(const std::string& runtime_dir, const Surroundings& surroundings);

/// Where to look: --socket, $PROCSUPD_SOCKET, the supervisor of ./procsup.toml when it has a socket or is one of the following, the user's own
/// when not root and it has a socket, the system's; where that is not, those that procsupd makes where it may write little else, of this
/// user or, for root, of whoever process 1 of the container runs as. With --user only the user's own.
Result<std::string> resolve_socket(const CommandLine& line, const Surroundings& surroundings);

/// Makes `path` and its parents from the first one that is missing, for this user only (0700) or, for root, to be passed through by
/// the users of jobs (0755), and checks that the last is a directory of this user that nobody else may write. A parent in a place open to all (/tmp) is checked
/// the same way, so nobody can have put a directory or link of theirs there.
Result<void> make_private_dirs(const std::string& path, uid_t uid);

}  // namespace procsup::ctl
