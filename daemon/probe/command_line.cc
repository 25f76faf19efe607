#include "daemon/probe/command_line.h"
#include "conf/verdict_window.h"

#include <cstddef>

#include "common/raw_syscall.h"
#include "daemon/probe/address.h"
#include "daemon/probe/line.h"

namespace procsup::probe {
namespace {

constexpr long kMostMilliseconds = 24L * 60 * 60 * 1000;
constexpr long kMostPort = 65535;
constexpr long kFirstReportFd = 3;  // the ones before are the command's
constexpr long kMostFd = 1L << 30;

constexpr char kUsage[] =
    "Usage: procsup-probe [--interval MS] [--timeout MS] [--report FD] TARGET\n"
    "       procsup-probe --watch [--grace MS] [--failures N] [--of N] [--successes N] [...] TARGET\n"
    "       procsup-probe --once [--timeout MS] [--report FD] TARGET\n"
    "Tries until the first success; with --watch until it is told to end; with --once once. TARGET is one of\n"
    "  tcp ADDRESS PORT\n"
    "  unix PATH\n"
    "  http ADDRESS PORT HOST PATH\n"
    "  file PATH\n"
    "  exec -- COMMAND [ARGUMENT...]\n"
    "Exit code: 0: it has succeeded; 1: it was told to end (SIGTERM), or cannot go on; 2: wrong usage;\n"
    "126, 127: COMMAND cannot be executed, is not found.\n";

/// The words one by one.
class Words {
public:
    Words(int argc, char** argv) : at_(argc > 0 ? argv + 1 : argv), end_(argv + argc) {}

    bool has(const char* word) const { return at_ < end_ && is(*at_, word); }
    bool is_at_end() const { return at_ == end_; }
    const char* next() { return at_ < end_ ? *at_++ : nullptr; }
    char** rest() const { return at_; }

private:
    char** at_;
    char** end_;
};

bool wrong(const char* text, const char* word = nullptr, const char* rest = "") {
    Line line;
    line << "procsup-probe: " << text;
    if (word != nullptr) line.name(word);
    (line << rest).say();
    raw_syscall(SYS_write, 2, kUsage, sizeof(kUsage) - 1);
    return false;
}

bool take_number(Words& words, const char* name, long least, long most, long& number) {
    const char* word = words.next();
    long value = word != nullptr && *word != '\0' ? 0 : -1;
    for (const char* c = word; value >= 0 && *c != '\0'; ++c) {
        value = *c >= '0' && *c <= '9' && value <= most ? value * 10 + (*c - '0') : -1;
    }
    if (value >= least && value <= most) {
        number = value;
        return true;
    }
    Line line;
    line << "procsup-probe: " << name << " is to be a number from " << least << " to " << most;
    if (word != nullptr) (line << ", not '").name(word) << "'";
    line.say();
    raw_syscall(SYS_write, 2, kUsage, sizeof(kUsage) - 1);
    return false;
}

/// A blank or a control character would be the end of a line or of a word of HTTP.
bool is_one_word(const char* text) {
    constexpr char kBlank = ' ', kDelete = 0x7F;
    const char* at = text;
    while (*at != '\0' && *at != kDelete && (*at < 0 || *at > kBlank)) ++at;
    return *at == '\0' && at != text;
}

bool take_address(Words& words, CommandLine& line) {
    line.address = words.next();
    if (line.address == nullptr) return wrong("an ADDRESS and a PORT are missing");
    Address address;
    if (!is(line.address, kLocalhost) && !parse_address(line.address, 0, address)) {
        return wrong("no numeric IPv4 or IPv6 address: '", line.address, "'");
    }
    long port = 0;
    if (!take_number(words, "PORT", 1, kMostPort, port)) return false;
    line.port = static_cast<int>(port);
    return true;
}

bool take_path(Words& words, CommandLine& line) {
    line.path = words.next();
    if (line.path == nullptr || *line.path == '\0') return wrong("a PATH is missing");
    return true;
}

bool take_unix_path(Words& words, CommandLine& line) {
    Address address;
    if (!take_path(words, line)) return false;
    return set_unix_path(line.path, address) || wrong("too long for a socket: '", line.path, "'");
}

bool take_http(Words& words, CommandLine& line) {
    if (!take_address(words, line)) return false;
    line.host = words.next();
    if (line.host == nullptr) return wrong("a HOST and a PATH are missing");
    if (!is_one_word(line.host)) return wrong("not for HTTP: the HOST '", line.host, "'");
    if (!take_path(words, line)) return false;
    return (line.path[0] == '/' && is_one_word(line.path)) || wrong("not for HTTP: the PATH '", line.path, "'");
}

bool take_command(Words& words, CommandLine& line) {
    if (!words.has("--")) return wrong("exec needs -- and a COMMAND");
    words.next();
    line.command = words.rest();
    while (words.next() != nullptr) {
    }
    return *line.command != nullptr || wrong("exec needs a COMMAND");
}

bool take_options(Words& words, CommandLine& line) {
    for (;;) {
        long fd = -1;
        if (words.has("--interval")) {
            words.next();
            if (!take_number(words, "--interval", 1, kMostMilliseconds, line.interval)) return false;
        } else if (words.has("--timeout")) {
            words.next();
            if (!take_number(words, "--timeout", 1, kMostMilliseconds, line.timeout)) return false;
        } else if (words.has("--watch") || words.has("--once")) {
            line.mode = words.has("--watch") ? CommandLine::Mode::Watch : CommandLine::Mode::Once;
            words.next();
        } else if (words.has("--grace")) {
            words.next();
            if (!take_number(words, "--grace", 0, kMostMilliseconds, line.grace)) return false;
        } else if (words.has("--failures")) {
            words.next();
            if (!take_number(words, "--failures", 1, VerdictWindow::kMost, line.failures)) return false;
        } else if (words.has("--of")) {
            words.next();
            if (!take_number(words, "--of", 1, VerdictWindow::kMost, line.of)) return false;
        } else if (words.has("--successes")) {
            words.next();
            if (!take_number(words, "--successes", 1, VerdictWindow::kMost, line.successes)) return false;
        } else if (words.has("--report")) {
            words.next();
            if (!take_number(words, "--report", kFirstReportFd, kMostFd, fd)) return false;
            line.report_fd = static_cast<int>(fd);
        } else {
            return true;
        }
    }
}

constexpr struct {
    const char* name;
    CommandLine::What what;
    bool (*take)(Words& words, CommandLine& line);
} kTargets[] = {
    {"tcp", CommandLine::What::Tcp, take_address},   {"unix", CommandLine::What::Unix, take_unix_path},
    {"http", CommandLine::What::Http, take_http},    {"file", CommandLine::What::File, take_path},
    {"exec", CommandLine::What::Exec, take_command},
};

}  // namespace

bool is(const char* text, const char* word) {
    while (*text != '\0' && *text == *word) ++text, ++word;
    return *text == *word;
}

CommandLine parse_command_line(int argc, char** argv) {
    CommandLine line;
    Words words(argc, argv);
    if (!take_options(words, line)) return line;
    const char* name = words.next();
    if (name == nullptr) {
        wrong("no TARGET");
        return line;
    }
    for (const auto& target : kTargets) {
        if (!is(name, target.name)) continue;
        if (!target.take(words, line)) return line;
        if (words.is_at_end()) {
            line.what = target.what;
        } else {
            wrong("too much: '", words.next(), "'");
        }
        return line;
    }
    wrong(name[0] == '-' ? "unknown option '" : "unknown TARGET '", name, "'");
    return line;
}

}  // namespace procsup::probe
