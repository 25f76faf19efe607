#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "conf/enforcement.h"
#include "conf/job_text.h"
#include "conf/keys.h"
#include "conf/load.h"
#include "daemon/daemon.h"
#include "daemon/host/abilities.h"
#include "daemon/host/own_programs.h"
#include "daemon/host/process_table.h"
#include "daemon/host/provide.h"
#include "daemon/options.h"

namespace procsup {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitOwnFailure = 125;  // instead of a command, as procsup-init

/// Descriptors 0 to 2 must exist before anything else is opened: whatever took their numbers would be written to.
void open_standard_fds() {
    for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR)) {
        if (fd > STDERR_FILENO) {
            close(fd);
            return;
        }
    }
}

/// Signals are blocked and have their default actions from the start: nothing that arrives is lost before the loop runs, and
/// a child needs nothing undone but the mask.
void take_over_signals() {
    for (int signal = 1; signal <= SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
    sigset_t all;
    sigfillset(&all);
    // A fault must end the program where it happens.
    for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
    sigprocmask(SIG_SETMASK, &all, nullptr);
}

/// What the caller forgot to close is no business of ours, and must not reach jobs.
void close_inherited_fds() {
    const int listening = sd_listen_fds(0);
    const unsigned first = SD_LISTEN_FDS_START + static_cast<unsigned>(listening > 0 ? listening : 0);
    close_range(first, UINT_MAX, 0);
}

bool write_all(int fd, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t size = write(fd, text.data() + done, text.size() - done);
        if (size <= 0) return false;
        done += static_cast<std::size_t>(size);
    }
    return true;
}

/// `--load`, what is in DaemonPlaces, and what is in ConfigPaths.
int load(const Options& options) {
    const auto& words = options.operands;
    if (words.size() < 8) return kExitUsage;
    DaemonPlaces places;
    places.state_dir = words[0];
    places.default_state_dir = words[1];
    places.log_dir = words[2];
    places.default_log_dir = words[3];
    places.log_fault = words[4];
    places.shows_lines = !words[5].empty();
    const ConfigPaths config({words.begin() + 7, words.end()}, !words[6].empty());
    const auto result = load_configuration({config, places, geteuid() == 0});
    write_all(STDOUT_FILENO, encode_load_result(result));
    // Somebody waits for the end of this process, and the kernel clears thousands of jobs away sooner.
    _exit(EXIT_SUCCESS);
}

bool has_no_job(const std::variant<Configuration, std::vector<Problem>>& loaded) {
    const auto* configuration = std::get_if<Configuration>(&loaded);
    return configuration != nullptr && configuration->jobs.empty();
}

bool has_no_job(const CheckResult& result) { return has_no_job(result.loaded); }

/// Who has named another directory than that of his jobs sees it.
void tell_where_jobs_belong(const ConfigPaths& config) {
    const auto searched = config.searched();
    write_all(STDOUT_FILENO, searched.empty() ? "no job: there is no [jobs.NAME] in it, and it is no job file\n"
                                              : "no job: looked for files NAME.toml in " + searched + "\n");
}

template <typename Checked>
int report(const Options& options, const Checked& result, bool good) {
    if (options.json) {
        write_all(STDOUT_FILENO, check_json(options.config.text(), result));
    } else {
        write_all(good ? STDOUT_FILENO : STDERR_FILENO, check_report(options.config.text(), result));
        if (good && has_no_job(result)) tell_where_jobs_belong(options.config);
    }
    return good ? EXIT_SUCCESS : kExitBadConfig;
}

int check(const Options& options) {
    const LoadOptions load_options{options.config, {}, geteuid() == 0};
    if (!options.here) {
        const auto result = load_configuration(load_options);
        return report(options, result, std::holds_alternative<Configuration>(result));
    }
    Abilities abilities;
    if (options.here->empty()) {
        abilities = abilities_here();
    } else {
        const auto value = json::parse(*options.here);
        auto given = value ? read_abilities(*value) : value.error();
        if (!given) {
            write_all(STDERR_FILENO, "procsupd: " + given.error().message + "\n");
            return kExitUsage;
        }
        abilities = std::move(*given);
    }
    const auto result = check_configuration(load_options, abilities);
    return report(options, result, result.good());
}

int print_abilities() {
    json::Writer writer;
    write_json(writer, abilities_here());
    write_all(STDOUT_FILENO, writer.take() + "\n");
    return EXIT_SUCCESS;
}

/// `--list-processes`: answers the request on standard input.
int list() {
    std::ostringstream request;
    request << std::cin.rdbuf();
    const auto listed = list_processes(request.str());
    if (!listed) return EXIT_FAILURE;
    write_all(STDOUT_FILENO, *listed);
    return EXIT_SUCCESS;
}

/// `--provide`: does what the request on standard input says, and answers what failed.
int provide_for_job() {
    // What is in its memory is nobody's to look at.
    prctl(PR_SET_DUMPABLE, 0);
    umask(022);
    std::ostringstream request;
    request << std::cin.rdbuf();
    write_all(STDOUT_FILENO, provide(request.str()));
    return EXIT_SUCCESS;
}

/// `--init` and everything behind it is for procsup-init, which gets the caller's descriptors and signals as they are.
int become_init(char** argv) {
    const auto program = find_own_program("procsup-init");
    argv[0] = const_cast<char*>("procsup-init");
    if (!program.empty()) execv(program.c_str(), argv);
    const auto cause = program.empty() ? "it is neither beside procsupd nor where packages put it" : strerror(errno);
    write_all(STDERR_FILENO, std::string("procsupd: cannot execute procsup-init: ") + cause + "\n");
    return kExitOwnFailure;
}

int run(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--init") {
        argv[1] = argv[0];
        return become_init(argv + 1);
    }
    open_standard_fds();
    auto options = parse_options(argc, argv);
    if (!options) {
        write_all(STDERR_FILENO, "procsupd: " + options.error().message + "\n" + usage());
        return kExitUsage;
    }
    switch (options->mode) {
        case Options::Mode::Help: write_all(STDOUT_FILENO, usage()); return EXIT_SUCCESS;
        case Options::Mode::Version: write_all(STDOUT_FILENO, "procsupd " PROCSUP_VERSION "\n"); return EXIT_SUCCESS;
        case Options::Mode::PrintSchema: return write_all(STDOUT_FILENO, json_schema()) ? EXIT_SUCCESS : EXIT_FAILURE;
        case Options::Mode::Load: return load(*options);
        case Options::Mode::Check: return check(*options);
        case Options::Mode::Abilities: return print_abilities();
        case Options::Mode::ListProcesses: return list();
        case Options::Mode::Provide: return provide_for_job();
        case Options::Mode::Supervise: break;
    }
    take_over_signals();
    close_inherited_fds();
    umask(022);
    Daemon daemon(std::move(*options));
    return daemon.run();
}

}  // namespace
}  // namespace procsup

int main(int argc, char** argv) { return procsup::run(argc, argv); }
