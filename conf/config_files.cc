#include "conf/config_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <map>
#include <utility>

#include "common/did_you_mean.h"
#include "conf/key_reader.h"

namespace procsup {
namespace {

constexpr std::size_t kMostFileSize = 4u << 20;
constexpr std::size_t kMostTotalSize = 64u << 20;
constexpr std::size_t kMostEntries = 10000;
constexpr std::size_t kMostOverlays = 10000;
constexpr std::string_view kSuffix = ".toml";
constexpr std::string_view kOverlaySuffix = ".toml.d";
constexpr const char* kDaemonFile = "procsupd.toml";
constexpr const char* kDaemonOverlays = "procsupd.toml.d";
constexpr const char* kJobsFolder = "jobs.d";

std::string join(const std::string& folder, const std::string& name) {
    return folder + (folder.ends_with('/') ? "" : "/") + name;
}

/// Hidden files are editors' own: swap files, locks, copies.
bool is_hidden(const std::string& name) { return name[0] == '.'; }

bool is_toml(const std::string& name) { return name.ends_with(kSuffix) && !is_hidden(name); }

/// For the name of a file whose overlays it has.
bool is_overlay_folder(const std::string& name) { return name.ends_with(kOverlaySuffix) && !is_hidden(name); }

std::string stem_of(const std::string& file) { return file.substr(0, file.rfind('.')); }

/// What editors and package managers leave beside a file: "x.toml~", "x.toml.dpkg-old".
bool is_left_aside(const std::string& name) {
    return is_hidden(name) || name.find(kSuffix) != std::string::npos || name.starts_with("README");
}

/// Says in place of a job file, as of a unit of systemd, that there is no such job.
bool leads_to_null(int folder, const std::string& name) {
    const dev_t null = makedev(1, 3);
    struct stat status {};
    return fstatat(folder, name.c_str(), &status, 0) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == null;
}

}  // namespace

std::string jobs_place(const std::string& path) {
    std::error_code ignored;
    const auto is_there = [&](const std::string& one) { return std::filesystem::exists(one, ignored); };
    if (!is_there(path)) return path + " (which is not there)";
    if (!std::filesystem::is_directory(path, ignored)) return {};
    const auto folder = join(path, kJobsFolder);
    if (is_there(folder)) return folder;
    const bool flat = !is_there(join(path, kDaemonFile)) && !is_there(join(path, kDaemonOverlays));
    return flat ? path : folder + " (which is not there)";
}

bool ConfigFiles::Folder::has(const std::string& name) const {
    return std::binary_search(names.begin(), names.end(), name);
}

void ConfigFiles::read(const ConfigPaths& config) {
    struct stat status {};
    const auto& first = config.paths.front();
    if (config.paths.size() == 1 && stat(first.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
        read_file(first);
    } else {
        read_directories(config);
    }
}

void ConfigFiles::report(const std::string& path, std::string message) {
    const auto& source = sources_.emplace_back(std::make_unique<SourceFile>(SourceFile{path, {}, false, {}}));
    problems_.add({source.get(), {}}, std::move(message));
}

void ConfigFiles::read_file(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path().string();
    const auto name = std::filesystem::path(path).filename().string();
    // Who else has files beside a project file is nobody's business: nothing is listed.
    Folder folder = open_folder(AT_FDCWD, parent.empty() ? "." : parent, parent, false);
    if (!folder.fd) return;
    const auto overlays = name + ".d";
    struct stat status {};
    if (fstatat(folder.fd.get(), overlays.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) folder.names = {overlays};
    read_one(folder, name, Kind::Undecided, {&folder});
}

void ConfigFiles::read_directories(const ConfigPaths& config) {
    std::deque<Layer> layers;
    std::string absent;
    for (const auto& path : config.paths) {
        struct stat status {};
        if (stat(path.c_str(), &status) < 0) {
            if (errno != ENOENT || !config.may_be_absent) {
                report(path, os_failure("read " + path, errno).message);
            } else if (absent.empty()) {
                absent = path;
            }
        } else if (!S_ISDIR(status.st_mode)) {
            report(path, "is a file: several configurations must be directories, which stand over one another");
        } else {
            layers.push_back(open_layer(path));
        }
    }
    Folders roots, jobs;
    for (const auto& layer : layers) {
        if (!layer.flat && layer.root.fd) roots.push_back(&layer.root);
        const auto& folder = layer.flat ? layer.root : layer.jobs_below;
        if (folder.fd) jobs.push_back(&folder);
    }
    // The runtime directory is one of the usual ones, and there before anybody has written a configuration.
    const auto has_any = [](const Folder* folder) {
        return std::any_of(folder->names.begin(), folder->names.end(), is_toml) || folder->has(kDaemonOverlays);
    };
    const bool any = std::any_of(roots.begin(), roots.end(), has_any) || std::any_of(jobs.begin(), jobs.end(), has_any);
    if (absent == config.paths.front() && !any && problems_.empty()) {
        report(absent, os_failure("read " + absent, ENOENT).message);
    }
    read_daemon_file(roots);
    read_jobs(jobs);
}

ConfigFiles::Layer ConfigFiles::open_layer(const std::string& path) {
    Layer layer;
    layer.root = open_folder(AT_FDCWD, path, path);
    const auto& root = layer.root;
    if (!root.fd) return layer;
    layer.flat = !root.has(kDaemonFile) && !root.has(kDaemonOverlays) && !root.has(kJobsFolder);
    if (layer.flat) return layer;
    for (const auto& name : root.names) {
        if (name == kDaemonFile || name == kDaemonOverlays || !(is_toml(name) || is_overlay_folder(name))) continue;
        report(join(path, name), "is not read: job files belong in " + join(path, kJobsFolder));
    }
    if (root.has(kJobsFolder)) layer.jobs_below = open_folder(root.fd.get(), kJobsFolder, join(path, kJobsFolder));
    return layer;
}

void ConfigFiles::read_daemon_file(const Folders& roots) {
    for (const auto* root : roots) {
        if (root->has(kDaemonFile)) return read_one(*root, kDaemonFile, Kind::Daemon, roots);
    }
    // A file that is not there says nothing, and overlays may say more.
    auto overlays = overlays_of(kDaemonFile, roots);
    if (overlays.empty()) return;
    Text none = std::move(overlays.front());
    overlays.erase(overlays.begin());
    reader_.read({std::move(none), "/", {}, Kind::Daemon, std::move(overlays)});
}

void ConfigFiles::read_jobs(const Folders& folders) {
    std::map<std::string, const Folder*> files;
    std::vector<std::string> overlaid;
    for (const auto* folder : folders) {
        for (const auto& name : folder->names) {
            if (is_toml(name)) files.try_emplace(name, folder);
            if (is_overlay_folder(name)) overlaid.push_back(name.substr(0, name.size() - 2));
        }
    }
    for (const auto& [name, folder] : files) read_one(*folder, name, Kind::Job, folders);
    std::sort(overlaid.begin(), overlaid.end());
    overlaid.erase(std::unique(overlaid.begin(), overlaid.end()), overlaid.end());
    std::vector<std::string> jobs;
    for (const auto& [name, folder] : files) jobs.push_back(stem_of(name));
    for (const auto& name : overlaid) {
        if (!files.contains(name)) refuse_lonely_overlays(name, folders, jobs);
    }
}

void ConfigFiles::refuse_lonely_overlays(const std::string& file, const Folders& folders,
                                         const std::vector<std::string>& jobs) {
    // A package that was removed leaves empty directories behind.
    if (overlays_of(file, folders).empty()) return;
    const std::vector<std::string_view> names(jobs.begin(), jobs.end());
    for (const auto* folder : folders) {
        if (!folder->has(file + ".d")) continue;
        report(join(folder->path, file + ".d"), "there is no job file " + quoted(std::string_view(file)) +
                                                    " for these overlays" + did_you_mean(stem_of(file), names) +
                                                    "; those of jobs in procsupd.toml belong in " + kDaemonOverlays);
    }
}

std::vector<ConfigFiles::Text> ConfigFiles::overlays_of(const std::string& file, const Folders& folders) {
    const auto name = file + ".d";
    std::deque<Folder> opened;
    std::map<std::string, const Folder*> found;
    for (const auto* parent : folders) {
        if (!parent->has(name)) continue;
        const auto& folder = opened.emplace_back(open_folder(parent->fd.get(), name, join(parent->path, name)));
        for (const auto& overlay : folder.names) {
            if (is_toml(overlay)) {
                found.try_emplace(overlay, &folder);
            } else if (!is_left_aside(overlay)) {
                report(join(folder.path, overlay), "is not read: the name of an overlay ends with .toml");
            }
        }
    }
    std::vector<Text> texts;
    for (const auto& [overlay, folder] : found) {
        if (++overlays_ > kMostOverlays) {
            if (overlays_ == kMostOverlays + 1) {
                report(folder->path, "more than " + std::to_string(kMostOverlays) + " overlays in all directories");
            }
            break;
        }
        if (Text text; read_text(*folder, overlay, text)) texts.push_back(std::move(text));
    }
    return texts;
}

void ConfigFiles::read_one(const Folder& folder, const std::string& name, Kind kind, const Folders& folders) {
    ConfigurationReader::File file;
    const bool masks = kind != Kind::Project && leads_to_null(folder.fd.get(), name);
    if (masks) file.own = {join(folder.path, name), "enabled = false\n"};
    const bool readable = masks || read_text(folder, name, file.own);
    file.overlays = overlays_of(name, folders);
    if (!readable) return;
    std::error_code ignored;
    file.folder = std::filesystem::absolute(file.own.name, ignored).lexically_normal().parent_path().string();
    file.stem = stem_of(name);
    file.kind = kind;
    reader_.read(std::move(file));
}

bool ConfigFiles::read_text(const Folder& folder, const std::string& name, Text& out) {
    out.name = folder.path.empty() ? name : join(folder.path, name);
    auto text = read_text_file(folder.fd.get(), name, out.name, kMostFileSize, trust_);
    if (!text) {
        report(out.name, text.error().message);
        return false;
    }
    const auto before = std::exchange(total_, total_ + text->size());
    if (total_ > kMostTotalSize) {
        if (before <= kMostTotalSize) report(out.name, "more than 64 MiB of configuration");
        return false;
    }
    out.text = std::move(*text);
    return true;
}

ConfigFiles::Folder ConfigFiles::open_folder(int parent, const std::string& name, const std::string& path,
                                             bool listed) {
    const std::string shown = path.empty() ? "." : path;
    Folder folder{path, Fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), {}};
    struct stat status {};
    if (!folder.fd || fstat(folder.fd.get(), &status) < 0) {
        report(shown, os_failure("read " + shown, errno).message);
    } else if (const auto fault = trust_fault(status, shown, trust_)) {
        report(shown, "cannot read " + shown + ": " + *fault);
    } else if (!listed || list(folder)) {
        return folder;
    }
    return {path, Fd(), {}};
}

bool ConfigFiles::list(Folder& folder) {
    // fdopendir takes the descriptor, which is needed to open the files.
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(fcntl(folder.fd.get(), F_DUPFD_CLOEXEC, 0)), closedir);
    if (!listing) {
        report(folder.path, os_failure("list " + folder.path, errno).message);
        return false;
    }
    while (const dirent* entry = readdir(listing.get())) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (folder.names.size() == kMostEntries) {
            report(folder.path, "more than " + std::to_string(kMostEntries) + " files");
            return false;
        }
        folder.names.emplace_back(name);
    }
    std::sort(folder.names.begin(), folder.names.end());
    return true;
}

}  // namespace procsup
