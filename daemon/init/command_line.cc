#include "daemon/init/command_line.h"

#include <signal.h>

#include "common/raw_syscall.h"
#include "daemon/init/message.h"

namespace procsup::init {
namespace {

constexpr int kLastSignal = 64;
constexpr int kFirstRealtime = 34;  // SIGRTMIN of the C libraries, which keep 32 and 33 to themselves

constexpr struct {
    const char* name;
    int number;
} kSignals[] = {
    {"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT},     {"BUS", SIGBUS},     {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1},
    {"SEGV", SIGSEGV},     {"USR2", SIGUSR2},   {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"STKFLT", SIGSTKFLT}, {"CONT", SIGCONT},   {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},     {"URG", SIGURG},     {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM},
    {"PROF", SIGPROF},     {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"PWR", SIGPWR},   {"SYS", SIGSYS},
};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// `text` behind `prefix`, whatever the case of its letters; nullptr: it begins with something else.
const char* behind(const char* text, const char* prefix) {
    for (; *prefix != '\0'; ++prefix, ++text) {
        if (upper(*text) != *prefix) return nullptr;
    }
    return text;
}

bool is(const char* text, const char* word) {
    while (*text != '\0' && *text == *word) ++text, ++word;
    return *text == *word;
}

/// -1: not a number, or one that no signal has.
int parse_number(const char* text) {
    int value = 0;
    if (*text == '\0') return -1;
    for (; *text != '\0'; ++text) {
        if (*text < '0' || *text > '9') return -1;
        value = value * 10 + (*text - '0');
        if (value > kLastSignal) return -1;
    }
    return value;
}

/// Behind "--pdeath="; nullptr: it is another word.
const char* value_of_pdeath(const char* word) {
    const char* option = "--pdeath=";
    while (*option != '\0' && *word == *option) ++word, ++option;
    return *option == '\0' ? word : nullptr;
}

CommandLine wrong(const char* text, const char* word, const char* rest) {
    Message(text) << word << rest;
    Message() << "Try 'procsup-init --help'.";
    return {};
}

constexpr char kUsage[] =
    "Usage: procsup-init [-g] [--pdeath SIGNAL] [--] COMMAND [ARGUMENT...]\n"
    "\n"
    "Runs COMMAND as the init of a container, or of any process tree: hands signals and the terminal on to it,\n"
    "collects every process that ends, and when COMMAND has ended, ends what is left and passes its exit code on.\n"
    "\n"
    "  -g               signals go to COMMAND's whole process group\n"
    "  --pdeath SIGNAL  COMMAND gets SIGNAL when procsup-init's own parent ends\n"
    "  --version, --help\n"
    "\n"
    "Exit code: COMMAND's; 128 + N when signal N has killed it; 127: not found; 126: cannot be executed;\n"
    "125: procsup-init itself has failed.\n";

}  // namespace

int parse_signal(const char* text) {
    const int number = parse_number(text);
    if (number >= 0) return number;
    if (const char* name = behind(text, "SIG")) text = name;
    if (const char* offset = behind(text, "RTMIN")) {
        if (*offset == '\0') return kFirstRealtime;
        const int value = *offset == '+' ? parse_number(offset + 1) : -1;
        return value >= 0 && value <= kLastSignal - kFirstRealtime ? kFirstRealtime + value : 0;
    }
    for (const auto& signal : kSignals) {
        const char* rest = behind(text, signal.name);
        if (rest != nullptr && *rest == '\0') return signal.number;
    }
    return 0;
}

CommandLine parse_command_line(int argc, char** argv) {
    CommandLine line;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; ++at) {
        const char* word = argv[at];
        if (is(word, "--help") || is(word, "-h")) return {CommandLine::What::Help};
        if (is(word, "--version")) return {CommandLine::What::Version};
        if (is(word, "--")) {
            ++at;
            break;
        }
        if (is(word, "-g")) {
            line.to_group = true;
            continue;
        }
        const char* value = value_of_pdeath(word);
        if (value == nullptr && is(word, "--pdeath")) value = argv[++at];
        if (value == nullptr) {
            if (at >= argc) return wrong("--pdeath", " needs a signal", "");
            return wrong("unknown option '", word, "'");
        }
        line.on_parent_death = parse_signal(value);
        if (line.on_parent_death == SIGCHLD) return wrong("--pdeath: SIGCHLD is procsup-init's own", "", "");
        if (line.on_parent_death == 0) return wrong("--pdeath: no signal is called '", value, "'");
    }
    if (at >= argc) return wrong("no command", "", "");
    line.what = CommandLine::What::Run;
    line.command = argv + at;
    return line;
}

void print(CommandLine::What what) {
    constexpr char kVersion[] = "procsup-init " PROCSUP_VERSION "\n";
    const bool help = what == CommandLine::What::Help;
    raw_syscall(SYS_write, 1, help ? kUsage : kVersion, (help ? sizeof(kUsage) : sizeof(kVersion)) - 1);
}

}  // namespace procsup::init
