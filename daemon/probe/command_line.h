#pragma once

namespace procsup::probe {

struct CommandLine {
    enum class What { Wrong, Tcp, Unix, Http, File, Exec };
    What what = What::Wrong;
    long interval = 100;  ///< between the beginnings of two attempts, in ms
    long timeout = 2000;  ///< of one attempt, in ms
    int report_fd = -1;
    enum class Mode { UntilReady, Watch, Once };
    Mode mode = Mode::UntilReady;
    long grace = 0;                            ///< of Watch: no failure counts for so long, in ms
    long failures = 3, of = 3, successes = 1;  ///< of Watch, see VerdictWindow

    const char* address = nullptr;  ///< numeric, or kLocalhost
    int port = 0;
    const char* host = nullptr;  ///< as HTTP's Host has it
    const char* path = nullptr;  ///< of a socket, a file, or what HTTP is asked for
    char** command = nullptr;    ///< ends with nullptr; the element in front of it is there, and not needed any more
};

constexpr char kLocalhost[] = "localhost";  ///< 127.0.0.1, and then ::1

/// Whether `text` is that word.
bool is(const char* text, const char* word);

/// Says what is wrong on standard error.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace procsup::probe
