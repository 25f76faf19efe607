#include "conf/value_forms.h"

#include <array>

#define SPAN_PATTERN "([0-9]+([.][0-9]+)?(us|ms|s|min|h|d))+"
#define SIZE_PATTERN "[0-9]+([.][0-9]+)?([KMGT]i?)?B"
#define DURATION_PATTERN "^" SPAN_PATTERN "$"
// "VALUE", "unlimited", or two of them as "SOFT:HARD".
#define LIMIT_PAIR(value) "^(unlimited|" value "):(unlimited|" value ")$"
#define LIMIT(value) "^(unlimited|" value ")(:(unlimited|" value "))?$"
#define RATE_PATTERN "^none$|^[0-9]+/([0-9]+([.][0-9]+)?(us|ms|s|min|h|d))+$"
#define JOB_PATTERN "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
#define STRING_ARRAY R"({"type":"array","items":{"type":"string"}})"
#define NAME_OR_ID R"("anyOf":[{"type":"string"},{"type":"integer","minimum":0,"maximum":4294967294}])"

namespace procsup::value_form {
namespace {

// The words of a choice stand in the order of its enumeration in job_spec.h.
constexpr std::array<std::string_view, 3> kTypes{"service", "oneshot", "task"};
constexpr std::array<std::string_view, 6> kRestarts{"no",          "on-success", "on-failure",
                                                    "on-abnormal", "always",     "unless-stopped"};
constexpr std::array<std::string_view, 2> kOnExhausted{"fail", "exit"};
constexpr std::array<std::string_view, 2> kStopScopes{"tree", "main"};
constexpr std::array<std::string_view, 2> kSignalTargets{"main", "all"};
constexpr std::array<std::string_view, 3> kOrphanPolicies{"kill", "adopt", "ignore"};
constexpr std::array<std::string_view, 3> kParentRestarts{"restart", "stop", "keep"};
constexpr std::array<std::string_view, 4> kLogLevels{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> kContainments{"auto", "cgroup", "keeper", "group"};
constexpr std::array<std::string_view, 1> kCrashes{"stop"};
constexpr std::array<std::string_view, 5> kOutputs{"inherit", "null", "journal", "forward", "capture"};
constexpr std::array<std::string_view, 1> kInputs{"null"};
constexpr std::array<std::string_view, 2> kCompressions{"zstd", "none"};
constexpr std::array<std::string_view, 5> kPolicies{"other", "batch", "idle", "fifo", "rr"};
constexpr std::array<std::string_view, 3> kIoClasses{"realtime", "best-effort", "idle"};
constexpr std::array<std::string_view, 3> kFullDisk{"block", "drop_newest", "drop_oldest"};

}  // namespace

constexpr ValueForm kString{"a string", "string", R"({"type":"string"})", {}};
constexpr ValueForm kBool{"true or false", "true or false", R"({"type":"boolean"})", {}};
constexpr ValueForm kCommand{
    "an array of strings or one string",
    "array or string",
    R"({"anyOf":[{"type":"string","minLength":1},{"type":"array","minItems":1,"items":{"type":"string"}}]})",
    {}};
constexpr ValueForm kInstances{
    "an integer from 1 to 1000 or an array of names",
    "integer or array of names",
    R"({"anyOf":[{"type":"integer","minimum":1,"maximum":1000},{"type":"array","minItems":1,"maxItems":1000,)"
    R"("uniqueItems":true,"items":{"type":"string","pattern":"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"}}]})",
    {}};
constexpr ValueForm kPort{"a port from 1 to 65535", "integer", R"({"type":"integer","minimum":1,"maximum":65535})", {}};
constexpr ValueForm kName{"a name or a numeric id", "name or id", "{" NAME_OR_ID "}", {}};
constexpr ValueForm kNames{
    "an array of names or numeric ids", "array of names or ids", R"({"type":"array","items":{)" NAME_OR_ID "}}", {}};
constexpr ValueForm kPath{"a path such as \"/srv/web\"", "path", R"({"type":"string","minLength":1})", {}};
constexpr ValueForm kPaths{"an array of paths", "array of paths", STRING_ARRAY, {}};
constexpr ValueForm kUmask{
    "an octal string such as \"0022\"", "octal string", R"({"type":"string","pattern":"^0?[0-7]{3}$"})", {}};
constexpr ValueForm kStrings{"an array of strings", "array of strings", STRING_ARRAY, {}};
constexpr ValueForm kEnvNames{"an array of names of variables",
                              "array of names",
                              R"({"type":"array","items":{"type":"string","pattern":"^[A-Za-z_][A-Za-z0-9_]*$"}})",
                              {}};
constexpr ValueForm kEnv{"a table of strings",
                         "table of strings",
                         R"({"type":"object","patternProperties":{"^[A-Za-z_][A-Za-z0-9_]*$":{"type":"string"}},)"
                         R"("additionalProperties":false})",
                         {}};
constexpr ValueForm kTable{"a table", "table", R"({"type":"object"})", {}};
constexpr ValueForm kDuration{
    "a duration such as \"10s\"", "duration", R"({"type":"string","pattern":")" DURATION_PATTERN R"("})", {}};
constexpr ValueForm kTimeout{"a duration such as \"10s\", or \"none\"",
                             "duration or \"none\"",
                             R"({"type":"string","pattern":"^none$|)" DURATION_PATTERN R"("})",
                             {}};
constexpr ValueForm kBackoff{
    "a number from 1 to 1000", "number", R"({"type":"number","minimum":1,"maximum":1000})", {}};
constexpr ValueForm kJitter{"a number from 0 to 1", "number", R"({"type":"number","minimum":0,"maximum":1})", {}};
constexpr ValueForm kStartLimit{"a number of starts in a time such as \"10/60s\", or \"none\"",
                                "\"N/duration\" or \"none\"",
                                R"({"type":"string","pattern":")" RATE_PATTERN R"("})",
                                {}};
constexpr ValueForm kRestartLimit{"a number of restarts in a time such as \"3/10min\", or \"none\"",
                                  "\"N/duration\" or \"none\"",
                                  R"({"type":"string","pattern":")" RATE_PATTERN R"("})",
                                  {}};
constexpr ValueForm kLooks{"an integer from 1 to 64", "integer", R"({"type":"integer","minimum":1,"maximum":64})", {}};
constexpr ValueForm kCpuAbove{"a number of processors from 0.01 on such as 1.5",
                              "number",
                              R"({"type":"number","minimum":0.01,"maximum":8192})",
                              {}};
constexpr ValueForm kHealthAction{"\"restart\" or \"none\"", "\"restart\" or \"none\"",
                                  R"({"enum":["restart","none"]})", kHealthActionWords};
constexpr ValueForm kCron{
    "a cron expression such as \"0 2 * * *\"", "cron expression", R"({"type":"string","minLength":1})", {}};
constexpr ValueForm kZone{
    "a time zone such as \"Europe/Berlin\"", "time zone", R"({"type":"string","minLength":1})", {}};
constexpr ValueForm kOverlap{"\"skip\", \"queue\" or \"replace\"", "\"skip\", \"queue\" or \"replace\"",
                             R"({"enum":["skip","queue","replace"]})", kOverlapWords};
constexpr ValueForm kMissed{"\"run-once\" or \"skip\"", "\"run-once\" or \"skip\"", R"({"enum":["run-once","skip"]})",
                            kMissedWords};
constexpr ValueForm kStrategy{"\"one-for-one\", \"one-for-all\" or \"rest-for-one\"",
                              "\"one-for-one\", \"one-for-all\" or \"rest-for-one\"",
                              R"({"enum":["one-for-one","one-for-all","rest-for-one"]})", kStrategyWords};
constexpr ValueForm kGroupExhausted{"\"fail-group\" or \"shutdown\"", "\"fail-group\" or \"shutdown\"",
                                    R"({"enum":["fail-group","shutdown"]})", kGroupExhaustedWords};
constexpr ValueForm kExitSet{
    "an array of exit codes and signal names such as [0, \"SIGTERM\"]",
    "array of codes and signal names",
    R"({"type":"array","items":{"anyOf":[{"type":"integer","minimum":0,"maximum":255},{"type":"string"}]}})",
    {}};
constexpr ValueForm kSignal{"the name of a signal such as \"SIGTERM\"", "signal name", R"({"type":"string"})", {}};
constexpr ValueForm kStopSignal{
    "the name of a signal such as \"SIGTERM\", or an array of signals and pauses such as [\"SIGINT\", \"5s\", "
    "\"SIGTERM\"]",
    "signal name, or array of names and pauses",
    R"({"anyOf":[{"type":"string"},{"type":"array","minItems":1,"maxItems":15,"items":{"type":"string"}}]})",
    {}};
constexpr ValueForm kStopScope{"\"tree\" or \"main\"", "\"tree\" or \"main\"", R"({"enum":["tree","main"]})",
                               kStopScopes};
constexpr ValueForm kSignalTo{"\"main\" or \"all\"", "\"main\" or \"all\"", R"({"enum":["main","all"]})",
                              kSignalTargets};
constexpr ValueForm kOrphans{"one of \"kill\", \"adopt\" and \"ignore\"", "\"kill\", \"adopt\" or \"ignore\"",
                             R"({"enum":["kill","adopt","ignore"]})", kOrphanPolicies};
constexpr ValueForm kZombies{
    "an integer from 0 to 1000000", "integer", R"({"type":"integer","minimum":0,"maximum":1000000})", {}};
constexpr ValueForm kReadyFd{"an integer from 3 to 7", "integer", R"({"type":"integer","minimum":3,"maximum":7})", {}};
constexpr ValueForm kExpression{"a regular expression", "regular expression", R"({"type":"string","minLength":1})", {}};
constexpr ValueForm kAddress{
    "a port, or an address and a port such as \"127.0.0.1:8080\"",
    "port, or \"ADDRESS:PORT\"",
    R"({"anyOf":[{"type":"integer","minimum":1,"maximum":65535},{"type":"string","minLength":1}]})",
    {}};
constexpr ValueForm kPage{"a page such as \"http://127.0.0.1:8080/health\"",
                          "\"http://ADDRESS[:PORT]/PATH\"",
                          R"({"type":"string","pattern":"^http://"})",
                          {}};
constexpr ValueForm kJob{
    "the name of a job", "job", R"({"type":"string","pattern":"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"})", {}};
constexpr ValueForm kJobs{"an array of names of jobs",
                          "array of jobs",
                          R"({"type":"array","maxItems":256,"items":{"type":"string","pattern":")" JOB_PATTERN R"("}})",
                          {}};
constexpr ValueForm kRequirements{
    "an array of names of jobs, or of tables such as { job = \"db\", condition = \"started\" }",
    "array of jobs, or of tables { job, condition, on_restart }",
    R"({"type":"array","maxItems":256,"items":{"anyOf":[{"type":"string","pattern":")" JOB_PATTERN
    R"("},{"type":"object","properties":{"job":{"type":"string","pattern":")" JOB_PATTERN
    R"("},"condition":{"enum":["started","ready","healthy","exited_ok","exited"]},)"
    R"("on_restart":{"enum":["ignore","restart","signal"]}},"required":["job"],"additionalProperties":false}]}})",
    {}};
constexpr ValueForm kParentRestart{"one of \"restart\", \"stop\" and \"keep\"", "\"restart\", \"stop\" or \"keep\"",
                                   R"({"enum":["restart","stop","keep"]})", kParentRestarts};
constexpr ValueForm kType{"\"service\", \"oneshot\" or \"task\"", "\"service\", \"oneshot\" or \"task\"",
                          R"({"enum":["service","oneshot","task"]})", kTypes};
constexpr ValueForm kRestart{
    "one of \"no\", \"on-success\", \"on-failure\", \"on-abnormal\", \"always\" and \"unless-stopped\"", "word",
    R"({"enum":["no","on-success","on-failure","on-abnormal","always","unless-stopped"]})", kRestarts};
constexpr ValueForm kExhausted{"\"fail\" or \"exit\"", "\"fail\" or \"exit\"", R"({"enum":["fail","exit"]})",
                               kOnExhausted};
constexpr ValueForm kOutput{
    "\"inherit\", \"null\", \"journal\", \"forward\", \"capture\" or a path such as \"/var/log/web.log\"",
    "\"inherit\", \"null\", \"journal\", \"forward\", \"capture\" or path",
    R"({"type":"string","pattern":"^(inherit|null|journal|forward|capture)$|/|^[$][{]"})", kOutputs};
constexpr ValueForm kInput{"\"null\" or a path such as \"/srv/input\"", "\"null\" or path",
                           R"({"type":"string","pattern":"^null$|/|^[$][{]"})", kInputs};
constexpr ValueForm kFormat{"one of \"raw\", \"stamped\" and \"json\"", "\"raw\", \"stamped\" or \"json\"",
                            R"({"enum":["raw","stamped","json"]})", kLogFormatNames};
constexpr ValueForm kLogSize{"a size from \"4KiB\" on such as \"16MiB\", or \"none\"",
                             "size or \"none\"",
                             R"({"type":"string","pattern":"^none$|^[0-9]+([.][0-9]+)?([KMGT]i?)?B$"})",
                             {}};
constexpr ValueForm kLogAge{"a duration from \"1s\" on such as \"7d\", or \"none\"",
                            "duration or \"none\"",
                            R"({"type":"string","pattern":"^none$|)" DURATION_PATTERN R"("})",
                            {}};
constexpr ValueForm kKept{
    "an integer from 0 to 10000", "integer", R"({"type":"integer","minimum":0,"maximum":10000})", {}};
constexpr ValueForm kCompress{"\"zstd\" or \"none\"", "\"zstd\" or \"none\"", R"({"enum":["zstd","none"]})",
                              kCompressions};
constexpr ValueForm kOnFull{"one of \"block\", \"drop_newest\" and \"drop_oldest\"",
                            "\"block\", \"drop_newest\" or \"drop_oldest\"",
                            R"({"enum":["block","drop_newest","drop_oldest"]})", kFullDisk};
constexpr ValueForm kLineLimit{"a number of lines in a time such as \"1000/1s\", or \"none\"",
                               "\"N/duration\" or \"none\"",
                               R"({"type":"string","pattern":")" RATE_PATTERN R"("})",
                               {}};
constexpr ValueForm kCount{"an integer from 0 on, or \"unlimited\"",
                           "integer or \"unlimited\"",
                           R"({"anyOf":[{"type":"integer","minimum":0},)"
                           R"({"type":"string","pattern":"^unlimited$|)" LIMIT_PAIR("[0-9]+") R"("}]})",
                           {}};
constexpr ValueForm kSize{"a size such as \"512MiB\", or \"unlimited\"",
                          "size or \"unlimited\"",
                          R"({"type":"string","pattern":")" LIMIT(SIZE_PATTERN) R"("})",
                          {}};
constexpr ValueForm kCpuTime{"a duration of whole seconds such as \"1h\", or \"unlimited\"",
                             "duration or \"unlimited\"",
                             R"({"type":"string","pattern":")" LIMIT(SPAN_PATTERN) R"("})",
                             {}};
constexpr ValueForm kRealtimeTime{"a duration such as \"200ms\", or \"unlimited\"",
                                  "duration or \"unlimited\"",
                                  R"({"type":"string","pattern":")" LIMIT(SPAN_PATTERN) R"("})",
                                  {}};
constexpr ValueForm kNiceLimit{"an integer from -20 to 19, or \"unlimited\"",
                               "integer or \"unlimited\"",
                               R"({"anyOf":[{"type":"integer","minimum":-20,"maximum":19},)"
                               R"({"type":"string","pattern":"^unlimited$|)" LIMIT_PAIR("-?[0-9]+") R"("}]})",
                               {}};
constexpr ValueForm kRealtimePriority{"an integer from 0 to 99, or \"unlimited\"",
                                      "integer or \"unlimited\"",
                                      R"({"anyOf":[{"type":"integer","minimum":0,"maximum":99},)"
                                      R"({"type":"string","pattern":"^unlimited$|)" LIMIT_PAIR("[0-9]+") R"("}]})",
                                      {}};
constexpr ValueForm kNice{
    "an integer from -20 to 19", "integer", R"({"type":"integer","minimum":-20,"maximum":19})", {}};
constexpr ValueForm kScheduling{
    "one of \"other\", \"batch\", \"idle\", \"fifo:1\" to \"fifo:99\" and \"rr:1\" to \"rr:99\"", "word",
    R"({"type":"string","pattern":"^(other|batch|idle|(fifo|rr):[1-9][0-9]?)$"})", kPolicies};
constexpr ValueForm kIoPriority{
    "one of \"realtime:0\" to \"realtime:7\", \"best-effort:0\" to \"best-effort:7\" and \"idle\"", "word",
    R"({"type":"string","pattern":"^(idle|(realtime|best-effort):[0-7])$"})", kIoClasses};
constexpr ValueForm kCpus{"an array of CPU numbers, or a string such as \"0-3,6\"",
                          "array of numbers or string",
                          R"({"anyOf":[{"type":"string","pattern":"^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$"},)"
                          R"({"type":"array","minItems":1,"items":{"type":"integer","minimum":0,"maximum":8191}}]})",
                          {}};
constexpr ValueForm kOom{
    "an integer from -1000 to 1000", "integer", R"({"type":"integer","minimum":-1000,"maximum":1000})", {}};
constexpr ValueForm kTreeMemory{"a size such as \"512MiB\", or \"unlimited\"",
                                "size or \"unlimited\"",
                                R"({"type":"string","pattern":"^unlimited$|^)" SIZE_PATTERN R"($"})",
                                {}};
constexpr ValueForm kProcessors{"a number of processors from 0.01 on such as 1.5, or \"unlimited\"",
                                "number or \"unlimited\"",
                                R"({"anyOf":[{"type":"number","minimum":0.01,"maximum":8192},{"enum":["unlimited"]}]})",
                                {}};
constexpr ValueForm kWeight{
    "an integer from 1 to 10000", "integer", R"({"type":"integer","minimum":1,"maximum":10000})", {}};
constexpr ValueForm kTasks{"an integer from 1 to 2147483647, or \"unlimited\"",
                           "integer or \"unlimited\"",
                           R"({"anyOf":[{"type":"integer","minimum":1,"maximum":2147483647},{"enum":["unlimited"]}]})",
                           {}};
constexpr ValueForm kLogLevel{"one of \"debug\", \"info\", \"warn\" and \"error\"", "word",
                              R"({"enum":["debug","info","warn","error"]})", kLogLevels};
constexpr ValueForm kContainment{"one of \"auto\", \"cgroup\", \"keeper\" and \"group\"", "word",
                                 R"({"enum":["auto","cgroup","keeper","group"]})", kContainments};
constexpr ValueForm kOnCrash{"\"stop\"", "word", R"({"enum":["stop"]})", kCrashes};
constexpr ValueForm kClients{
    "an integer from 1 to 100000", "integer", R"({"type":"integer","minimum":1,"maximum":100000})", {}};
constexpr ValueForm kAccess{"an array of users and \"@groups\", or [\"*\"] for everyone",
                            "array of users and \"@groups\"",
                            R"({"type":"array","items":{)" NAME_OR_ID "}}",
                            {}};
constexpr ValueForm kCapabilities{
    "an array of names of capabilities such as [\"CAP_NET_BIND_SERVICE\"]",
    "array of names",
    R"({"type":"array","items":{"type":"string","pattern":"^([Cc][Aa][Pp]_)?[A-Za-z_]+$"}})",
    {}};
constexpr ValueForm kSandboxPaths{"an array of paths such as [\"/srv\", \"-/opt/shop\"]",
                                  "array of paths",
                                  R"({"type":"array","maxItems":64,"items":{"type":"string","minLength":1}})",
                                  {}};
constexpr ValueForm kCredentials{
    "a table of paths such as { key = \"/etc/shop/key\" }",
    "table of paths",
    R"({"type":"object","patternProperties":{"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$":{"type":"string","minLength":1}},)"
    R"("additionalProperties":false})",
    {}};
constexpr ValueForm kDirNames{"an array of names such as [\"shop\", \"shop/cache\"]",
                              "array of names",
                              R"({"type":"array","maxItems":16,"items":{"type":"string","pattern":"^[^/].*$"}})",
                              {}};
constexpr ValueForm kSockets{
    "an array of tables such as { name = \"http\", listen = \"127.0.0.1:8080\" }",
    "array of tables [[sockets]]",
    R"({"type":"array","maxItems":64,"items":{"type":"object","properties":{)"
    R"("name":{"description":"its name in LISTEN_FDNAMES; default: the job's","type":"string",)"
    R"("pattern":"^[ -9;-~]{1,255}$"},)"
    R"("listen":{"description":"an address and a port, udp: and these, a path, unix-dgram: and a path, @ and an abstract )"
    R"(name, or inherited","type":"string","minLength":1},)"
    R"("mode":{"description":"of a path; default: 0660","type":"string","pattern":"^0?[0-7]{3}$"},)"
    R"("user":{"description":"whose the path is; default: the job's user",)" NAME_OR_ID
    R"(},"group":{"description":"whose the path is; default: the job's group",)" NAME_OR_ID
    R"(},"accept":{"description":"each connection is served by a run of its own; default: false","type":"boolean"},)"
    R"("max_connections":{"description":"how many are served at a time; default: 64","type":"integer","minimum":1,)"
    R"("maximum":10000},)"
    R"("on_demand":{"description":"the job is started when something comes; default: false","type":"boolean"},)"
    R"("idle_timeout":{"description":"after so long without a connection it is ended; default: never",)"
    R"("type":"string","pattern":")" DURATION_PATTERN R"("}},"required":["listen"],"additionalProperties":false}})",
    {}};

}  // namespace procsup::value_form
