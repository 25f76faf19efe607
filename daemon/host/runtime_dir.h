#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "common/fd.h"
#include "common/result.h"

namespace procsup {

/// The directory in which one daemon, and only one, has its control socket. Holds the lock that says so; the lock is taken
/// before anything in the directory is touched, so a second daemon changes nothing. Removes its socket when it goes.
class RuntimeDir {
public:
    /// Makes the directory if need be and takes its lock. The Error names the pid that has it, if another does.
    static Result<RuntimeDir> claim(const std::string& path);
    /// The first of `paths` that can be made and written to, perhaps not the first. The Error names all.
    static Result<RuntimeDir> claim_first(const std::vector<std::string>& paths);
    /// None: with locks that nobody else can have, and no socket. For process 1 of a container, which is alone.
    static Result<RuntimeDir> nowhere();
    RuntimeDir(RuntimeDir&&) noexcept = default;
    RuntimeDir& operator=(RuntimeDir&&) = delete;
    ~RuntimeDir();

    /// Binds the control socket under a temporary name and renames it into place, so that a client finds either the
    /// old daemon's socket or this one, listening. Something else than a socket at that path is left alone, with an Error.
    Result<Fd> bind_socket();
    /// The same for the socket of procsup-broker.
    Result<Fd> bind_broker_socket();

    /// Says by a link "config" which configuration the daemon runs, for clients that look for the one of a file.
    /// Something else of that name is left alone.
    Result<void> link_config(const std::string& config);

    /// A lock that the daemon's guard and keepers hold with it: as long as one of them is busy ending the jobs of an earlier
    /// daemon, it cannot be had. False: not yet.
    bool lock_jobs();
    const Fd& jobs_lock() const { return jobs_lock_; }

    /// Empty: it is nowhere.
    const std::string& path() const { return path_; }
    bool is_nowhere() const { return path_.empty(); }
    std::string socket_path() const { return is_nowhere() ? std::string() : path_ + "/io.procsupd"; }

private:
    RuntimeDir(std::string path, Fd lock, Fd jobs_lock)
        : path_(std::move(path)), lock_(std::move(lock)), jobs_lock_(std::move(jobs_lock)) {}
    struct Served {
        const char* name;
        std::span<const char* const> interfaces;
        ino_t inode = 0;  ///< of the socket bound
    };
    Result<Fd> bind(Served served);
    Result<void> link_interfaces(const Served& served) const;

    std::string path_;
    Fd lock_;
    Fd jobs_lock_;
    bool config_linked_ = false;
    std::vector<Served> bound_;
};

}  // namespace procsup
