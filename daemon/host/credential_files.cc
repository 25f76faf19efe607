#include "daemon/host/credential_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/fd.h"
#include "daemon/host/made_dir.h"

namespace procsup {
namespace {

constexpr std::size_t kMostOfOne = 1u << 20;
constexpr std::size_t kMostOfAll = 16u << 20;
/// Others see neither what is in it nor whose it is.
constexpr mode_t kAllMode = 0711;
constexpr mode_t kWhileMade = 0700;
constexpr mode_t kDirectoryMode = 0551;
constexpr mode_t kFileMode = 0400;

Result<std::string> read_source(const Credential& credential) {
    const std::string what = "read credential '" + credential.name + "' from " + credential.path;
    // A FIFO without a writer must not be waited for, nor a terminal become ours.
    const Fd file(open(credential.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return os_failure(what, errno);
    struct stat status {};
    if (fstat(file.get(), &status) < 0) return os_failure(what, errno);
    if (S_ISDIR(status.st_mode)) return os_failure(what, EISDIR);
    if (!S_ISREG(status.st_mode)) return Error{"cannot " + what + ": it is no regular file", EINVAL};
    std::string text(kMostOfOne + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = read(file.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_failure(what, errno);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > kMostOfOne) return Error{"cannot " + what + ": it has more than 1 MiB", EFBIG};
    text.resize(size);
    return text;
}

Result<void> write_file(const Fd& directory, const Credential& credential, const std::string& text,
                        const Owner& owner) {
    const std::string what = "write credential '" + credential.name + "'";
    const Fd file(openat(directory.get(), credential.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         kFileMode));
    if (!file) return os_failure(what, errno);
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t size = write(file.get(), text.data() + done, text.size() - done);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return os_failure(what, size < 0 ? errno : EIO);
        done += static_cast<std::size_t>(size);
    }
    if (fchmod(file.get(), kFileMode) < 0) return os_failure(what, errno);
    if (geteuid() == 0 && fchown(file.get(), owner.uid, owner.gid) < 0) return os_failure(what, errno);
    return {};
}

}  // namespace

Result<void> lay_out_credentials(const std::string& runtime_dir, const std::string& instance,
                                 const std::vector<Credential>& credentials, const Owner& owner) {
    std::vector<std::string> texts;
    std::size_t size = 0;
    for (const auto& credential : credentials) {
        auto text = read_source(credential);
        if (!text) return text.error();
        size += text->size();
        if (size > kMostOfAll) {
            return Error{
                "cannot hold the credentials up to '" + credential.name + "': they have more than 16 MiB together",
                EFBIG};
        }
        texts.push_back(std::move(*text));
    }
    if (auto removed = remove_credentials(runtime_dir, instance); !removed) return removed.error();
    const auto all = open_own_dir(runtime_dir, kCredentials, kAllMode);
    if (!all) return all.error();
    const auto path = runtime_dir + "/" + kCredentials + "/" + instance;
    if (mkdirat(all->get(), instance.c_str(), kWhileMade) < 0) return os_failure("make directory " + path, errno);
    const Fd directory(openat(all->get(), instance.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return os_failure("use directory " + path, errno);
    for (std::size_t i = 0; i < credentials.size(); ++i) {
        if (auto written = write_file(directory, credentials[i], texts[i], owner); !written) return written.error();
    }
    // Complete before the job can enter it; never the job's own, who could put others in their place.
    if (geteuid() == 0 && fchown(directory.get(), 0, owner.gid) < 0) {
        return os_failure("change the group of " + path, errno);
    }
    if (fchmod(directory.get(), kDirectoryMode) < 0) return os_failure("set the mode of " + path, errno);
    return {};
}

Result<void> remove_credentials(const std::string& runtime_dir, const std::string& instance) {
    if (instance.empty()) return remove_job_dir(runtime_dir, kCredentials);
    return remove_job_dir(runtime_dir + "/" + kCredentials, instance);
}

}  // namespace procsup
