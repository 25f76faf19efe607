#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "ctl/ended_run.h"
#include "ctl/output.h"
#include "ctl/usage.h"

/// What the protocol says of instances and of the supervisor, ready to be shown. Pure: replies in, text out.
namespace procsup::ctl {

/// One instance as Manager.Status describes it. Views point into the reply.
struct InstanceView {
    std::string_view name;
    std::string_view job;
    std::string_view state;
    bool ready = false;
    std::int64_t pid = 0;  ///< 0: none
    std::int64_t restarts = 0;
    std::int64_t since_usec = 0;        ///< of a run that goes on, since when it runs
    std::int64_t state_since_usec = 0;  ///< where that is another time
    std::string_view start_cause;       ///< where `cause` is about something else
    std::int64_t next_start_usec = 0;
    std::string_view cause;
    std::string awaits;               ///< runs and is not ready: what is waited for
    std::int64_t ready_due_usec = 0;  ///< when its start is given up, or its reload_command; 0: never
    std::int64_t kill_due_usec = 0;   ///< when what is left of it is killed; 0: never, or not known yet
    bool starts_again = false;        ///< when it has ended, as somebody wants it
    bool leaves = false;              ///< is forgotten when it has ended: its job has it no more
    bool serves = false;              ///< a connection
    std::int64_t connections = -1;    ///< that are served; -1: it is not what accepts any
    std::int64_t connections_begun = 0;
    std::int64_t max_connections = 0;
    std::int64_t watchdog_usec = 0;  ///< within what time it has to give a sign of life; 0: it has not to
    std::int64_t sign_of_life_usec = 0;
    bool watchdog_off = false;  ///< by itself
    std::string_view health;    ///< healthy, unhealthy or unknown; empty: nothing looks
    std::int64_t health_since_usec = 0;
    std::string_view health_problem;           ///< why the last look has failed
    std::int64_t health_restarts = 0;          ///< that count against its limit
    std::int64_t health_restart_due_usec = 0;  ///< 0: none is put off
    std::string status_text;                   ///< what it says of itself
    std::int64_t file_instances = 0;           ///< how many of the job its file says, where it was scaled; else 0
    std::int64_t scaled_instances = 0;         ///< how many it has instead
    std::string_view output_problem;
    std::string changed;                    ///< of its settings since it was started, ready to be shown
    std::vector<std::string> not_enforced;  ///< "not enforced: limits.core = 0 (why)", ready to be shown
    std::string_view description;
    std::string_view owner, group;
    std::optional<std::int64_t> exit_code;  ///< of the last run, when it exited
    std::string_view exit_signal;           ///< of the last run, when it was killed
    std::optional<EndedRun> last_run;
    UsageView usage;

    static InstanceView of(const json::Value& instance);
};

/// "its settings have changed (umask); restart it to use them: procsupctl restart web"; empty: they have not.
std::string changed_text(const json::Value& instance);

/// A line for each setting of an instance that is not in force.
std::vector<std::string> not_enforced_lines(const json::Value& instance);

/// The instances of a reply, sorted by name.
std::vector<InstanceView> instances_of(const json::Value& reply);

/// A job's line in the table: the state of its worst instance, and what its instances have in common.
struct JobRow {
    std::string_view name;
    const InstanceView* worst = nullptr;
    std::size_t instances = 0;
    std::size_t leaving = 0;  ///< others that it has no more, and that have not ended yet
    std::size_t ready = 0;
    std::size_t failed_connections = 0;  ///< what serves one is not counted as an instance
    bool works = true;                   ///< all of them do their work
    std::int64_t restarts = 0;
    std::int64_t since_usec = 0;
    UsageView usage;  ///< of all instances
};

/// One row a job. `instances` is sorted by name and outlives the rows.
std::vector<JobRow> job_rows(const std::vector<InstanceView>& instances);

/// `*` does its work, `x` failed, `~` on the way, `-` not running; in colour.
std::string symbol(const InstanceView& instance, const Output& out);
std::string colored_state(const InstanceView& instance, const Output& out);
bool does_its_work(const InstanceView& instance);

/// The table of jobs (one line a job) or of instances (one line each), with what they use where that is known of any.
/// `now_usec` is the wall clock.
std::string job_table(const std::vector<JobRow>& rows, std::int64_t now_usec, const Output& out);
std::string instance_table(const std::vector<InstanceView>& instances, std::int64_t now_usec, const Output& out);

/// "procsupd 1.0.0  up 3d 4h  jobs: 7 running, 1 failed"
std::string summary_line(const json::Value& daemon, const std::vector<JobRow>& rows);

/// The most useful next command, or empty.
std::string next_command(const std::vector<JobRow>& rows);

/// "waiting for web, which is backoff: next start in 2s (exit 1)", of one that is not yet as `wait` is asked for: ready, stopped
/// or exit; else empty.
std::string waiting_text(const InstanceView& instance, std::string_view goal, std::int64_t now_usec);

/// The block of lines about one instance. `command_line` is that of its process, or empty.
std::string instance_block(const InstanceView& instance, std::string_view command_line, std::int64_t now_usec,
                           const Output& out);

/// "exit 3", "killed by SIGSEGV", or empty when nothing has ended yet.
std::string exit_text(std::optional<std::int64_t> exit_code, std::string_view exit_signal);

/// Writes a reply of Manager.Status as --json prints it: all members of an instance that scripts rely on are there,
/// null where they do not apply.
void write_status_json(const json::Value& reply, json::Writer& writer);

}  // namespace procsup::ctl
