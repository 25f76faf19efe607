#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/json.h"
#include "conf/job_spec.h"
#include "conf/load.h"

namespace procsup {

/// The settings of a job as TOML text, merged and resolved, what is as by default left out: a job file that reads back
/// as the same job (unless a setting of [defaults] has no effect on it: in a job file that is an error).
std::string to_toml(const JobSpec& spec);

/// The same with the place of each key behind it, and what else is written for the job, as comments.
std::string to_toml_with_places(const JobSpec& spec);

/// All settings of a job as one JSON object, in the protocol's words (camelCase, times in …USec, null for none).
/// `no_new_privileges`: what jobs get that do not say.
void write_json(json::Writer& writer, const JobSpec& spec, bool no_new_privileges = false);

/// What `check` prints of `path`: one problem a line, or "FILE: 5 jobs, no problems".
std::string check_report(const std::string& path, const std::variant<Configuration, std::vector<Problem>>& result);

/// The same for programs, one JSON value: {"path", "jobs": a number or null, "problems": [{"file", "line", "column",
/// "message"}]}, where line and column are 0 for a file as a whole.
std::string check_json(const std::string& path, const std::variant<Configuration, std::vector<Problem>>& result);

/// The same with what cannot be enforced: as lines in front of the summary, and as "warnings" beside "problems", which has those
/// of strict jobs too; "jobs" is null then.
std::string check_report(const std::string& path, const CheckResult& result);
std::string check_json(const std::string& path, const CheckResult& result);

// The words that files, the protocol and people use.
std::string_view word_of(JobType type);
std::string_view word_of(Restart restart);
std::string_view word_of(OnExhausted action);
std::string_view word_of(StopScope scope);
std::string_view word_of(SignalTo target);
std::string_view word_of(Orphans policy);
std::string_view word_of(OnParentRestart what);
std::string_view word_of(LogFormat format);
std::string_view word_of(Compress compress);
std::string_view word_of(OnFull what);
std::string_view word_of(LogLevel level);
std::string_view word_of(ContainmentMode mode);
/// "journal", or the path.
std::string word_of(const Stream& stream);
/// "fifo:10", "batch"
std::string word_of(const Scheduling& scheduling);
/// "best-effort:4", "idle"
std::string word_of(const IoPriority& priority);

}  // namespace procsup
