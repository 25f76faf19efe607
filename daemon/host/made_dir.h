#pragma once

#include <string>

#include "common/fd.h"
#include "common/result.h"

namespace procsup {

/// Below the runtime directory: a file for each directory that was made for jobs and is to be removed again.
inline constexpr const char* kMade = "made";

/// `name` below the daemon's `runtime_dir`, made if need be; nobody else may write either.
Result<Fd> open_own_dir(const std::string& runtime_dir, const std::string& name, mode_t mode);

/// The note that the directory at a path was made by procsupd: runtime_dir/made/PATH, with "%2F" for each slash. It holds the
/// identity of the directory, as another can be there since, and outlives the daemon.
class MadeDir {
public:
    /// Waits for any other process that has it, of an earlier daemon too: one may still be at work on the directory.
    static Result<MadeDir> lock(const std::string& runtime_dir, const std::string& path);
    MadeDir(MadeDir&&) noexcept = default;
    MadeDir& operator=(MadeDir&&) = delete;
    ~MadeDir();

    bool is_noted() const { return !noted_.empty(); }
    /// Whether `directory` is the one that was made.
    bool is(const Fd& directory) const;
    Result<void> note(const Fd& directory);
    void forget();

private:
    MadeDir(std::string path, std::string name, Fd all, Fd file)
        : path_(std::move(path)), name_(std::move(name)), all_(std::move(all)), file_(std::move(file)) {}

    std::string path_;
    std::string name_;  ///< of the file
    Fd all_;            ///< the directory of all notes
    Fd file_;
    std::string noted_;
};

}  // namespace procsup
