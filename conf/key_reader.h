#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/job_draft.h"
#include "conf/keys.h"
#include "conf/resource_limits.h"
#include "conf/toml_doc.h"

namespace procsup {

/// Reads the value of one key after another into a draft, and reports each value of a wrong type, form or range at
/// its place; then the draft keeps what it had. Called by the rows of the table in keys.cc. Looks nothing up and
/// compares no two keys.
class KeyReader {
public:
    /// `rank`: of the file's text, see JobDraft::Mark.
    KeyReader(Problems& problems, const SourceFile& file, std::uint32_t rank = JobDraft::kOwnRank)
        : problems_(problems), file_(file), rank_(rank) {}

    /// Reads a job's table (or [defaults]) over what `job` holds; `problems` has what was wrong.
    void read_job(const TomlValue::Table& table, JobDraft& job);
    /// Reads [daemon] or [access].
    void read_daemon(std::string_view section, const TomlValue::Table& table, DaemonDraft& daemon);

    /// Reads [groups.NAME].
    void read_group(const TomlValue::Table& table, GroupDraft& group);

    // For the rows.
    JobDraft& job() { return *job_; }
    GroupDraft& group() { return *group_; }
    DaemonDraft& daemon() { return *daemon_; }
    void text(const TomlValue& value, std::string& out);
    void job_name(const TomlValue& value, std::string& out);
    void job_names(const TomlValue& value, std::vector<std::string>& out, std::vector<Place>& places);
    void requirements(const TomlValue& value);
    void members(const TomlValue& value);
    void group_exhausted(const TomlValue& value);
    void ready_by_notice(const TomlValue& value);
    void ready_by_fd(const TomlValue& value);
    void ready_by_command(const TomlValue& value);
    /// By something that a text names.
    void ready_by(const TomlValue& value, Readiness::Kind kind);
    void healthy_by_command(const TomlValue& value);
    void healthy_by(const TomlValue& value, Readiness::Kind kind);
    void cron(const TomlValue& value);
    void interval(const TomlValue& value);
    void timezone(const TomlValue& value);
    void placed_text(const TomlValue& value, PlacedText& out);
    void boolean(const TomlValue& value, bool& out);
    template <typename Integer>
    void integer(const TomlValue& value, std::int64_t least, std::int64_t most, Integer& out) {
        std::int64_t number = 0;
        if (checked_integer(value, least, most, number)) out = static_cast<Integer>(number);
    }
    void number(const TomlValue& value, double least, double most, double& out);
    enum class Zero { Allowed, Refused };
    void duration(const TomlValue& value, Duration& out, Zero zero = Zero::Allowed);
    /// As duration(), or "none".
    void timeout(const TomlValue& value, Duration& out, Zero zero);
    /// One of the words of the row's form; the enumerators of Enum are in the same order.
    template <typename Enum>
    void choice(const TomlValue& value, Enum& out) {
        std::size_t index = 0;
        if (chosen(value, index)) out = static_cast<Enum>(index);
    }
    void name_or_id(const TomlValue& value, std::optional<PlacedName>& out);
    void names_or_ids(const TomlValue& value, std::vector<PlacedName>& out);
    void on_crash(const TomlValue& value);
    void path(const TomlValue& value, PlacedText& out);
    void signal(const TomlValue& value, int& out);
    /// The name of a signal, or an array of names with pauses between them.
    void stop_signal(const TomlValue& value);
    void exit_set(const TomlValue& value, ExitSet& out);
    void stream(const TomlValue& value, Stream& out);
    /// To the input of another job.
    void pipe(const TomlValue& value, Stream& out);
    /// Of the resource that kResourceLimits has for the row's key.
    void resource_limit(const TomlValue& value);
    /// Of the kind that kTreeLimits has for the row's key.
    void tree_limit(const TomlValue& value);
    void scheduling(const TomlValue& value);
    void io_priority(const TomlValue& value);
    void cpu_affinity(const TomlValue& value);
    /// Of files of captured output; "none" is 0.
    void log_size(const TomlValue& value, std::uint64_t& out);
    void log_age(const TomlValue& value, Duration& out);
    void umask(const TomlValue& value);
    /// From 1 to `most` of `what` in a time; "none" is a count of 0.
    void rate(const TomlValue& value, std::uint32_t most, std::string_view what, RateLimit& out);
    void instances(const TomlValue& value);
    void command(const TomlValue& value, std::vector<PlacedText>& words);
    void shell(const TomlValue& value);
    void on_exhausted(const TomlValue& value);
    void environment(const TomlValue& value);
    void env_names(const TomlValue& value);
    void env_files(const TomlValue& value);
    void tags(const TomlValue& value);
    void daemon_path(const TomlValue& value, std::string& out);
    void credentials(const TomlValue& value);
    void dir_names(const TomlValue& value, std::vector<PlacedText>& out);
    void sockets(const TomlValue& value);
    void capabilities(const TomlValue& value, CapabilitySet& out);
    void sandbox_paths(const TomlValue& value, std::vector<PlacedText>& out);
    void anything(const TomlValue&) {}

private:
    void look_at(const TomlValue& value, Readiness::Kind kind, PlacedText& out);
    void read_table(std::string_view section, const TomlValue::Table& table);
    void read_member(const KeyRow& row, const TomlMember& member);
    void report(const TomlValue& value, const std::string& message);
    void wrong_type(const TomlValue& value, std::string_view hint = {});
    std::string label() const;
    Place place_of(const TomlValue& value) const { return {&file_, value.position}; }
    /// The text of a string without NUL; nullptr after a report.
    const std::string* string(const TomlValue& value);
    const TomlValue::Array* array(const TomlValue& value);
    bool requirement(const TomlValue& value, Requirement& out);
    bool socket(const TomlValue& value, SocketDraft& out);
    bool socket_member(const TomlMember& member, SocketDraft& out);
    std::optional<std::string> socket_service_fault(const TomlMember& member, SocketDraft& out);
    bool socket_owner(const TomlMember& member, std::optional<PlacedName>& out);
    /// A word of a table's member, as chosen() has it for a key.
    template <typename Enum>
    bool member_choice(const TomlMember& member, std::span<const std::string_view> words, Enum& out);
    /// The strings of an array.
    bool strings(const TomlValue& value, std::vector<PlacedText>& out);
    bool checked_integer(const TomlValue& value, std::int64_t least, std::int64_t most, std::int64_t& out);
    bool chosen(const TomlValue& value, std::size_t& index);
    bool parsed_duration(const TomlValue& value, std::string_view text, Duration& out);
    bool single_name(const TomlValue& value, PlacedName& out);
    bool anchored(const TomlValue& value, std::string& path);
    /// Anchored paths; "-" stays in front of those that may be absent.
    bool optional_paths(const TomlValue& value, std::vector<PlacedText>& out);
    bool exit_code(const TomlValue& value, ExitSet& out);
    /// A size, or nothing for the word `boundless`.
    bool checked_size(const TomlValue& value, std::string_view boundless, std::optional<std::uint64_t>& out);
    /// One side of "SOFT:HARD", or all of the value.
    bool one_limit(const TomlValue& value, LimitUnit unit, std::string_view text, rlim_t& out);
    bool whole_number(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& out);
    /// One of the row's words; word number N with ":NUMBER" behind it where bit N of `numbered` is set.
    struct NumberedWord {
        std::size_t index = 0;
        int number = 0;
    };
    std::optional<NumberedWord> numbered_word(const TomlValue& value, std::uint32_t numbered, int least, int most);

    Problems& problems_;
    const SourceFile& file_;
    const std::uint32_t rank_;
    const KeyRow* row_ = nullptr;
    JobDraft* job_ = nullptr;
    DaemonDraft* daemon_ = nullptr;
    GroupDraft* group_ = nullptr;
};

/// Whether `name` may be the name of a job or an instance: `[A-Za-z0-9_.-]{1,64}`, not starting with '-' or '.'.
bool is_job_name(std::string_view name);
/// `[A-Za-z_][A-Za-z0-9_]*`
bool is_env_name(std::string_view name);
/// Why a job may not set the variable `name`; empty when it may.
std::string env_name_fault(std::string_view name);
/// `text` as a message may show it: quoted, shortened, nothing in it that moves a terminal's cursor.
std::string quoted(std::string_view text);

}  // namespace procsup
