#include "conf/load.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "common/fd.h"
#include "conf/caching_surroundings.h"
#include "conf/configuration_reader.h"
#include "conf/text_file.h"

namespace procsup {
namespace {

constexpr std::size_t kMostFileSize = 4u << 20;
constexpr std::size_t kMostTotalSize = 64u << 20;
constexpr std::size_t kMostEntries = 10000;
constexpr const char* kDaemonFile = "procsupd.toml";
constexpr const char* kJobsFolder = "jobs.d";

std::string join(const std::string& folder, const std::string& name) {
    return folder + (folder.ends_with('/') ? "" : "/") + name;
}

/// Finds the files of a configuration and hands their texts to the reader. Directories are opened once and files
/// opened relative to them, so that what was checked is what is read.
class FileLoader {
public:
    FileLoader(ConfigurationReader& reader, Problems& problems, bool as_root)
        : reader_(reader), problems_(problems), trust_{as_root, 0} {}

    void load(const std::string& path) {
        struct stat status {};
        if (stat(path.c_str(), &status) < 0) {
            report(path, os_failure("read " + path, errno).message);
        } else if (S_ISDIR(status.st_mode)) {
            load_directory(path);
        } else {
            load_file(path);
        }
    }

private:
    using Kind = ConfigurationReader::Kind;

    void report(const std::string& path, std::string message) {
        const auto& source = sources_.emplace_back(std::make_unique<SourceFile>(SourceFile{path, {}, false, {}}));
        problems_.add({source.get(), {}}, std::move(message));
    }

    void load_file(const std::string& path) {
        const auto parent = std::filesystem::path(path).parent_path();
        const Fd folder = open_folder(parent.empty() ? "." : parent.string());
        if (folder) read_one(folder, path, std::filesystem::path(path).filename(), Kind::Undecided);
    }

    void load_directory(const std::string& path) {
        const Fd folder = open_folder(path);
        if (!folder) return;
        const auto names = entries(folder, path);
        const auto has = [&](const char* name) { return std::binary_search(names.begin(), names.end(), name); };
        if (!has(kDaemonFile) && !has(kJobsFolder)) {
            read_jobs(folder, path, names);
            return;
        }
        for (const auto& name : names) {
            if (name == kDaemonFile || !is_job_file(name)) continue;
            report(join(path, name), "is not read: job files belong in " + join(path, kJobsFolder));
        }
        if (has(kDaemonFile)) read_one(folder, join(path, kDaemonFile), kDaemonFile, Kind::Daemon);
        if (!has(kJobsFolder)) return;
        const auto jobs = join(path, kJobsFolder);
        if (const Fd jobs_folder = open_folder(jobs)) read_jobs(jobs_folder, jobs, entries(jobs_folder, jobs));
    }

    /// Hidden files are editors' own: swap files, locks, copies.
    static bool is_job_file(const std::string& name) { return name.ends_with(".toml") && name[0] != '.'; }

    void read_jobs(const Fd& folder, const std::string& path, const std::vector<std::string>& names) {
        for (const auto& name : names) {
            if (is_job_file(name)) read_one(folder, join(path, name), name, Kind::Job);
            if (name.ends_with(".toml.d") && name[0] != '.') {
                report(join(path, name), "overlays are not available in this version");
            }
        }
    }

    void read_one(const Fd& folder, const std::string& path, const std::string& name, Kind kind) {
        auto text = read_text_file(folder.get(), name, path, kMostFileSize, trust_);
        if (!text) {
            report(path, text.error().message);
            return;
        }
        total_ += text->size();
        if (total_ > kMostTotalSize) {
            if (total_ - text->size() <= kMostTotalSize) report(path, "more than 64 MiB of configuration");
            return;
        }
        std::error_code ignored;
        const auto absolute = std::filesystem::absolute(path, ignored).lexically_normal();
        const auto stem = std::filesystem::path(name).stem().string();
        reader_.read({path, absolute.parent_path().string(), stem, kind}, std::move(*text));
    }

    /// Empty after a report.
    Fd open_folder(const std::string& path) {
        Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        struct stat status {};
        if (!fd || fstat(fd.get(), &status) < 0) {
            report(path, os_failure("read " + path, errno).message);
            return {};
        }
        if (const auto fault = trust_fault(status, path, trust_)) {
            report(path, "cannot read " + path + ": " + *fault);
            return {};
        }
        return fd;
    }

    /// The names in a directory, sorted.
    std::vector<std::string> entries(const Fd& folder, const std::string& path) {
        std::vector<std::string> names;
        // fdopendir takes the descriptor, which is needed to open the files.
        const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(fcntl(folder.get(), F_DUPFD_CLOEXEC, 0)), closedir);
        if (!listing) {
            report(path, os_failure("list " + path, errno).message);
            return names;
        }
        while (const dirent* entry = readdir(listing.get())) {
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            if (names.size() == kMostEntries) {
                report(path, "more than " + std::to_string(kMostEntries) + " files");
                return {};
            }
            names.emplace_back(name);
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    ConfigurationReader& reader_;
    Problems& problems_;
    Trust trust_;
    std::vector<std::unique_ptr<SourceFile>> sources_;
    std::size_t total_ = 0;
};

}  // namespace

namespace {

/// `abilities`, `unenforceable`: of check_configuration(), or nullptr.
std::variant<Configuration, std::vector<Problem>> load(const LoadOptions& options, const Abilities* abilities,
                                                       Problems& unenforceable) {
    const SystemSurroundings machine(options.as_root);
    const CachingSurroundings surroundings(machine);
    Problems problems;
    ConfigurationReader reader(surroundings, problems);
    if (abilities != nullptr) reader.examine_by(*abilities, unenforceable);
    FileLoader(reader, problems, options.as_root).load(options.path);
    auto configuration = reader.finish(options.places);
    if (problems.empty()) return configuration;
    return problems.take();
}

}  // namespace

std::variant<Configuration, std::vector<Problem>> load_configuration(const LoadOptions& options) {
    Problems none;
    return load(options, nullptr, none);
}

CheckResult check_configuration(const LoadOptions& options, const Abilities& abilities) {
    Problems unenforceable;
    CheckResult result{load(options, &abilities, unenforceable), {}};
    result.unenforceable = unenforceable.take();
    return result;
}

bool CheckResult::good() const {
    return std::holds_alternative<Configuration>(loaded) &&
           std::all_of(unenforceable.begin(), unenforceable.end(), [](const auto& problem) { return problem.warning; });
}

}  // namespace procsup
