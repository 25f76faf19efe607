// What jobs use, painted anew every moment.
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <limits>
#include <optional>

#include "ctl/deadline.h"
#include "ctl/handlers.h"
#include "ctl/session.h"
#include "ctl/usage.h"

namespace procsup::ctl {
namespace {

volatile sig_atomic_t g_ended = 0;

/// Keys come at once and unseen, Ctrl-C as one of them, and what is too long for a line is cut; until the end, as which SIGTERM and SIGHUP
/// count too.
class Screen {
public:
    Screen() {
        if (tcgetattr(STDIN_FILENO, &before_) < 0) return;
        termios keys = before_;
        keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
        for (const int signal : {SIGTERM, SIGHUP}) {
            struct sigaction action = {};
            action.sa_handler = [](int) { g_ended = 1; };
            sigaction(signal, &action, nullptr);
        }
        ready_ = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
        if (ready_) write_all(STDOUT_FILENO, "\x1b[?7l\x1b[?25l");
    }
    ~Screen() {
        if (!ready_) return;
        write_all(STDOUT_FILENO, "\x1b[?7h\x1b[?25h");
        tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    bool ready() const { return ready_; }

    static bool paint(const std::string& text) { return write_all(STDOUT_FILENO, "\x1b[H\x1b[2J" + text); }

    static std::size_t lines() {
        winsize size{};
        constexpr std::size_t kUsual = 24;
        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2 ? size.ws_row : kUsual;
    }

    /// Whether it is to go on after `pause`.
    static bool wait(Duration pause) {
        const auto until = monotonic_usec() + pause.count();
        for (auto left = pause.count(); left > 0 && g_ended == 0; left = until - monotonic_usec()) {
            pollfd input{STDIN_FILENO, POLLIN, 0};
            // A signal ends this one, unlike Deadline::poll().
            if (::poll(&input, 1, static_cast<int>((left + 999) / 1000)) <= 0) continue;
            char key = 0;
            constexpr char kCtrlC = 3;
            if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || key == kCtrlC) return false;
        }
        return g_ended == 0;
    }

private:
    termios before_{};
    bool ready_ = false;
};

std::optional<json::Value> ask(Session& session) {
    auto reply = session.call_raw("io.procsupd.Job.Usage", names_parameters(session.line()));
    if (!reply) return std::nullopt;
    if (reply->error.empty()) return std::move(reply->parameters);
    session.report(*reply);
    return std::nullopt;
}

/// Two answers, so that there is something between them.
int print_once(Session& session) {
    UsageTable table;
    for (int sample = 0; sample < 2; ++sample) {
        const auto reply = ask(session);
        if (!reply) return session.exit_code();
        if (session.line().json) {
            session.print_json(*reply);
            return kSuccess;
        }
        table.take(*reply);
        if (sample == 0) Deadline(session.line().delay).poll({});
    }
    session.out().add(table.text(std::numeric_limits<std::size_t>::max()));
    return kSuccess;
}

}  // namespace

int top(Session& session) {
    const bool watched = isatty(STDIN_FILENO) != 0 && session.out().to_terminal();
    if (session.line().once || session.line().json || !watched) return print_once(session);
    const Screen screen;
    if (!screen.ready()) return print_once(session);
    UsageTable table;
    do {
        const auto reply = ask(session);
        if (!reply) return session.exit_code();
        table.take(*reply);
        // One line for the header, and none behind the last, which would scroll.
        if (!Screen::paint(table.text(Screen::lines() - 2))) return kSuccess;
    } while (Screen::wait(session.line().delay));
    return kSuccess;
}

}  // namespace procsup::ctl
