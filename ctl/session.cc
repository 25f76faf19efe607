#include "ctl/session.h"

#include <errno.h>

#include <array>

#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// What to do about a supervisor that does not answer.
std::string unreachable_hint(const CommandLine& line, const std::string& socket, int cause) {
    if (cause == EACCES || cause == EPERM) return "ask the supervisor's owner for access, or try as root";
    if (line.user) return "start it: systemctl --user start procsupd";
    if (!line.socket.empty() && socket.find('/') != std::string::npos) {
        return "start it: procsupd --config FILE --runtime-dir " + shell_quoted(socket.substr(0, socket.rfind('/')));
    }
    return "start it: systemctl start procsupd, or for a project file: procsupctl up";
}

/// The next reply, unless the deadline passes first (os_error ETIMEDOUT).
Result<varlink::Reply> receive_within(varlink::Client& client, const Deadline& deadline) {
    for (;;) {
        auto reply = client.receive();
        if (!reply) return reply.error();
        if (*reply) return std::move(**reply);
        std::array<pollfd, 1> watched{{{client.fd(), POLLIN, 0}}};
        if (!deadline.poll(watched)) return os_failure("get an answer", ETIMEDOUT);
    }
}

/// How often a call is made anew that nobody has read.
constexpr int kAttempts = 3;

}  // namespace

Session::Session(CommandLine line, Surroundings surroundings)
    : line_(std::move(line)), surroundings_(std::move(surroundings)), out_(line_.color, line_.quiet) {}

void Session::use_socket(std::string path) {
    client_.reset();
    socket_ = std::move(path);
}

std::string Session::socket_path() {
    if (socket_.empty()) {
        if (auto found = resolve_socket(line_, surroundings_)) socket_ = std::move(*found);
    }
    return socket_;
}

Result<varlink::Client> Session::connect() {
    if (socket_.empty()) {
        auto found = resolve_socket(line_, surroundings_);
        if (!found) return found.error();
        socket_ = std::move(*found);
    }
    return varlink::Client::connect(socket_);
}

varlink::Client* Session::client() {
    if (client_) return &*client_;
    auto made = connect();
    if (!made) {
        report_unreachable(made.error());
        return nullptr;
    }
    client_.emplace(std::move(*made));
    return &*client_;
}

varlink::Client* Session::client_if_up() {
    if (client_) return &*client_;
    auto made = connect();
    if (!made) return nullptr;
    client_.emplace(std::move(*made));
    return &*client_;
}

std::optional<varlink::Client> Session::another_client() {
    auto made = connect();
    if (!made) return std::nullopt;
    return std::move(*made);
}

/// A supervisor that ends closes connections that it has accepted and not read from; where systemd holds the socket, the next
/// one answers. Reports a failure.
std::optional<varlink::Reply> Session::first_reply(std::string_view method, std::string_view parameters, bool more,
                                                   const Deadline& deadline) {
    for (int attempt = 1;; ++attempt) {
        varlink::Client* connection = client();
        if (connection == nullptr) return std::nullopt;
        const auto sent = connection->send(method, parameters, more);
        // One that refuses a client says why before it closes.
        const bool may_answer = sent || connection->call_unread();
        auto reply = may_answer ? receive_within(*connection, deadline) : Result<varlink::Reply>(sent.error());
        if (reply) return std::move(*reply);
        if (!connection->call_unread() || attempt == kAttempts) {
            report_transport(reply.error());
            return std::nullopt;
        }
        client_.reset();
    }
}

std::optional<varlink::Reply> Session::call_raw(std::string_view method, std::string_view parameters) {
    return first_reply(method, parameters, false, deadline_of(parameters));
}

/// The supervisor keeps time for the calls that wait; then the limit is for one that does not answer at all.
Deadline Session::deadline_of(std::string_view parameters) const {
    const bool timed_by_server = parameters.find("\"timeoutUSec\"") != std::string_view::npos;
    const Duration patience = timed_by_server ? std::chrono::seconds(2) : Duration(0);
    return Deadline(line_.timeout ? std::optional(*line_.timeout + patience) : std::nullopt);
}

std::optional<json::Value> Session::call(std::string_view method, std::string_view parameters) {
    auto reply = call_raw(method, parameters);
    if (!reply) return std::nullopt;
    if (!reply->error.empty()) {
        report(*reply);
        return std::nullopt;
    }
    if (line_.json) print_json(reply->parameters);
    return std::move(reply->parameters);
}

std::optional<varlink::Reply> Session::next_reply(const Deadline& deadline) {
    auto reply = receive_within(*client_, deadline);
    if (reply) return std::move(*reply);
    if (reply.error().os_error == ETIMEDOUT) {
        exit_code_ = kTimedOut;
    } else {
        report_transport(reply.error());
    }
    return std::nullopt;
}

bool Session::call_more(std::string_view method, std::string_view parameters,
                        const std::function<bool(const json::Value&)>& on_reply) {
    const auto deadline = deadline_of(parameters);
    auto reply = first_reply(method, parameters, true, deadline);
    while (reply) {
        if (!reply->error.empty()) {
            report(*reply);
            return false;
        }
        const bool go_on = on_reply(reply->parameters);
        if (!reply->continues) return true;
        if (!go_on) {
            // The protocol has no other way to end a stream.
            client_.reset();
            return true;
        }
        reply = next_reply(deadline);
    }
    return false;
}

int Session::report(const varlink::Reply& reply) {
    const json::Value& parameters = reply.parameters;
    exit_code_ = exit_code_for_error(reply.error, line_.verb->family);
    if (line_.json) {
        json::Writer writer;
        writer.begin_object().member("error", reply.error);
        if (const auto* members = parameters.as_object()) {
            for (const auto& [name, value] : *members) {
                writer.key(snake_case(name));
                write_snake_case(value, writer);
            }
        }
        out_.line(writer.end_object().take());
    }
    if (const auto* problems = parameters.find("problems"); problems != nullptr && problems->as_array() != nullptr) {
        for (const auto& problem : *problems->as_array()) {
            if (const auto* text = problem.as_string()) out_.message(escaped(*text));
        }
    }
    const std::string_view message = parameters.string_or("message", "");
    if (!message.empty()) {
        out_.error(escaped(message));
    } else if (const auto parameter = parameters.string_or("parameter", ""); !parameter.empty()) {
        out_.error(escaped(reply.error) + ": " + escaped(parameter));
    } else {
        out_.error("the supervisor answered " + escaped(reply.error));
    }
    if (const auto hint = parameters.string_or("hint", ""); !hint.empty()) out_.hint(escaped(hint));
    return exit_code_;
}

int Session::report_transport(const Error& error) {
    if (error.os_error == ETIMEDOUT && line_.timeout) {
        print_json_error("timeout", "no answer from " + socket_ + " in " + to_text(*line_.timeout));
        out_.error("no answer from " + escaped(socket_) + " in " + to_text(*line_.timeout));
        return exit_code_ = line_.verb->family == ExitFamily::Run ? kRunFailed : kTimedOut;
    }
    report_unreachable(error);
    return exit_code_;
}

void Session::report_unreachable(const Error& error) {
    exit_code_ = exit_code_unreachable(line_.verb->family);
    print_json_error("unreachable", error.message);
    out_.error(escaped(error.message));
    if (error.os_error == ECONNRESET || error.os_error == EPIPE) {
        out_.hint("the supervisor has ended or was restarted meanwhile");
    } else if (error.os_error != 0) {
        out_.hint(escaped(unreachable_hint(line_, socket_, error.os_error)));
    }
}

int Session::fail(const Error& error) {
    print_json_error("failed", error.message);
    out_.error(escaped(error.message));
    return exit_code_ = line_.verb->family == ExitFamily::Run ? kRunFailed : kFailed;
}

void Session::print_json_error(std::string_view error, std::string_view message) {
    if (!line_.json) return;
    json::Writer writer;
    out_.line(writer.begin_object().member("error", error).member("message", message).end_object().take());
}

void Session::print_json(const json::Value& value) {
    json::Writer writer;
    write_snake_case(value, writer);
    out_.line(writer.text());
}

std::string names_parameters(const CommandLine& line, std::size_t first,
                             const std::function<void(json::Writer&)>& more) {
    json::Writer writer;
    writer.begin_object().key("names").begin_array();
    if (line.all) writer.string("*");
    for (std::size_t i = first; i < line.operands.size(); ++i) writer.string(line.operands[i]);
    writer.end_array();
    if (more) more(writer);
    return writer.end_object().take();
}

}  // namespace procsup::ctl
