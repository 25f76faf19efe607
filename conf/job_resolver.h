#pragma once

#include <bitset>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "conf/job_draft.h"
#include "conf/placeholder.h"
#include "conf/problems.h"
#include "conf/surroundings.h"

namespace procsup {

/// Makes a finished JobSpec of a draft: placeholders replaced, users, groups, programs and directories looked up, the
/// environment put together. Reports what cannot be resolved; the spec is then not to be used. One for a whole load:
/// the files that problems point to live as long as it does.
class JobResolver {
public:
    JobResolver(const Surroundings& surroundings, Problems& problems)
        : surroundings_(surroundings), problems_(problems) {}

    /// Where the variables of a job's environment come from, those that are not there by default.
    using EnvPlaces = std::map<std::string, Place, std::less<>>;
    JobSpec resolve(const JobDraft& draft, EnvPlaces& env_places);

    // Also for the daemon's own settings. Nothing after a report.
    std::optional<UserEntry> user_entry(const PlacedName& user);
    std::optional<gid_t> group_id(const PlacedName& group, std::string_view name);

private:
    struct Job;  // a draft on its way to a spec

    void resolve_command(Job& job);
    void resolve_commands_beside(Job& job);
    void resolve_readiness(Job& job);
    void resolve_health(Job& job);
    void resolve_schedule(Job& job);
    using Words = std::vector<std::string>;
    /// What is run to look, of the part `section` of the job; `options` are the probe's.
    void resolve_look(Job& job, std::string_view section, const JobDraft::Look& draft, Words options, Readiness& look);
    void check_target(std::string_view section, Readiness::Kind kind, const std::string& value, const Place& place);
    static Words target_words(const Readiness& look, const JobCommand& command);
    /// As the words of key `key` say.
    JobCommand resolve_words(Job& job, std::string_view key, const std::vector<PlacedText>& words);
    std::string resolve_program(const Job& job, std::string_view key, const std::string& written, const Place& place);
    std::string find_program(const Job& job, const std::string& name, const Place& place);
    void resolve_user(Job& job);
    void resolve_groups(Job& job, Identity& identity, bool own_user);
    void resolve_owner(Job& job);
    void check_privileges(Job& job);
    void resolve_sandbox(Job& job);
    void add_sandbox_paths(Job& job, Key key, const std::vector<PlacedText>& written);
    void check_against_private_tmp(Job& job);
    void resolve_environment(Job& job);
    void add_user_variables(Job& job, std::map<std::string, std::string>& env);
    void refuse_variable(const Job& job, Key key, const char* variable);
    void add_directories(Job& job, std::map<std::string, std::string>& env);
    void add_inherited(Job& job, std::map<std::string, std::string>& env);
    void add_env_file(Job& job, const PlacedText& entry, std::map<std::string, std::string>& env);
    void resolve_working_dir(Job& job);
    void resolve_stream(Job& job, Key key, Stream& stream);
    void resolve_log_dir(Job& job);
    void resolve_credentials(Job& job);
    void resolve_dirs(Job& job);
    void resolve_sockets(Job& job);
    void resolve_socket_owner(Job& job, const SocketDraft& draft, ListeningSocket& socket);
    bool check_service(const SocketDraft& draft, const ListenAddress& address);
    void check_ready_fd(Job& job);
    void add_dirs(Job& job, JobDir::Kind kind, const std::vector<PlacedText>& names);
    /// As prepare(), where ${cred:NAME} may stand too.
    std::string prepare_with_credentials(Job& job, const PlacedText& text);
    void check_port(Job& job);
    /// `text` with its placeholders replaced; as it is after a report.
    std::string prepare(Job& job, const PlacedText& text);
    /// Every value that `prepared` takes, one for each instance when they differ.
    std::vector<std::string> values_of(const Job& job, const std::string& prepared) const;
    void check_directory(const Place& place, std::string_view key, const std::string& path);

    const Surroundings& surroundings_;
    Problems& problems_;
    std::deque<SourceFile> env_sources_;
};

/// Reports settings of one job that contradict each other or can never take effect.
void check_settings(const JobDraft& draft, Problems& problems);
/// Which of its own settings can never take effect.
std::bitset<kKeyCount> useless_settings(const JobDraft& draft);

}  // namespace procsup
