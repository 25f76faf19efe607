#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/fd.h"
#include "conf/configuration_reader.h"
#include "conf/load.h"
#include "conf/problems.h"
#include "conf/text_file.h"

namespace procsup {

/// The directory with the job files of `path`, and whether it is not there; empty: it is a file.
std::string jobs_place(const std::string& path);

/// Finds the files of a configuration, those that stand over others of their names, and their overlays, and hands their
/// texts to the reader. Directories are opened once and files opened relative to them, so that what was checked is what is
/// read.
class ConfigFiles {
public:
    ConfigFiles(ConfigurationReader& reader, Problems& problems, bool as_root)
        : reader_(reader), problems_(problems), trust_{as_root, 0} {}

    void read(const ConfigPaths& config);

private:
    using Text = ConfigurationReader::Text;
    using Kind = ConfigurationReader::Kind;

    /// A directory and the names in it, sorted.
    struct Folder {
        std::string path;
        Fd fd;
        std::vector<std::string> names;

        bool has(const std::string& name) const;
    };
    /// Those that hold the same kind of file, from the highest to the lowest.
    using Folders = std::vector<const Folder*>;
    /// One of the directories of a configuration.
    struct Layer {
        Folder root;
        Folder jobs_below;  ///< jobs.d; not open: there is none
        bool flat = false;  ///< the root has the job files itself
    };

    void report(const std::string& path, std::string message);
    void read_file(const std::string& path);
    void read_directories(const ConfigPaths& config);
    Layer open_layer(const std::string& path);
    void read_daemon_file(const Folders& roots);
    void read_jobs(const Folders& folders);
    void refuse_lonely_overlays(const std::string& file, const Folders& folders, const std::vector<std::string>& jobs);
    /// What is in the directories `file`.d of `folders`, in the order of the files' names; of one name the highest.
    std::vector<Text> overlays_of(const std::string& file, const Folders& folders);
    /// Reads `name` in `folder`, and hands it on with its overlays in `folders`.
    void read_one(const Folder& folder, const std::string& name, Kind kind, const Folders& folders);
    /// Not open after a report. `listed`: with its names.
    Folder open_folder(int parent, const std::string& name, const std::string& path, bool listed = true);
    bool list(Folder& folder);
    bool read_text(const Folder& folder, const std::string& name, Text& out);

    ConfigurationReader& reader_;
    Problems& problems_;
    Trust trust_;
    std::vector<std::unique_ptr<SourceFile>> sources_;
    std::size_t total_ = 0;
    std::size_t overlays_ = 0;
};

}  // namespace procsup
