#include "daemon/logger/record_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/logger/log_dir.h"

namespace procsup::logger {
namespace {

constexpr std::string_view kSuffix = ".jsonl";
constexpr std::string_view kOlderSuffix = ".jsonl.1";

std::string file_name(const std::string& name, bool older) {
    return name + std::string(older ? kOlderSuffix : kSuffix);
}

/// "web" of both its files; empty: it is not one of ours.
std::string_view name_of(std::string_view file) {
    for (const auto suffix : {kSuffix, kOlderSuffix}) {
        if (file.ends_with(suffix)) return file.substr(0, file.size() - suffix.size());
    }
    return {};
}

Result<Fd> open_file(const Fd& dir, const std::string& file, int flags, const std::string& path) {
    Fd opened(openat(dir.get(), file.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
    struct stat status {};
    if (!opened || fstat(opened.get(), &status) < 0) return os_failure("open " + path, errno);
    if (!S_ISREG(status.st_mode)) return Error{"cannot open " + path + ": it is no regular file", EINVAL};
    return opened;
}

std::uint64_t size_of(const Fd& file) {
    struct stat status {};
    return fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

/// A writer that was killed, or a power failure, has left a part of a line: it must not take the next one with it.
bool ends_within_line(const Fd& file, std::uint64_t size) {
    char last = '\n';
    return size > 0 && (pread(file.get(), &last, 1, static_cast<off_t>(size - 1)) != 1 || last != '\n');
}

Result<void> write_all(const Fd& file, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t written = write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return os_failure("write " + path, errno);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

struct Unused {
    time_t changed;
    std::string file;
};

std::vector<Unused> unused_files(const Fd& dir, const std::set<std::string, std::less<>>& used) {
    std::vector<Unused> files;
    DIR* const listing = fdopendir(openat(dir.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (listing == nullptr) return files;
    while (const dirent* entry = readdir(listing)) {
        const auto name = name_of(entry->d_name);
        struct stat status {};
        if (name.empty() || used.contains(name)) continue;
        if (fstatat(dir.get(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode)) continue;
        files.push_back({status.st_mtime, entry->d_name});
    }
    closedir(listing);
    return files;
}

}  // namespace

Result<void> append_records(const Records& records) {
    const auto file = file_name(records.name, false);
    const auto path = records.dir + "/" + file;
    const auto dir = open_way(records.dir, true);
    if (!dir) return dir.error();
    constexpr int kFlags = O_RDWR | O_APPEND | O_CREAT;
    auto opened = open_file(*dir, file, kFlags, path);
    if (!opened) return opened.error();
    auto size = size_of(*opened);
    if (size > 0 && size + records.lines.size() > kMostOfRecords) {
        if (renameat(dir->get(), file.c_str(), dir->get(), file_name(records.name, true).c_str()) < 0)
            return os_failure("rename " + path, errno);
        opened = open_file(*dir, file, kFlags, path);
        if (!opened) return opened.error();
        size = size_of(*opened);
    }
    const auto lines = ends_within_line(*opened, size) ? "\n" + records.lines : records.lines;
    auto written = write_all(*opened, lines, path);
    // They are written again as a whole.
    if (!written) (void)!ftruncate(opened->get(), static_cast<off_t>(size));
    return written;
}

Result<Fd> open_records(const Fd& dir, const std::string& dir_path, const std::string& name, bool older) {
    const auto file = file_name(name, older);
    return open_file(dir, file, O_RDONLY, dir_path + "/" + file);
}

Result<void> sweep_records(const std::string& dir, const std::set<std::string, std::less<>>& used) {
    const auto opened = open_way(dir, false);
    if (!opened && opened.error().os_error == ENOENT) return {};
    if (!opened) return opened.error();
    auto files = unused_files(*opened, used);
    std::sort(files.begin(), files.end(), [](const Unused& a, const Unused& b) { return a.changed > b.changed; });
    const auto oldest = time(nullptr) - kLongestUnused;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (i < kMostUnused && files[i].changed >= oldest) continue;
        if (unlinkat(opened->get(), files[i].file.c_str(), 0) < 0 && errno != ENOENT)
            return os_failure("remove " + dir + "/" + files[i].file, errno);
    }
    return {};
}

}  // namespace procsup::logger
