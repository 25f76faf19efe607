#include "daemon/options.h"

#include <getopt.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "common/did_you_mean.h"
#include "conf/job_text.h"

namespace procsup {
namespace {

constexpr std::size_t kMostConfigs = 16;

enum Option : int {
    kConfig = 256,
    kRuntimeDir,
    kStateDir,
    kLogDir,
    kUser,
    kContainment,
    kBatch,
    kDelegated,
    kInit,
    kCheck,
    kHere,
    kAbilities,
    kJson,
    kLoad,
    kListProcesses,
    kProvide,
    kSchema,
    kVersion,
    kHelp
};

constexpr std::array<option, 20> kOptions{{{"config", required_argument, nullptr, kConfig},
                                           {"runtime-dir", required_argument, nullptr, kRuntimeDir},
                                           {"state-dir", required_argument, nullptr, kStateDir},
                                           {"log-dir", required_argument, nullptr, kLogDir},
                                           {"user", no_argument, nullptr, kUser},
                                           {"containment", required_argument, nullptr, kContainment},
                                           {"batch", no_argument, nullptr, kBatch},
                                           {"delegated", no_argument, nullptr, kDelegated},
                                           {"init", no_argument, nullptr, kInit},
                                           {"check", no_argument, nullptr, kCheck},
                                           {"here", optional_argument, nullptr, kHere},
                                           {"abilities", no_argument, nullptr, kAbilities},
                                           {"json", no_argument, nullptr, kJson},
                                           {"load", no_argument, nullptr, kLoad},
                                           {"list-processes", no_argument, nullptr, kListProcesses},
                                           {"provide", no_argument, nullptr, kProvide},
                                           {"print-schema", no_argument, nullptr, kSchema},
                                           {"version", no_argument, nullptr, kVersion},
                                           {"help", no_argument, nullptr, kHelp},
                                           {nullptr, 0, nullptr, 0}}};

std::string absolute(const char* path) {
    if (path[0] == '/') return path;
    std::error_code error;
    return (std::filesystem::current_path(error) / path).lexically_normal().string();
}

std::string environment_or(const char* name, const std::string& otherwise) {
    const char* value = getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string own_dir_in(const char* place) { return std::string(place) + "/procsupd-" + std::to_string(getuid()); }

/// Where a user's own daemon keeps things (XDG Base Directory Specification).
void use_user_directories(Options& options) {
    auto home = environment_or("HOME", "/");
    if (home == "/") home.clear();
    const char* runtime = getenv("XDG_RUNTIME_DIR");
    const bool known = runtime != nullptr && *runtime != '\0';
    options.default_runtime_dirs = {known ? std::string(runtime) + "/procsupd" : own_dir_in("/tmp"),
                                    own_dir_in("/dev/shm")};
    options.places.default_state_dir = environment_or("XDG_STATE_HOME", home + "/.local/state") + "/procsupd";
    options.places.default_log_dir = absolute((options.places.default_state_dir + "/log").c_str());
    std::vector<std::string> configs{environment_or("XDG_CONFIG_HOME", home + "/.config") + "/procsupd"};
    // Relative paths are to be ignored (XDG Base Directory Specification).
    if (known && runtime[0] == '/') configs.push_back(std::string(runtime) + "/procsupd");
    configs.emplace_back("/usr/lib/procsupd/user");
    options.config = {std::move(configs), true};
}

Error unknown_option(const char* word) {
    std::vector<std::string_view> names;
    for (const auto& known : kOptions) {
        if (known.name != nullptr) names.emplace_back(known.name);
    }
    std::string_view name(word);
    while (name.starts_with('-')) name.remove_prefix(1);
    return Error{"unknown option '" + std::string(word) + "'" + did_you_mean(name.substr(0, name.find('=')), names)};
}

Result<void> read_containment(std::string_view word, Options& options) {
    std::vector<std::string_view> words;
    for (const auto mode :
         {ContainmentMode::Auto, ContainmentMode::Cgroup, ContainmentMode::Keeper, ContainmentMode::Group}) {
        if (word_of(mode) == word) options.containment = mode;
        words.push_back(word_of(mode));
    }
    if (options.containment) return {};
    return Error{"--containment is auto, cgroup, keeper or group, not '" + std::string(word) + "'" +
                 did_you_mean(word, words)};
}

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
    Options options;
    std::vector<std::string> configs;
    bool user = getuid() != 0;
    opterr = 0;
    optind = 1;
    for (int option = 0; (option = getopt_long(argc, argv, ":", kOptions.data(), nullptr)) != -1;) {
        switch (option) {
            case kConfig: configs.push_back(absolute(optarg)); break;
            case kRuntimeDir: options.runtime_dir = absolute(optarg); break;
            case kStateDir: options.places.state_dir = absolute(optarg); break;
            case kLogDir: options.places.log_dir = absolute(optarg); break;
            case kUser: user = true; break;
            case kContainment:
                if (auto read = read_containment(optarg, options); !read) return read.error();
                break;
            case kBatch: options.batch = true; break;
            case kDelegated: options.delegated = true; break;
            case kCheck: options.mode = Options::Mode::Check; break;
            case kHere: options.here = optarg != nullptr ? optarg : ""; break;
            case kAbilities: options.mode = Options::Mode::Abilities; break;
            case kJson: options.json = true; break;
            case kLoad: options.mode = Options::Mode::Load; break;
            case kListProcesses: options.mode = Options::Mode::ListProcesses; break;
            case kProvide: options.mode = Options::Mode::Provide; break;
            case kSchema: options.mode = Options::Mode::PrintSchema; break;
            case kVersion: options.mode = Options::Mode::Version; break;
            case kHelp: options.mode = Options::Mode::Help; break;
            case kInit: return Error{"--init goes first: everything behind it is the command's"};
            case ':': return Error{"option '" + std::string(argv[optind - 1]) + "' needs a value"};
            default: return unknown_option(argv[optind - 1]);
        }
    }
    if (options.json && options.mode != Options::Mode::Check) return Error{"--json goes with --check"};
    if (options.here && options.mode != Options::Mode::Check) return Error{"--here goes with --check"};
    for (int i = optind; i < argc; ++i) options.operands.emplace_back(argv[i]);
    if (user) {
        use_user_directories(options);
    } else {
        // What is left to be written in a container whose root is read-only.
        options.default_runtime_dirs = {"/run/procsupd", own_dir_in("/dev/shm")};
        options.places.default_state_dir = "/var/lib/procsupd";
        options.places.default_log_dir = "/var/log/procsupd";
        options.config = {{"/etc/procsupd", "/run/procsupd", "/usr/lib/procsupd"}, true};
    }
    // Who names a place for the state expects nothing to be written anywhere else.
    auto& places = options.places;
    if (!places.state_dir.empty()) places.default_log_dir = places.state_dir + "/log";
    if (options.mode == Options::Mode::Check && !options.operands.empty()) {
        configs.clear();
        for (const auto& operand : options.operands) configs.push_back(absolute(operand.c_str()));
    }
    if (configs.size() > kMostConfigs)
        return Error{"--config is given more than " + std::to_string(kMostConfigs) + " times"};
    // What is named is all that is read, and has to be there.
    if (!configs.empty()) options.config = {std::move(configs), false};
    if (options.mode == Options::Mode::Supervise && !options.operands.empty()) {
        return Error{"unexpected argument '" + options.operands.front() + "'"};
    }
    return options;
}

std::string usage() {
    return "Usage: procsupd [--config FILE|DIR]... [--runtime-dir DIR] [--state-dir DIR] [--log-dir DIR]\n"
           "                [--user] [--containment auto|cgroup|keeper|group] [--delegated] [--batch]\n"
           "       procsupd --init [-g] [--pdeath SIGNAL] [--] COMMAND [ARGUMENT...]\n"
           "       procsupd --check [--here] [--json] [FILE|DIR...]\n"
           "       procsupd --abilities | --print-schema | --version | --help\n"
           "\n"
           "Runs the jobs of a project file or a directory of job files, in the foreground.\n"
           "\n"
           "  --config FILE|DIR   what to run; of several directories each stands over those behind it (default:\n"
           "                      /etc/procsupd, /run/procsupd, /usr/lib/procsupd, or for a user ~/.config/procsupd,\n"
           "                      $XDG_RUNTIME_DIR/procsupd, /usr/lib/procsupd/user)\n"
           "  --runtime-dir DIR   where the control socket is made (default: /run/procsupd, or\n"
           "                      $XDG_RUNTIME_DIR/procsupd for a user, or in /dev/shm)\n"
           "  --state-dir DIR     what is remembered over restarts (default: /var/lib/procsupd, or\n"
           "                      ~/.local/state/procsupd for a user)\n"
           "  --log-dir DIR       where captured output of jobs is kept (default: log in what --state-dir says, else\n"
           "                      /var/log/procsupd, or ~/.local/state/procsupd/log for a user)\n"
           "  --user              use a user's directories, also as root\n"
           "  --containment MODE  how the processes of jobs are held together (default: auto, the best permitted)\n"
           "  --delegated         the cgroup it is started in is its own (Delegate=yes), also where systemd does not\n"
           "                      mark it: before version 254 that of a user does not\n"
           "  --batch             end when all jobs but daemons (daemon_of) have ended, with the code of the first\n"
           "                      that failed\n"
           "  --init              be the init of one command instead, see procsup-init(1); the first option\n"
           "  --check             say whether the configuration is good, and end\n"
           "  --here              with --check: say also what could not be enforced here\n"
           "  --abilities         print what can be enforced here, as JSON\n"
           "  --json              with --check: print one JSON value\n"
           "  --print-schema      print the JSON schema of job files for editors\n"
           "\n"
           "Ask the running daemon with procsupctl(1); job files are described in procsupd-job(5).\n";
}

}  // namespace procsup
