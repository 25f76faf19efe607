#include "conf/keys.h"

#include <array>

#include "conf/key_reader.h"
#include "conf/value_forms.h"

namespace procsup {
namespace {

using namespace value_form;
using R = KeyReader;
using V = const TomlValue;

constexpr bool kLive = true;

constexpr std::array kRows{
    KeyRow{Key::Description, "", "description", &kString, "the name", "all jobs", "one line for people",
           [](R& r, V& v) { r.text(v, r.job().spec.description); }, kLive},
    KeyRow{
        Key::Command, "", "command", &kCommand, "none", "all jobs",
        "what is executed: an array is taken as it is, a string is split at spaces by the quoting rules of sh(1). No "
        "shell runs and nothing is expanded but placeholders. A program without a slash is found in the PATH of the "
        "job's own environment. Known placeholders are ${job:name}, ${job:instance}, ${job:index}, ${job:port} and "
        "${env:NAME}, also in _shell_, _working_dir_, _env_files_, [env], [credentials], names of directories and "
        "paths of "
        "[log]; and ${cred:NAME} in _command_, _shell_, _stop_command_ and [env], which is the path of a credential. "
        "$${ "
        "stands for ${. "
        "Either this or _shell_ is required",
        [](R& r, V& v) { r.command(v, r.job().command); }},
    KeyRow{Key::Shell, "", "shell", &kString, "none", "all jobs", "run by /bin/sh -c, instead of _command_",
           [](R& r, V& v) { r.shell(v); }},
    KeyRow{Key::Type, "", "type", &kType, "\"service\"", "all jobs",
           "a _service_ runs on; a _oneshot_ counts as up when it has ended with success, until it is stopped (see "
           "ONESHOTS in procsupd(8)); a _task_ is started by its [schedule] or by hand, and ends by itself",
           [](R& r, V& v) { r.choice(v, r.job().spec.type); }},
    KeyRow{Key::Enabled, "", "enabled", &kBool, "true", "all jobs", "whether it is started with the daemon",
           [](R& r, V& v) { r.boolean(v, r.job().spec.enabled); }, kLive},
    KeyRow{Key::Instances, "", "instances", &kInstances, "1", "all jobs",
           "how many copies run (web@0, web@1, …), or their names (web@eu, …); a single one is called as the job. "
           "procsupctl(1) scale changes how many while it runs",
           [](R& r, V& v) { r.instances(v); }, kLive},
    KeyRow{Key::PortBase, "", "port_base", &kPort, "none", "all jobs",
           "what ${job:port} is for the first instance; each further one has the next port",
           [](R& r, V& v) { r.integer(v, 1, 65535, r.job().spec.port_base); }},
    KeyRow{
        Key::User, "", "user", &kName, "the daemon's", "all jobs",
        "whom it runs as; HOME, USER, LOGNAME and SHELL are set from the user's entry. A name begins with a letter or "
        "an underscore; what only looks like a number, such as 0x0, is an error",
        [](R& r, V& v) { r.name_or_id(v, r.job().user); }},
    KeyRow{Key::Group, "", "group", &kName, "the user's", "all jobs", "the primary group it runs with",
           [](R& r, V& v) { r.name_or_id(v, r.job().group); }},
    KeyRow{Key::Groups, "", "groups", &kNames, "the user's", "all jobs", "the supplementary groups it runs with",
           [](R& r, V& v) { r.names_or_ids(v, r.job().groups); }},
    KeyRow{Key::WorkingDir, "", "working_dir", &kPath, "\"/\"; in a project file its folder", "all jobs",
           "the directory it starts in", [](R& r, V& v) { r.path(v, r.job().working_dir); }},
    KeyRow{Key::Umask, "", "umask", &kUmask, "\"0022\"", "all jobs", "permissions that new files do not get",
           [](R& r, V& v) { r.umask(v); }},
    KeyRow{Key::InheritEnv, "", "inherit_env", &kEnvNames, "[]", "all jobs",
           "variables taken from the daemon's environment; nothing else is inherited",
           [](R& r, V& v) { r.env_names(v); }},
    KeyRow{Key::EnvFiles, "", "env_files", &kPaths, "[]", "all jobs",
           "files of KEY=VALUE lines, later ones over earlier ones; one whose path begins with - may be absent. Empty "
           "lines and lines that begin with # or ; are skipped, white space around key and value does not count. A "
           "value within '…' is taken as it is; within \"…\" a backslash takes a following \", \\, $ or ` as it is; an "
           "unquoted value is taken as it is, a # in it too. Nothing is expanded, and a value ends with its line",
           [](R& r, V& v) { r.env_files(v); }},
    KeyRow{Key::Env, "", "env", &kEnv, "{}", "all jobs", "variables, over those of _inherit_env_ and _env_files_",
           [](R& r, V& v) { r.environment(v); }},
    KeyRow{Key::Restart, "", "restart", &kRestart, "\"on-failure\"; of a task \"no\"", "all jobs",
           "after which ends it is started again: _no_, _on-success_, _on-failure_, _on-abnormal_ (a signal or a "
           "time-out only), _always_, or _unless-stopped_: always, but a stop by hand is remembered when the daemon "
           "starts again, which then starts it only where a job that it starts requires or wants it",
           [](R& r, V& v) { r.choice(v, r.job().spec.restart.when); }, kLive},
    KeyRow{Key::MinUptime, "", "min_uptime", &kDuration, "\"1s\"", "all jobs", "a shorter life is a quick death",
           [](R& r, V& v) { r.duration(v, r.job().spec.restart.min_uptime); }, kLive},
    KeyRow{Key::RestartDelay, "", "restart_delay", &kDuration, "\"500ms\"", "all jobs",
           "the wait after the second quick death in a row; after the first there is none",
           [](R& r, V& v) { r.duration(v, r.job().spec.restart.delay); }, kLive},
    KeyRow{Key::RestartBackoff, "", "restart_backoff", &kBackoff, "2", "all jobs",
           "how many times longer the wait gets with each further quick death",
           [](R& r, V& v) { r.number(v, 1, 1000, r.job().spec.restart.backoff); }, kLive},
    KeyRow{Key::RestartDelayMax, "", "restart_delay_max", &kDuration, "\"30s\"", "all jobs", "the longest wait",
           [](R& r, V& v) { r.duration(v, r.job().spec.restart.delay_max); }, kLive},
    KeyRow{Key::RestartJitter, "", "restart_jitter", &kJitter, "0.1", "all jobs",
           "by what part of itself a wait is made longer or shorter at random",
           [](R& r, V& v) { r.number(v, 0, 1, r.job().spec.restart.jitter); }, kLive},
    KeyRow{Key::RestartReset, "", "restart_reset", &kDuration, "\"10s\"", "all jobs",
           "a longer life forgets the quick deaths before it; so does a start by hand",
           [](R& r, V& v) { r.duration(v, r.job().spec.restart.reset); }, kLive},
    KeyRow{Key::StartLimit, "", "start_limit", &kStartLimit, "\"10/60s\"", "all jobs",
           "more automatic starts than that in this time: it is given up",
           [](R& r, V& v) { r.rate(v, 10000, "starts", r.job().spec.restart.start_limit); }, kLive},
    KeyRow{Key::SuccessExitCodes, "", "success_exit_codes", &kExitSet, "[0]", "all jobs", "ends that are no failure",
           [](R& r, V& v) { r.exit_set(v, r.job().spec.restart.success); }, kLive},
    KeyRow{Key::PreventRestartCodes, "", "prevent_restart_codes", &kExitSet, "[]", "all jobs",
           "ends after which it is never started again",
           [](R& r, V& v) { r.exit_set(v, r.job().spec.restart.prevent); }, kLive},
    KeyRow{Key::ForceRestartCodes, "", "force_restart_codes", &kExitSet, "[]", "all jobs",
           "ends after which it is started again whatever _restart_ says",
           [](R& r, V& v) { r.exit_set(v, r.job().spec.restart.force); }, kLive},
    KeyRow{Key::OnExhausted, "", "on_exhausted", &kExhausted, "\"fail\"", "all jobs",
           "when the start limit is reached: the job fails, or the daemon ends with the job's code",
           [](R& r, V& v) { r.on_exhausted(v); }, kLive},
    KeyRow{Key::Essential, "", "essential", &kBool, "false", "all jobs",
           "when it ends for good, the daemon ends with its code",
           [](R& r, V& v) { r.boolean(v, r.job().spec.essential); }, kLive},
    KeyRow{Key::StartTimeout, "", "start_timeout", &kTimeout, "\"90s\"", "all jobs",
           "how long until its program must be executing; _pre_start_ counts",
           [](R& r, V& v) { r.timeout(v, r.job().spec.start_timeout, R::Zero::Refused); }, kLive},
    KeyRow{Key::StopTimeout, "", "stop_timeout", &kTimeout, "\"10s\"", "all jobs",
           "how long after the beginning of a stop it is killed",
           [](R& r, V& v) { r.timeout(v, r.job().spec.stop_timeout, R::Zero::Allowed); }, kLive},
    KeyRow{Key::RunTimeout, "", "run_timeout", &kTimeout, "\"none\"", "all jobs", "how long one run may last",
           [](R& r, V& v) { r.timeout(v, r.job().spec.run_timeout, R::Zero::Refused); }, kLive},
    KeyRow{Key::MaxLifetime, "", "max_lifetime", &kTimeout, "\"none\"", "services",
           "how long a run that is well may last: then it is stopped in its own way and started again, which counts "
           "neither "
           "as a failure nor as an automatic start. Of several instances one is replaced at a time: it waits until it, "
           "and "
           "all others that are to run, are ready, as with procsupctl(1) restart --rolling. No run is replaced while "
           "the next one would have to wait for what it requires",
           [](R& r, V& v) { r.timeout(v, r.job().spec.max_lifetime, R::Zero::Refused); }, kLive},
    KeyRow{Key::MaxLifetimeVariance, "", "max_lifetime_variance", &kJitter, "0.1", "jobs with max_lifetime",
           "by what part of itself _max_lifetime_ is made longer or shorter at random, for each run anew; never "
           "shorter than _min_uptime_",
           [](R& r, V& v) { r.number(v, 0, 1, r.job().spec.max_lifetime_variance); }, kLive},
    KeyRow{Key::Watchdog, "", "watchdog", &kTimeout, "\"none\"", "services",
           "the time within which the job says again and again that it does its work, by WATCHDOG=1 of sd_notify(3), "
           "once it is ready; "
           "it gets NOTIFY_SOCKET and WATCHDOG_USEC for that. One that does not is ended by _watchdog_signal_, which "
           "counts as a "
           "failure. Not with _ready.fd_",
           [](R& r, V& v) { r.timeout(v, r.job().spec.watchdog, R::Zero::Refused); }},
    KeyRow{
        Key::WatchdogSignal, "", "watchdog_signal", &kSignal, "\"SIGABRT\"", "services with watchdog",
        "what ends its main process then: SIGABRT leaves a core, as far as _limits.core_ lets it; what is left after "
        "_stop_timeout_ is killed",
        [](R& r, V& v) { r.signal(v, r.job().spec.watchdog_signal); }, kLive},
    KeyRow{
        Key::StopSignal, "", "stop_signal", &kStopSignal, "\"SIGTERM\"", "all jobs",
        "what tells it to end; SIGCONT is sent with it. [\"SIGINT\", \"5s\", \"SIGTERM\"] sends SIGINT, and SIGTERM to "
        "what is left 5 seconds later, all within _stop_timeout_",
        [](R& r, V& v) { r.stop_signal(v); }, kLive},
    KeyRow{Key::StopScope, "", "stop_scope", &kStopScope, "\"tree\"", "all jobs",
           "who has until _stop_timeout_ to end: the whole tree of its processes, or the main process, after whose end "
           "_orphans_ says what becomes of the others",
           [](R& r, V& v) { r.choice(v, r.job().spec.stop_scope); }, kLive},
    KeyRow{Key::StopSignalTo, "", "stop_signal_to", &kSignalTo, "\"main\"", "all jobs",
           "who gets the stop signals: the main process, and what is left when that has ended; or all its processes at "
           "once",
           [](R& r, V& v) { r.choice(v, r.job().spec.stop_signal_to); }, kLive},
    KeyRow{
        Key::StopCommand, "", "stop_command", &kCommand, "none", "all jobs",
        "run instead of the first stop signal, written and run as _command_ is, with PROCSUPD_MAIN_PID in its "
        "environment. "
        "When it cannot be started or fails, _stop_signal_ is sent after all; when it has ended well, the job has "
        "what is "
        "left of _stop_timeout_. It, and whatever it has started, is killed when the stop is over. That of a oneshot "
        "is run when it is stopped or restarted after it has ended well, and undoes what it has done",
        [](R& r, V& v) { r.command(v, r.job().stop_command); }, kLive},
    KeyRow{Key::ReloadSignal, "", "reload_signal", &kSignal, "\"SIGHUP\"", "all jobs",
           "what tells its main process to read its configuration again; procsupctl(1) reload does not send it to one "
           "that "
           "would end by it",
           [](R& r, V& v) { r.signal(v, r.job().spec.reload_signal); }, kLive},
    KeyRow{Key::ReloadCommand, "", "reload_command", &kCommand, "none", "all jobs",
           "run instead of _reload_signal_, written and run as _stop_command_ is; the job is _reloading_ until it has "
           "ended, "
           "for _start_timeout_ at most, and runs on when it has failed",
           [](R& r, V& v) { r.command(v, r.job().reload_command); }, kLive},
    KeyRow{Key::PreStart, "", "pre_start", &kCommand, "none", "all jobs",
           "run before each start of the program, within _start_timeout_, written and run as _stop_command_ is; when "
           "it "
           "fails, so does the start. See HOOKS in *procsupd*(8)",
           [](R& r, V& v) { r.command(v, r.job().hooks[0]); }, kLive},
    KeyRow{Key::PostStart, "", "post_start", &kCommand, "none", "services",
           "run when the program does its work, as [ready] says, for _start_timeout_ at most; the job is ready when it "
           "has "
           "ended well, and is ended, as one that has failed, when it has not",
           [](R& r, V& v) { r.command(v, r.job().hooks[1]); }, kLive},
    KeyRow{Key::PreStop, "", "pre_stop", &kCommand, "none", "all jobs",
           "run before a job that was ready is told to end, within _stop_timeout_; the job is told in any case",
           [](R& r, V& v) { r.command(v, r.job().hooks[2]); }, kLive},
    KeyRow{Key::PostStop, "", "post_stop", &kCommand, "none", "all jobs",
           "run when nothing is left of a run, however it has ended, or when a start has failed, for _stop_timeout_ "
           "at "
           "most; how it has ended is in PROCSUPD_RESULT, PROCSUPD_EXIT_CODE, PROCSUPD_EXIT_SIGNAL and PROCSUPD_CAUSE",
           [](R& r, V& v) { r.command(v, r.job().hooks[3]); }, kLive},
    KeyRow{Key::OnFailed, "", "on_failed", &kCommand, "none", "all jobs",
           "run after that when the job has failed and is not started again by itself, for _stop_timeout_ at most, "
           "with the "
           "same variables",
           [](R& r, V& v) { r.command(v, r.job().hooks[4]); }, kLive},
    KeyRow{
        Key::Orphans, "", "orphans", &kOrphans, "\"kill\"", "all jobs",
        "what becomes of processes that are left when the main process has ended by itself: they are killed; adopted: "
        "the job runs on until the last of them has ended, as for programs that go into the background, and how the "
        "main "
        "process ended is how the run did; or ignored: "
        "they live on, beside the next run, until procsupd ends",
        [](R& r, V& v) { r.choice(v, r.job().spec.orphans); }, kLive},
    KeyRow{Key::ZombieLimit, "", "zombie_limit", &kZombies, "none", "all jobs",
           "how many ended processes of it may be left that their parents have not collected; with more it is stopped, "
           "which "
           "counts as a failure. procsupctl(1) tree shows them",
           [](R& r, V& v) { r.integer(v, 0, 1000000, r.job().spec.zombie_limit); }, kLive},
    KeyRow{Key::ZombieCheck, "", "zombie_check", &kDuration, "\"10s\"", "jobs with zombie_limit",
           "how often they are counted", [](R& r, V& v) { r.duration(v, r.job().spec.zombie_check, R::Zero::Refused); },
           kLive},
    KeyRow{
        Key::DaemonOf, "", "daemon_of", &kJob, "none", "all jobs",
        "the job to whose life this one is bound: it is started once that runs, and stopped in its own way when that "
        "has "
        "ended, for whatever cause, before that starts again. Either job has one instance, or both have the same: then "
        "each is bound to the one of its name",
        [](R& r, V& v) { r.job_name(v, r.job().spec.daemon_of); }},
    KeyRow{Key::OnParentRestart, "", "on_parent_restart", &kParentRestart, "\"restart\"", "jobs with daemon_of",
           "when that starts again, this one does too; or it is only stopped; or it is kept running while that "
           "restarts, and "
           "stopped when that ends for good",
           [](R& r, V& v) { r.choice(v, r.job().spec.on_parent_restart); }, kLive},
    KeyRow{Key::MayFork, "", "may_fork", &kBool, "true", "all jobs",
           "with _false_ the kernel refuses to make new processes (EPERM), also to commands of _exec_ and to "
           "_stop_command_; threads work. "
           "Nothing that it executes gains privileges then, such as by set-user-ID",
           [](R& r, V& v) { r.boolean(v, r.job().spec.may_fork); }},
    KeyRow{Key::After, "", "after", &kJobs, "[]", "all jobs",
           "jobs that this one is started after, and stopped before, where both are to be started or stopped: it waits "
           "until "
           "their start has succeeded or failed. Nothing is started for it. See DEPENDENCIES",
           [](R& r, V& v) { r.job_names(v, r.job().spec.dependencies.after, r.job().dependency_places.after); }, kLive},
    KeyRow{
        Key::Before, "", "before", &kJobs, "[]", "all jobs", "jobs that are started after this one: _after_, said here",
        [](R& r, V& v) { r.job_names(v, r.job().spec.dependencies.before, r.job().dependency_places.before); }, kLive},
    KeyRow{Key::Wants, "", "wants", &kJobs, "[]", "all jobs",
           "jobs that are started with this one, and waited for as by _after_; it is started also when they fail",
           [](R& r, V& v) { r.job_names(v, r.job().spec.dependencies.wants, r.job().dependency_places.wants); }, kLive},
    KeyRow{
        Key::Requires, "", "requires", &kRequirements, "[]", "all jobs",
        "jobs that are started with this one, without which it is neither started nor kept running: a name, which "
        "means "
        "that it must be ready, or { job = \"db\", condition = \"ready\", on_restart = \"ignore\" }. The condition is "
        "_started_, _ready_, _healthy_ (as its [health] says; once this one runs, _ready_ is enough), _exited_ok_ or "
        "_exited_. What becomes of this one when such a job ends and is started "
        "again: _ignore_ leaves it alone, _restart_ ends it too and starts it after that, _signal_ sends it its "
        "_reload_signal_ when that is ready",
        [](R& r, V& v) { r.requirements(v); }, kLive},
    KeyRow{Key::ReadyNotify, "ready", "notify", &kBool, "false", "services",
           "whether the job says itself that it is ready, by sd_notify(3) (READY=1 to $NOTIFY_SOCKET); see READINESS",
           [](R& r, V& v) { r.ready_by_notice(v); }},
    KeyRow{Key::ReadyFd, "ready", "fd", &kReadyFd, "none", "services",
           "the number of a descriptor that the job has, to which it writes a line when it is ready, as with s6",
           [](R& r, V& v) { r.ready_by_fd(v); }},
    KeyRow{Key::ReadyLogLine, "ready", "log_line", &kExpression, "none", "services",
           "it is ready when it has written a line in which this matches, an expression as in Perl; see READINESS",
           [](R& r, V& v) { r.ready_by(v, Readiness::Kind::LogLine); }},
    KeyRow{Key::ReadyTcp, "ready", "tcp", &kAddress, "none", "services",
           "it is ready when it accepts connections there; a port alone is one of localhost",
           [](R& r, V& v) { r.ready_by(v, Readiness::Kind::Tcp); }},
    KeyRow{Key::ReadyUnix, "ready", "unix", &kPath, "none", "services",
           "it is ready when it accepts connections at this Unix socket",
           [](R& r, V& v) { r.ready_by(v, Readiness::Kind::Unix); }},
    KeyRow{Key::ReadyHttp, "ready", "http", &kPage, "none", "services",
           "it is ready when this page is answered with a status from 200 to 399; redirections are not followed",
           [](R& r, V& v) { r.ready_by(v, Readiness::Kind::Http); }},
    KeyRow{Key::ReadyExec, "ready", "exec", &kCommand, "none", "services",
           "it is ready when this command ends with 0; written and run as _stop_command_ is",
           [](R& r, V& v) { r.ready_by_command(v); }},
    KeyRow{Key::ReadyFile, "ready", "file", &kPath, "none", "services", "it is ready when this file exists",
           [](R& r, V& v) { r.ready_by(v, Readiness::Kind::File); }},
    KeyRow{Key::ReadyInterval, "ready", "interval", &kDuration, "\"250ms\"",
           "jobs with tcp, unix, http, exec or file in [ready]",
           "how often that is looked at, and more often in the first 200 ms; one look takes 2 seconds at most",
           [](R& r, V& v) { r.duration(v, r.job().spec.readiness.interval, R::Zero::Refused); }, kLive},
    KeyRow{Key::ReadyTimeout, "ready", "timeout", &kTimeout, "start_timeout", "jobs with [ready]",
           "how long after its program has begun a job that is not ready is stopped, which counts as a failed start",
           [](R& r, V& v) { r.timeout(v, r.job().spec.readiness.timeout, R::Zero::Refused); }, kLive},
    KeyRow{Key::HealthTcp, "health", "tcp", &kAddress, "none", "services",
           "a look has failed when it accepts no connection there",
           [](R& r, V& v) { r.healthy_by(v, Readiness::Kind::Tcp); }, kLive},
    KeyRow{Key::HealthUnix, "health", "unix", &kPath, "none", "services",
           "a look has failed when it accepts no connection at this Unix socket",
           [](R& r, V& v) { r.healthy_by(v, Readiness::Kind::Unix); }, kLive},
    KeyRow{
        Key::HealthHttp, "health", "http", &kPage, "none", "services",
        "a look has failed when this page is not answered with a status from 200 to 399; redirections are not followed",
        [](R& r, V& v) { r.healthy_by(v, Readiness::Kind::Http); }, kLive},
    KeyRow{Key::HealthExec, "health", "exec", &kCommand, "none", "services",
           "a look has failed when this command does not end with 0; written and run as _stop_command_ is",
           [](R& r, V& v) { r.healthy_by_command(v); }, kLive},
    KeyRow{Key::HealthMemoryAbove, "health", "memory_above", &kLogSize, "none", "services",
           "a look has failed when all processes of the run use more memory together; alone, or beside one of the keys "
           "before",
           [](R& r, V& v) { r.log_size(v, r.job().spec.health.memory_above); }, kLive},
    KeyRow{Key::HealthCpuAbove, "health", "cpu_above", &kCpuAbove, "none", "services",
           "a look has failed when they have kept more processors busy since the look before: 1.5 is one and a half",
           [](R& r, V& v) { r.number(v, 0.01, 8192, r.job().spec.health.cpu_above); }, kLive},
    KeyRow{Key::HealthInterval, "health", "interval", &kDuration, "\"10s\"", "jobs with [health]",
           "from the beginning of a look to that of the next; one that takes longer is followed by the next at once",
           [](R& r, V& v) { r.duration(v, r.job().spec.health.look.interval, R::Zero::Refused); }, kLive},
    KeyRow{Key::HealthTimeout, "health", "timeout", &kDuration, "\"2s\"", "jobs with [health]",
           "a look that takes longer has failed; its command is killed",
           [](R& r, V& v) { r.duration(v, r.job().spec.health.look.timeout, R::Zero::Refused); }, kLive},
    KeyRow{Key::HealthFailures, "health", "failures", &kLooks, "3", "jobs with [health]",
           "it is unhealthy when so many of the last _of_ looks have failed",
           [](R& r, V& v) { r.integer(v, 1, kMostLooks, r.job().spec.health.failures); }, kLive},
    KeyRow{Key::HealthOf, "health", "of", &kLooks, "3, or failures if that is more", "jobs with [health]",
           "how many looks are considered for that",
           [](R& r, V& v) { r.integer(v, 1, kMostLooks, r.job().spec.health.of); }, kLive},
    KeyRow{Key::HealthSuccesses, "health", "successes", &kLooks, "1", "jobs with [health]",
           "it is healthy, for the first time or again, when so many looks in a row have succeeded",
           [](R& r, V& v) { r.integer(v, 1, kMostLooks, r.job().spec.health.successes); }, kLive},
    KeyRow{Key::HealthGrace, "health", "grace", &kDuration, "\"0s\"", "jobs with [health]",
           "how long after it has become ready no failure counts",
           [](R& r, V& v) { r.duration(v, r.job().spec.health.grace); }, kLive},
    KeyRow{Key::HealthAction, "health", "action", &kHealthAction, "\"restart\"", "jobs with [health]",
           "what is done when it is unhealthy: _restart_ stops it in its own way and starts it again, which counts "
           "neither as a failure nor as an automatic start; _none_ leaves it alone, and shows and tells it",
           [](R& r, V& v) { r.choice(v, r.job().spec.health.action); }, kLive},
    KeyRow{Key::HealthRestartLimit, "health", "restart_limit", &kRestartLimit, "\"3/10min\"",
           "jobs with [health] that are restarted",
           "no more restarts of an instance than that in this time because it is unhealthy: after that it runs on, "
           "unhealthy, until there may be one again",
           [](R& r, V& v) { r.rate(v, 10000, "restarts", r.job().spec.health.restart_limit); }, kLive},
    KeyRow{Key::ScheduleCron, "schedule", "cron", &kCron, "none", "tasks",
           "the times at which it is started: minute, hour, day of the month, month and day of the week, as in "
           "crontab(5), or "
           "\"@hourly\", \"@daily\", \"@weekly\", \"@monthly\", \"@yearly\". Either this or _interval_",
           [](R& r, V& v) { r.cron(v); }, kLive},
    KeyRow{Key::ScheduleInterval, "schedule", "interval", &kDuration, "none", "tasks",
           "from the beginning of a run to that of the next, in real time, whatever clocks are set to. The first one "
           "is so long "
           "after it was added to the configuration",
           [](R& r, V& v) { r.interval(v); }, kLive},
    KeyRow{Key::ScheduleTimezone, "schedule", "timezone", &kZone, "\"local\"", "tasks with schedule.cron",
           "whose clocks are meant: a name such as \"Europe/Berlin\", \"UTC\", or \"local\" for those of the machine",
           [](R& r, V& v) { r.timezone(v); }, kLive},
    KeyRow{Key::ScheduleOverlap, "schedule", "overlap", &kOverlap, "\"skip\"", "tasks with [schedule]",
           "when a run is due and the one before is not over: _skip_ leaves it out, _queue_ starts it when that is "
           "over (one at "
           "most waits), _replace_ stops the one before in its own way and then starts it",
           [](R& r, V& v) { r.choice(v, r.job().spec.schedule.overlap); }, kLive},
    KeyRow{
        Key::ScheduleMissed, "schedule", "missed", &kMissed, "\"run-once\"", "tasks with [schedule]",
        "when runs were due while procsupd did not run, the machine was off or asleep, or clocks were set over them: "
        "_run-once_ makes up for all of them by one run at once, _skip_ goes on with the next",
        [](R& r, V& v) { r.choice(v, r.job().spec.schedule.missed); }, kLive},
    KeyRow{Key::ScheduleJitter, "schedule", "jitter", &kDuration, "\"0s\"", "tasks with [schedule]",
           "each run is started up to so much later, at random, so that many do not start at the same moment",
           [](R& r, V& v) { r.duration(v, r.job().spec.schedule.jitter); }, kLive},
    KeyRow{Key::Owner, "", "owner", &kName, "root", "all jobs", "a user who may operate and read this job",
           [](R& r, V& v) { r.name_or_id(v, r.job().owner); }, kLive},
    KeyRow{Key::Tags, "", "tags", &kStrings, "[]", "all jobs", "words to find jobs by", [](R& r, V& v) { r.tags(v); },
           kLive},
    KeyRow{Key::Credentials, "", "credentials", &kCredentials, "{}", "all jobs",
           "files that are laid out for this job, and that other users cannot read: NAME = \"/path\" is laid out as "
           "$CREDENTIALS_DIRECTORY/NAME, see "
           "CREDENTIALS",
           [](R& r, V& v) { r.credentials(v); }},
    KeyRow{
        Key::RuntimeDirs, "", "runtime_dirs", &kDirNames, "[]", "all jobs",
        "directories below /run, or a user's $XDG_RUNTIME_DIR, that are made for the job's user before it starts and "
        "removed with all that is in them when it has stopped for good; a restart leaves them. Their paths are in "
        "RUNTIME_DIRECTORY, with colons between; see DIRECTORIES",
        [](R& r, V& v) { r.dir_names(v, r.job().runtime_dirs); }},
    KeyRow{Key::StateDirs, "", "state_dirs", &kDirNames, "[]", "all jobs",
           "the same below /var/lib, or a user's $XDG_STATE_HOME, and never removed; in STATE_DIRECTORY",
           [](R& r, V& v) { r.dir_names(v, r.job().state_dirs); }},
    KeyRow{Key::LogDirs, "", "log_dirs", &kDirNames, "[]", "all jobs",
           "the same below /var/log, or log in a user's $XDG_STATE_HOME, and never removed; in LOGS_DIRECTORY",
           [](R& r, V& v) { r.dir_names(v, r.job().log_dirs); }},
    KeyRow{
        Key::Sockets, "", "sockets", &kSockets, "[]", "services",
        "sockets that procsupd listens on for the job, keeps open over its restarts, and hands to it as "
        "sd_listen_fds(3) has it (LISTEN_FDS), in this order; each is a table [[sockets]] with _listen_ and, if need "
        "be, "
        "_name_, _mode_, _user_ and _group_, or started by what comes to them: _on_demand_ with _idle_timeout_, "
        "_accept_ with _max_connections_; see SOCKETS",
        [](R& r, V& v) { r.sockets(v); }},

    KeyRow{
        Key::LogStdout, "log", "stdout", &kOutput, "\"capture\"", "all jobs",
        "where output goes: _capture_ (files that procsupd keeps, as the keys below say, and *procsupctl logs* shows), "
        "_inherit_ (the daemon's own, as it is), _forward_ (the daemon's own, line by line with the instance in "
        "front), "
        "_null_, _journal_ (line by line, see procsupd(8)), or appended to a file. Where nothing is written here and "
        "procsupd cannot keep files it is _inherit_, or _forward_ when procsupd is process 1 or runs a batch",
        [](R& r, V& v) { r.stream(v, r.job().spec.stdout_stream); }},
    KeyRow{Key::LogStderr, "log", "stderr", &kOutput,
           "\"capture\", or as stdout where that is \"inherit\", \"journal\" or \"forward\"", "all jobs",
           "where error output goes", [](R& r, V& v) { r.stream(v, r.job().spec.stderr_stream); }},
    KeyRow{Key::LogStdin, "log", "stdin", &kInput, "\"null\"", "all jobs", "where input comes from",
           [](R& r, V& v) { r.stream(v, r.job().spec.stdin_stream); }},
    KeyRow{Key::LogPipeTo, "log", "pipe_to", &kJob, "none", "all jobs",
           "the job whose input this one's output is, instead of what _stdout_ says: a pipe that procsupd keeps over "
           "restarts of both, see PIPES BETWEEN JOBS",
           [](R& r, V& v) { r.pipe(v, r.job().spec.stdout_stream); }},
    KeyRow{Key::LogFormat, "log", "format", &kFormat, "\"stamped\"", "jobs with captured output",
           "how captured output stands in its files: _raw_, the bytes as they came; _stamped_, with the time in front "
           "of each line, in UTC; or _json_, an object for each line with its time, job, instance, stream and message",
           [](R& r, V& v) { r.choice(v, r.job().spec.log.format); }},
    KeyRow{Key::LogMaxSize, "log", "max_size", &kLogSize, "\"16MiB\"", "jobs with captured output",
           "how large a file of captured output gets before the next one is begun, at least 4KiB; with _none_ its size "
           "does not matter",
           [](R& r, V& v) { r.log_size(v, r.job().spec.log.max_size); }},
    KeyRow{Key::LogMaxAge, "log", "max_age", &kLogAge, "\"none\"", "jobs with captured output",
           "how old captured output gets, at least 1s: rotated files that are older are removed, and the next file is "
           "begun when the first line of the one that grows is that old",
           [](R& r, V& v) { r.log_age(v, r.job().spec.log.max_age); }},
    KeyRow{Key::LogKeep, "log", "keep", &kKept, "5", "jobs with captured output",
           "how many files of each captured stream are kept besides the one that grows; the oldest goes first",
           [](R& r, V& v) { r.integer(v, 0, 10000, r.job().spec.log.keep); }},
    KeyRow{Key::LogTotalSize, "log", "total_size", &kLogSize, "\"none\"", "jobs with captured output",
           "how large the files of each captured stream may be together, besides the one that grows, at least "
           "_max_size_; the oldest goes first",
           [](R& r, V& v) { r.log_size(v, r.job().spec.log.total_size); }},
    KeyRow{Key::LogCompress, "log", "compress", &kCompress, "\"zstd\"", "jobs with captured output",
           "what files of captured output are compressed with, in the background, when they have stopped growing",
           [](R& r, V& v) { r.choice(v, r.job().spec.log.compress); }},
    KeyRow{Key::LogOnFull, "log", "on_full", &kOnFull, "\"block\"",
           "jobs with output that is captured, forwarded or for the journal",
           "what happens while output cannot be written, because the disk is full, the directory is gone, the disk "
           "fails, or nobody takes what is forwarded or for the journal: _block_, the job waits as soon as its pipe is "
           "full; _drop_newest_ or "
           "_drop_oldest_, it runs on, the "
           "newest or the oldest lines are dropped, and a line says how many",
           [](R& r, V& v) { r.choice(v, r.job().spec.log.on_full); }},
    KeyRow{Key::LogRateLimit, "log", "rate_limit", &kLineLimit, "\"none\"",
           "jobs with output that is captured, forwarded or for the journal",
           "how many lines of each stream that is captured, forwarded or for the journal are kept in this time, at "
           "most 10000000; "
           "what is beyond is dropped, and a line says how many",
           [](R& r, V& v) { r.rate(v, 10000000, "lines", r.job().spec.log.rate_limit); }},
    KeyRow{Key::LogMirror, "log", "mirror", &kBool, "true where procsupd is process 1 or runs a batch",
           "jobs with output that is captured or for the journal",
           "whether lines that are captured or for the journal also go to procsupd's own standard output, with the "
           "instance in front",
           [](R& r, V& v) { r.boolean(v, r.job().spec.log.mirror.emplace()); }},
    KeyRow{Key::LogSync, "log", "sync", &kTimeout, "\"none\"", "jobs with captured output",
           "how long at most what was written may wait until it is put on the disk; 0s is after each write, and with "
           "_none_ the kernel decides",
           [](R& r, V& v) { r.timeout(v, r.job().spec.log.sync, R::Zero::Allowed); }},
    KeyRow{Key::LogDir, "log", "dir", &kPath, "the daemon's log_dir", "jobs with captured output",
           "the directory of captured output, made where there is none",
           [](R& r, V& v) { r.path(v, r.job().log_dir); }},

    KeyRow{Key::OpenFiles, "limits", "open_files", &kCount, "the daemon's", "all jobs", "RLIMIT_NOFILE",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::Core, "limits", "core", &kSize, "the daemon's", "all jobs", "RLIMIT_CORE",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::Processes, "limits", "processes", &kCount, "the daemon's", "all jobs",
           "RLIMIT_NPROC: of all processes of the user", [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::AddressSpace, "limits", "address_space", &kSize, "the daemon's", "all jobs", "RLIMIT_AS",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::Stack, "limits", "stack", &kSize, "the daemon's", "all jobs", "RLIMIT_STACK",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::Memlock, "limits", "memlock", &kSize, "the daemon's", "all jobs", "RLIMIT_MEMLOCK",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::Fsize, "limits", "fsize", &kSize, "the daemon's", "all jobs", "RLIMIT_FSIZE: of any file it writes",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::CpuTime, "limits", "cpu_time", &kCpuTime, "the daemon's", "all jobs",
           "RLIMIT_CPU: at the soft limit a process gets SIGXCPU, at the hard one SIGKILL; both at once where they are "
           "the same",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::Data, "limits", "data", &kSize, "the daemon's", "all jobs",
           "RLIMIT_DATA: memory that it alone may write, its stack apart", [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::PendingSignals, "limits", "pending_signals", &kCount, "the daemon's", "all jobs",
           "RLIMIT_SIGPENDING: of all processes of the user", [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::MessageQueues, "limits", "message_queues", &kSize, "the daemon's", "all jobs",
           "RLIMIT_MSGQUEUE: of all POSIX message queues of the user", [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::NiceLimit, "limits", "nice_limit", &kNiceLimit, "the daemon's", "all jobs",
           "RLIMIT_NICE: the least _nice_ that it may give itself", [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::RealtimePriority, "limits", "realtime_priority", &kRealtimePriority, "the daemon's", "all jobs",
           "RLIMIT_RTPRIO: the highest real-time priority that it may give itself",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::RealtimeTime, "limits", "realtime_time", &kRealtimeTime, "the daemon's", "all jobs",
           "RLIMIT_RTTIME: CPU time that a real-time process may take without waiting once; signals as for _cpu_time_",
           [](R& r, V& v) { r.resource_limit(v); }},
    KeyRow{Key::Nice, "limits", "nice", &kNice, "the daemon's", "all jobs", "19 yields to everyone, -20 to no one",
           [](R& r, V& v) { r.integer(v, -20, 19, r.job().spec.nice); }},
    KeyRow{Key::Scheduling, "limits", "scheduling", &kScheduling, "\"other\"", "all jobs",
           "how it gets the processors, see sched(7): _other_ by _nice_, _batch_ without being preferred when it wakes "
           "up, _idle_ when nobody else wants them; _fifo_ and _rr_ before everybody else, by a priority from 1 to 99",
           [](R& r, V& v) { r.scheduling(v); }},
    KeyRow{Key::IoPriority, "limits", "io_priority", &kIoPriority, "by nice", "all jobs",
           "in which order it is served by disks whose scheduler looks at it, as ionice(1): 0 is first, 7 is last",
           [](R& r, V& v) { r.io_priority(v); }},
    KeyRow{Key::CpuAffinity, "limits", "cpu_affinity", &kCpus, "the daemon's", "all jobs",
           "the CPUs that it may run on", [](R& r, V& v) { r.cpu_affinity(v); }},
    KeyRow{Key::OomScoreAdjust, "limits", "oom_score_adjust", &kOom, "the daemon's, at least 0", "all jobs",
           "1000 is killed first when memory runs out, -1000 never",
           [](R& r, V& v) { r.integer(v, -1000, 1000, r.job().spec.oom_score_adjust); }},
    KeyRow{
        Key::MemoryMax, "limits", "memory_max", &kTreeMemory, "\"unlimited\"", "all jobs",
        "memory of all processes of the run together. When they cannot do with it, the kernel kills them all, which is "
        "a failure whatever _success_exit_codes_ says; see LIMITS OF A WHOLE RUN",
        [](R& r, V& v) { r.tree_limit(v); }},
    KeyRow{Key::MemoryHigh, "limits", "memory_high", &kTreeMemory, "\"unlimited\"", "all jobs",
           "above it they are slowed down and their memory is taken back where that is possible; nothing is killed",
           [](R& r, V& v) { r.tree_limit(v); }},
    KeyRow{Key::Cpu, "limits", "cpu", &kProcessors, "\"unlimited\"", "all jobs",
           "how many processors' time all of them may use together, in each 100 ms: 0.2 is a fifth of one, 1.5 is one "
           "and a half",
           [](R& r, V& v) { r.tree_limit(v); }},
    KeyRow{Key::CpuWeight, "limits", "cpu_weight", &kWeight, "100", "all jobs",
           "their share of the processors when others want them too", [](R& r, V& v) { r.tree_limit(v); }},
    KeyRow{Key::TasksMax, "limits", "tasks_max", &kTasks, "\"unlimited\"", "all jobs",
           "how many processes and threads they may be; making another one fails with EAGAIN",
           [](R& r, V& v) { r.tree_limit(v); }},
    KeyRow{Key::IoWeight, "limits", "io_weight", &kWeight, "100", "all jobs",
           "their share of a disk when others want it too, where the disk has the scheduler bfq or io.cost.qos is set "
           "for it",
           [](R& r, V& v) { r.tree_limit(v); }},
    KeyRow{
        Key::StrictLimits, "limits", "strict", &kBool, "false", "all jobs",
        "whether a job with a limit that cannot be enforced is not started; else it runs with what comes nearest, and "
        "_status_ and the daemon's log say so",
        [](R& r, V& v) { r.boolean(v, r.job().spec.strict_limits); }},

    KeyRow{
        Key::NoNewPrivileges, "sandbox", "no_new_privileges", &kBool,
        "false; true with may_fork = false, and where procsupd is not root and keepers hold its jobs", "all jobs",
        "whether nothing that the job executes gains privileges, such as by set-user-ID or by capabilities of a file",
        [](R& r, V& v) { r.boolean(v, r.job().spec.privileges.no_new_privileges.emplace()); }},
    KeyRow{Key::Capabilities, "sandbox", "capabilities", &kCapabilities, "procsupd's", "all jobs",
           "the only capabilities that the job, or anything that it executes, can ever have (its bounding set); [] is "
           "none "
           "of them. Without this key a job that runs as root has all that procsupd has",
           [](R& r, V& v) { r.capabilities(v, r.job().spec.privileges.capabilities.emplace()); }},
    KeyRow{Key::AmbientCapabilities, "sandbox", "ambient_capabilities", &kCapabilities, "[]", "jobs that are not root",
           "the capabilities that a job has although its user is not root, and hands on to what it executes; they are "
           "among _capabilities_ where that is written. What procsupd itself would hand on so is not the job's",
           [](R& r, V& v) { r.capabilities(v, r.job().spec.privileges.ambient); }},

    KeyRow{Key::PrivateTmp, "sandbox", "private_tmp", &kBool, "false", "all jobs",
           "whether each run has an empty _/tmp_ and _/var/tmp_ that nobody else sees, and that are gone with its last "
           "process",
           [](R& r, V& v) { r.boolean(v, r.job().spec.sandbox.private_tmp); }},
    KeyRow{Key::ReadOnlyPaths, "sandbox", "read_only_paths", &kSandboxPaths, "[]", "all jobs",
           "files and directories that the job cannot change, with all that is below them; _-_ in front of a path: it "
           "may be absent. See FILES OF A JOB",
           [](R& r, V& v) { r.sandbox_paths(v, r.job().read_only_paths); }},
    KeyRow{
        Key::ReadWritePaths, "sandbox", "read_write_paths", &kSandboxPaths, "[]", "all jobs",
        "exceptions below _read_only_paths_, and these may have exceptions below them in their turn: the longer path "
        "counts. Directories that procsupd makes for the job are among them",
        [](R& r, V& v) { r.sandbox_paths(v, r.job().read_write_paths); }},
    KeyRow{Key::StrictSandbox, "sandbox", "strict", &kBool, "false", "jobs with private_tmp or read_only_paths",
           "whether the job is not started where _private_tmp_ or _read_only_paths_ cannot be enforced; else it runs "
           "with what comes nearest, and _status_ and the daemon's log say so",
           [](R& r, V& v) { r.boolean(v, r.job().spec.sandbox.strict); }},

    KeyRow{Key::Free, "", "x", &kTable, "{}", "all jobs", "yours: anything may stand here, it is never checked",
           [](R& r, V& v) { r.anything(v); }},

    KeyRow{Key::GroupMembers, "groups", "members", &kJobs, "required", "groups",
           "the jobs of the group, each of which is in no other; with a _strategy_ of one-for-all or rest-for-one in "
           "the order "
           "in which they are started",
           [](R& r, V& v) { r.members(v); }, kLive},
    KeyRow{Key::GroupStrategy, "groups", "strategy", &kStrategy, "\"one-for-one\"", "groups",
           "which members are restarted when one has ended and is started again by its own policy: it alone, all of "
           "them, or it and those behind it",
           [](R& r, V& v) { r.choice(v, r.group().settings.strategy); }, kLive},
    KeyRow{Key::GroupIntensity, "groups", "intensity", &kRestartLimit, "\"5/60s\"", "groups",
           "how often the policies of all members together may start one again within a time; once more, and the group "
           "is exhausted",
           [](R& r, V& v) { r.rate(v, 10000, "restarts", r.group().settings.intensity); }, kLive},
    KeyRow{Key::GroupOnExhausted, "groups", "on_exhausted", &kGroupExhausted, "\"fail-group\"", "groups",
           "what then becomes of it: all members end, the last first, and have failed; or procsupd ends, with the exit "
           "code of "
           "the member that has ended last",
           [](R& r, V& v) { r.group_exhausted(v); }, kLive},

    KeyRow{Key::RuntimeDir, "daemon", "runtime_dir", &kPath, "\"/run/procsupd\" for root", "daemon",
           "where the control socket is", [](R& r, V& v) { r.daemon_path(v, r.daemon().spec.runtime_dir); }},
    KeyRow{Key::StateDir, "daemon", "state_dir", &kPath, "\"/var/lib/procsupd\" for root", "daemon",
           "where what must outlive the daemon is", [](R& r, V& v) { r.daemon_path(v, r.daemon().spec.state_dir); }},
    KeyRow{Key::DaemonLogDir, "daemon", "log_dir", &kPath, "\"/var/log/procsupd\" for root", "daemon",
           "where the captured output of jobs is kept that have no _dir_ in their [log]; procsupctl(1) up has "
           "a directory for each project instead",
           [](R& r, V& v) { r.daemon_path(v, r.daemon().spec.log_dir); }},
    KeyRow{Key::LogLevel, "daemon", "log_level", &kLogLevel, "\"info\"", "daemon", "how much the daemon's own log says",
           [](R& r, V& v) { r.choice(v, r.daemon().spec.log_level); }},
    KeyRow{Key::Containment, "daemon", "containment", &kContainment, "\"auto\"", "daemon",
           "how the processes of a job are held together, see procsupd(8): by a _cgroup_, by a _keeper_ process, or "
           "only by "
           "their process _group_; _auto_ is the first of these that is permitted",
           [](R& r, V& v) { r.choice(v, r.daemon().spec.containment); }},
    KeyRow{
        Key::OnCrash, "daemon", "on_crash", &kOnCrash, "as containment permits", "daemon",
        "what becomes of all jobs when procsupd itself is killed: _stop_ promises that they end at once, and procsupd "
        "does not start where nothing but process groups can hold jobs",
        [](R& r, V& v) { r.on_crash(v); }},
    KeyRow{Key::ShutdownTimeout, "daemon", "shutdown_timeout", &kDuration, "\"90s\"", "daemon",
           "how long all jobs together may take to stop when the daemon ends",
           [](R& r, V& v) { r.duration(v, r.daemon().spec.shutdown_timeout, R::Zero::Refused); }},
    KeyRow{Key::MaxClients, "daemon", "max_clients", &kClients, "4096", "daemon", "connections at the same time",
           [](R& r, V& v) { r.integer(v, 1, 100000, r.daemon().spec.max_clients); }},
    KeyRow{Key::AccessAdmin, "access", "admin", &kAccess, "[]", "daemon",
           "who may do everything, besides root and the daemon's user",
           [](R& r, V& v) { r.names_or_ids(v, r.daemon().admin); }},
    KeyRow{Key::AccessOperate, "access", "operate", &kAccess, "[]", "daemon", "who may start, stop and inspect jobs",
           [](R& r, V& v) { r.names_or_ids(v, r.daemon().operate); }},
    KeyRow{Key::AccessRead, "access", "read", &kAccess, "[\"*\"]", "daemon", "who may see names, states and times",
           [](R& r, V& v) { r.names_or_ids(v, r.daemon().read.emplace()); }},
};

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (static_cast<std::size_t>(kRows[i].key) != i) return false;
    }
    return kRows.size() == kKeyCount;
}
static_assert(rows_are_in_order(), "a key's row is found by its number");

}  // namespace

std::span<const KeyRow> all_keys() { return kRows; }

const KeyRow* find_key(std::string_view section, std::string_view name) {
    for (const auto& row : kRows) {
        if (row.name == name && row.section == section) return &row;
    }
    return nullptr;
}

}  // namespace procsup
