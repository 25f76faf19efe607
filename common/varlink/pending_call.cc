#include "common/varlink/pending_call.h"

#include <string.h>

#include <cassert>
#include <cerrno>
#include <utility>

#include "common/json.h"
#include "common/varlink/connection.h"

namespace procsup::varlink {

std::string system_error_message(int os_error, std::string_view message) {
    json::Writer parameters;
    const char* name = strerrorname_np(os_error);
    parameters.begin_object().member("origin", "linux").member_int("errno", os_error);
    parameters.member("errnoName", name != nullptr ? name : "").member("message", message).end_object();
    return error_message("io.systemd.System", parameters.text());
}

PendingCall::State::~State() {
    if (connection == nullptr) return;
    connection->end_call(system_error_message(ECANCELED, "the call was given up without an answer"));
}

PendingCall::PendingCall(std::shared_ptr<State> state) : state_(std::move(state)) {}

const Call& PendingCall::call() const { return state_->call; }

const Peer& PendingCall::peer() const { return *state_->peer; }

std::vector<Fd> PendingCall::take_fds() { return std::exchange(state_->fds, {}); }

bool PendingCall::alive() const { return state_->connection != nullptr && state_->connection->client_is_there(); }

std::size_t PendingCall::unsent() const { return state_->connection != nullptr ? state_->connection->unsent() : 0; }

void PendingCall::when_gone(std::function<void()> gone) {
    if (state_->connection != nullptr) state_->gone = std::move(gone);
}

void PendingCall::keep(std::shared_ptr<void> object) {
    if (state_->connection != nullptr) state_->connection->keep(std::move(object));
}

void* PendingCall::kept() const { return state_->connection != nullptr ? state_->connection->kept() : nullptr; }

void PendingCall::reply(std::string_view parameters) {
    if (state_->connection != nullptr) state_->connection->end_call(reply_message(parameters));
}

void PendingCall::reply(std::string_view parameters, Fd fd) {
    if (state_->connection != nullptr) state_->connection->end_call(reply_message(parameters), std::move(fd));
}

void PendingCall::reply_continues(std::string_view parameters) {
    assert(state_->call.more);
    if (state_->connection != nullptr) state_->connection->send_reply(reply_message(parameters, true));
}

void PendingCall::fail(std::string_view name, std::string_view message, std::string_view hint) {
    json::Writer parameters;
    parameters.begin_object().member("message", message);
    if (!hint.empty()) parameters.member("hint", hint);
    fail_with(name, parameters.end_object().text());
}

void PendingCall::fail_with(std::string_view name, std::string_view parameters) {
    if (state_->connection != nullptr) state_->connection->end_call(error_message(name, parameters));
}

void PendingCall::fail_invalid_parameter(std::string_view parameter) {
    json::Writer parameters;
    parameters.begin_object().member("parameter", parameter);
    parameters.member("message", "the value of '" + std::string(parameter) + "' is not valid").end_object();
    fail_with("org.varlink.service.InvalidParameter", parameters.text());
}

}  // namespace procsup::varlink
