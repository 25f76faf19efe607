#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conf/job_draft.h"
#include "conf/job_resolver.h"
#include "conf/load.h"
#include "conf/problems.h"
#include "conf/references.h"
#include "conf/socket_conflicts.h"
#include "conf/surroundings.h"

namespace procsup {

class KeyReader;

/// Makes a Configuration of texts, one file after another, each with its overlays; the file with [defaults] comes first.
/// Reads no file itself. Everything wrong goes to `problems`; the configuration is complete only when there is nothing in it.
class ConfigurationReader {
public:
    ConfigurationReader(const Surroundings& surroundings, Problems& problems);

    /// What cannot be enforced with `abilities` goes to `unenforceable`, for each job. Before the first file; both outlive this.
    void examine_by(const Abilities& abilities, Problems& unenforceable);

    enum class Kind {
        Project,    ///< [jobs.NAME], [defaults], [daemon], [access]
        Daemon,     ///< the same, but relative paths mean nothing
        Job,        ///< the keys of one job
        Undecided,  ///< a job when it has a command and no [jobs], else a project
    };
    struct Text {
        std::string name;  ///< as shown to people
        std::string text;
    };
    struct File {
        Text own;
        std::string folder;  ///< absolute
        std::string stem;    ///< the job's name in a file of Kind::Job
        Kind kind = Kind::Undecided;
        std::vector<Text> overlays;  ///< merged over it key by key, in this order
    };
    void read(File file);

    /// To be called once, after the last file.
    Configuration finish(const DaemonPlaces& places);

private:
    struct Document {
        SourceFile* source;
        TomlValue::Table table;
    };
    /// What a file and its overlays say of one job, in their order.
    struct Part {
        const SourceFile* source;
        Position at;
        const TomlValue::Table* table;
        std::uint32_t rank;
    };
    using Parts = std::vector<Part>;

    /// Absent after a report.
    std::optional<Document> parse(const File& file, Text text);
    void read_project(const std::vector<Document>& documents, bool complete);
    void collect_groups(const Document& document, KeyReader& reader, const TomlValue& groups);
    void collect_jobs(const Document& document, std::uint32_t rank, const TomlValue& jobs,
                      std::map<std::string, Parts>& found);
    /// `complete`: nothing that is said of the job was unreadable.
    void read_job(const std::string& name, const Parts& parts, bool complete);
    JobDraft merged(const std::string& name, const Parts& parts);
    bool may_add(const Place& place, const std::string& name);
    /// Bounds what all jobs together are, however small each file is.
    void check_total(const Place& place, const JobSpec& spec);
    static void let_stderr_follow(JobDraft& draft);
    static void let_schedule_restart(JobDraft& draft);
    static void except_itself(JobDraft& draft);
    static void excuse_useful(JobDraft& draft, std::uint32_t rank);
    void note_usual_streams(const JobDraft& draft);
    void note_shortfalls(const JobDraft& draft, const JobSpec& spec);
    ScheduleMemory remembered(const std::string& state_dir, const std::string& job) const;
    void resolve_daemon(DaemonSpec& daemon, const DaemonPlaces& places);
    void resolve_access(const std::vector<PlacedName>& names, AccessRule& rule);
    /// The table that `member` must be; nullptr after a report.
    const TomlValue::Table* table_of(const SourceFile& source, const TomlMember& member);

    const Surroundings& surroundings_;
    Problems& problems_;
    const Abilities* abilities_ = nullptr;
    Problems* unenforceable_ = nullptr;
    JobResolver resolver_;
    std::deque<SourceFile> sources_;
    JobDraft defaults_;
    DaemonDraft daemon_;
    std::map<std::string, GroupDraft> groups_;
    References references_;
    SocketConflicts socket_conflicts_;
    std::map<std::string, std::string, std::less<>> origins_;  // of jobs, by name
    std::vector<JobSpec> jobs_;
    std::vector<MaskedJob> masked_;
    std::vector<std::pair<std::size_t, Stream JobSpec::*>> usual_streams_;  // of which job nothing says where they go
    std::size_t instances_ = 0;
    std::size_t values_ = 0;
    std::size_t bytes_ = 0;
    bool full_ = false;  ///< no further job is looked at
};

/// What load_configuration() does, for one text in memory: for tests, and for the fuzzer.
std::variant<Configuration, std::vector<Problem>> read_configuration_text(
    std::string text, const std::string& name, const Surroundings& surroundings,
    std::vector<ConfigurationReader::Text> overlays = {});

}  // namespace procsup
