#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "common/fd.h"
#include "common/signal_name.h"
#include "common/utf8.h"
#include "ctl/deadline.h"
#include "ctl/handlers.h"
#include "ctl/instance_view.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::string_view kRun = "io.procsupd.Job.Run";
constexpr std::array<int, 4> kForwarded{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// The words a call can carry: JSON has no bytes that are not UTF-8, and to change them would run something else.
Result<void> check_words(const CommandLine& line) {
    for (const auto word : line.command) {
        if (!is_utf8(word)) return Error{"cannot run '" + escaped(word) + "': the words of a command must be UTF-8"};
    }
    return {};
}

void add_environment(Session& session, json::Writer& writer) {
    writer.key("env").begin_array();
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (is_utf8(*entry)) {
            writer.string(*entry);
        } else {
            const std::string_view text(*entry);
            session.out().warning("environment variable " + escaped(text.substr(0, text.find('='))) +
                                  " is left out: it is not UTF-8");
        }
    }
    writer.end_array();
}

/// Where the command is to run; never somewhere else because this cannot be told.
Result<std::string> current_directory() {
    const std::unique_ptr<char, void (*)(void*)> directory(getcwd(nullptr, 0), free);
    if (!directory) return os_failure("run a command in the current directory", errno);
    if (!is_utf8(directory.get())) return Error{"cannot run a command in the current directory: its name is not UTF-8"};
    return std::string(directory.get());
}

std::string run_parameters(Session& session, std::string_view like, std::string_view directory) {
    const CommandLine& line = session.line();
    json::Writer writer;
    writer.begin_object().key("command").begin_array();
    for (const auto word : line.command) writer.string(word);
    writer.end_array();
    if (!line.name.empty()) writer.member("name", line.name);
    if (line.detach) writer.member_bool("detach", true);
    if (line.daemon) writer.member_bool("daemon", true).member_int("parentPid", getppid());
    if (line.bind != 0) writer.member_int("bindPid", line.bind);
    if (!like.empty()) {
        writer.member("like", like);
    } else {
        add_environment(session, writer);
        writer.member("workingDir", directory);
    }
    return writer.end_object().take();
}

/// The supervisor did not run the command: 126 or 127 when the command is the reason, else 125.
int report_refusal(Session& session, const varlink::Reply& reply) {
    session.report(reply);
    if (!reply.error.ends_with(".StartFailed")) return kRunFailed;
    return exit_code_for_failed_start(reply.parameters.string_or("stage", ""),
                                      reply.parameters.string_or("errnoName", ""));
}

/// Signals that would end procsupctl, as a descriptor, for as long as it waits for the command.
class ForwardedSignals {
public:
    ForwardedSignals() {
        sigset_t set;
        sigemptyset(&set);
        for (const int signal : kForwarded) {
            // nohup and shells without job control ignore some of them on purpose; that stays so.
            struct sigaction now {};
            if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) sigaddset(&set, signal);
        }
        sigprocmask(SIG_BLOCK, &set, &before_);
        fd_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    ~ForwardedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
    ForwardedSignals(const ForwardedSignals&) = delete;
    ForwardedSignals& operator=(const ForwardedSignals&) = delete;

    int fd() const { return fd_.get(); }
    /// The next one, or 0.
    int take() const {
        signalfd_siginfo info{};
        return read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }

private:
    sigset_t before_{};
    Fd fd_;
};

/// A command that runs while procsupctl waits for it. Two things can happen in any order: replies (its name and pid
/// first, its end last) and signals, which are passed on once its name is known.
class AttachedRun {
public:
    AttachedRun(Session& session, varlink::Client& client) : session_(session), client_(client) {}

    int wait(const std::string& parameters) {
        constexpr std::array<int, 3> kStandard{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
        if (auto sent = client_.send(kRun, parameters, true, kStandard); !sent) {
            return session_.report_transport(sent.error());
        }
        const Deadline deadline(session_.line().timeout);
        for (;;) {
            std::array<pollfd, 2> watched{{{client_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}}};
            if (!deadline.poll(watched)) return time_out();
            // Also when only a signal was seen: the reply that names the command may have come just before it.
            if (const auto code = read_replies()) return *code;
            if (watched[1].revents != 0) {
                if (const auto code = forward_signals()) return *code;
            }
        }
    }

private:
    /// The exit code, once the command has ended.
    std::optional<int> read_replies() {
        for (;;) {
            auto reply = client_.receive();
            if (!reply) return session_.report_transport(reply.error());
            if (!reply->has_value()) return std::nullopt;
            const varlink::Reply& answer = **reply;
            if (!answer.error.empty()) return report_refusal(session_, answer);
            if (!answer.continues) return ended(answer.parameters);
            began(answer.parameters);
        }
    }

    void began(const json::Value& parameters) {
        const bool known = !name_.empty();
        name_ = parameters.string_or("name", "");
        const auto pid = parameters.int_or("pid", 0);
        if (known || pid == 0 || session_.out().quiet() || session_.line().json) return;
        session_.out().message(escaped(name_) + ": started pid " + std::to_string(pid));
    }

    int ended(const json::Value& parameters) {
        const auto signal = parse_signal(parameters.string_or("exitSignal", ""));
        const auto* code = parameters.find("exitCode");
        if (session_.line().json) session_.print_json(parameters);
        if (!signal && (code == nullptr || code->as_int() == nullptr)) {
            session_.out().error(escaped(parameters.string_or("name", name_)) +
                                 " did not run: " + escaped(parameters.string_or("cause", "no reason given")));
            return kRunFailed;
        }
        const int result = signal ? 128 + *signal : static_cast<int>(*code->as_int());
        if (result != 0 && !session_.out().quiet() && !session_.line().json) {
            std::string_view cause = parameters.string_or("cause", "");
            const std::string text = signal ? "killed by " + signal_name(*signal) : "exit " + std::to_string(result);
            session_.out().message(escaped(parameters.string_or("name", name_)) + ": " +
                                   (cause.empty() ? text : escaped(cause)));
        }
        return result;
    }

    /// Before the command has a name there is nobody to pass a signal to: then procsupctl ends by it, and the
    /// supervisor stops what it has just started because its caller is gone.
    std::optional<int> forward_signals() {
        while (const int signal = signals_.take()) {
            if (name_.empty()) return 128 + signal;
            send_signal(signal);
        }
        return std::nullopt;
    }

    void send_signal(int signal) {
        if (!signaller_) signaller_ = session_.another_client();
        if (!signaller_) return;
        json::Writer writer;
        writer.begin_object().key("names").begin_array().string(name_).end_array();
        writer.member("signal", signal_name(signal)).end_object();
        const auto reply = signaller_->call("io.procsupd.Job.Signal", writer.text());
        if (!reply) {
            signaller_.reset();
        } else if (!reply->error.empty() && !reply->error.ends_with(".NotRunning")) {
            session_.out().error(escaped(reply->parameters.string_or("message", reply->error)));
        }
    }

    int time_out() {
        session_.out().error(escaped(name_.empty() ? "the command" : name_) + " is stopped: it took longer than " +
                             to_text(*session_.line().timeout));
        return kTimedOut;
    }

    Session& session_;
    varlink::Client& client_;
    ForwardedSignals signals_;
    std::optional<varlink::Client> signaller_;
    std::string name_;
};

int run_detached(Session& session, const std::string& parameters) {
    const auto reply = session.call_raw(kRun, parameters);
    if (!reply) return session.exit_code();
    if (!reply->error.empty()) return report_refusal(session, *reply);
    if (session.line().json) {
        session.print_json(reply->parameters);
    } else {
        session.out().note(escaped(reply->parameters.string_or("name", "")) + ": started pid " +
                           std::to_string(reply->parameters.int_or("pid", 0)));
    }
    return kSuccess;
}

int run_command(Session& session, std::string_view like) {
    if (auto fit = check_words(session.line()); !fit) return session.fail(fit.error());
    const auto directory = like.empty() ? current_directory() : Result<std::string>(std::string());
    if (!directory) return session.fail(directory.error());
    const std::string parameters = run_parameters(session, like, *directory);
    if (session.line().detach || session.line().daemon) return run_detached(session, parameters);
    varlink::Client* client = session.client();
    if (client == nullptr) return session.exit_code();
    return AttachedRun(session, *client).wait(parameters);
}

}  // namespace

int run(Session& session) { return run_command(session, {}); }

int exec_like(Session& session) { return run_command(session, session.line().operands.front()); }

}  // namespace procsup::ctl
