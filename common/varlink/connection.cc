#include "common/varlink/connection.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/send_fds.h"
#include "common/varlink/pending_call.h"
#include "common/varlink/registry.h"

namespace procsup::varlink {
namespace {

/// Calls of one client in one turn of the loop; with more in the buffer the others come first.
constexpr int kCallsPerTurn = 32;
/// Answers of one turn are gathered up to this before they are sent.
constexpr std::size_t kGather = 64u << 10;
/// What a client may hold without being counted.
constexpr std::size_t kFree = 64u << 10;
constexpr std::size_t kKeepCapacity = 1024;
constexpr const char* kInvalidParameter = "InvalidParameter";

/// About the memory that a call takes when it was read: a json::Value for each comma, however short its text.
std::size_t cost_of(std::string_view message) {
    const auto commas = static_cast<std::size_t>(std::count(message.begin(), message.end(), ','));
    return message.size() + commas * sizeof(json::Value::Member);
}

}  // namespace

void close_client(Fd socket, const DescriptorRules& rules) {
    if (rules.closer == nullptr) return;
    // From now on nothing can be added.
    ::shutdown(socket.get(), SHUT_RDWR);
    int unread = 0;
    if (::ioctl(socket.get(), FIONREAD, &unread) < 0 || unread > 0) rules.closer->close(socket.release());
}

Connection::Connection(EventLoop& loop, const Registry& registry, const Limits& limits, const DescriptorRules& rules,
                       Fd socket, Peer peer, std::shared_ptr<Usage> usage, std::function<void()> ended)
    : loop_(loop),
      registry_(registry),
      limits_(limits),
      rules_(rules),
      socket_(std::move(socket)),
      peer_(std::make_shared<const Peer>(std::move(peer))),
      usage_(std::move(usage)),
      ended_(std::move(ended)),
      events_(EPOLLIN) {
    ++usage_->connections;
    watch_ =
        loop_.watch_fd(socket_.get(), events_, Priority::Client, [this](std::uint32_t events) { on_ready(events); });
}

Connection::~Connection() {
    if (pending_ != nullptr) {
        pending_->connection = nullptr;
        const auto never_called = std::exchange(pending_->gone, nullptr);
    }
    --usage_->connections;
    usage_->bytes -= charged_;
    watch_.reset();
    close_client(std::move(socket_), rules_);
}

void Connection::on_ready(std::uint32_t events) {
    const bool hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (hung_up) {
        // Nobody takes answers any more; what was received is still carried out.
        output_dead_ = true;
        output_.clear();
        sent_ = 0;
        attached_ = {};
    }
    if ((events & EPOLLOUT) != 0) flush();
    if (hung_up || (events & EPOLLIN) != 0) read();
    serve();
    settle();
}

void Connection::on_turn() {
    next_turn_.reset();
    serve();
    settle();
}

void Connection::read() {
    if (end_of_input_ || refused_) return;
    // Level-triggered: what is not read now must not be reported until it will be.
    reading_ = can_begin_call() && inbox_.next_message().data() == nullptr;
    if (!reading_) return;
    using Read = Inbox::Read;
    auto read = inbox_.receive(socket_.get(), rules_.refusal ? 0 : limits_.fds_per_call, rules_.closer);
    if (read == Read::Descriptors) {
        const auto refusal = rules_.refusal(*peer_);
        if (!refusal.empty()) return refuse("PermissionDenied", refusal);
        read = inbox_.receive(socket_.get(), limits_.fds_per_call, rules_.closer);
    }
    if (read == Read::End || read == Read::Reset) end_of_input_ = true;
}

/// Who sends many calls before it reads an answer is served as far as its answers are few.
bool Connection::can_begin_call() const { return pending_ == nullptr && !congested() && !refused_ && !broken_; }

/// A descriptor that has not left costs more than its bytes: who does not read must not make us hold many.
bool Connection::congested() const { return unsent() >= kGather || attached_.fd; }

void Connection::serve() {
    struct Serving {
        explicit Serving(bool& on) : on_(on) { on_ = true; }
        ~Serving() { on_ = false; }
        bool& on_;
    } serving(serving_);  // reset also when a handler throws
    for (int served = 0; served < kCallsPerTurn && pending_ == nullptr && !refused_ && !broken_; ++served) {
        if (congested()) flush();
        if (congested()) break;
        const auto message = inbox_.next_message();
        const auto size = message.data() != nullptr ? message.size() : inbox_.size();
        if (size > limits_.message) {
            refuse(kInvalidParameter, "a message has at most " + std::to_string(limits_.message) + " bytes");
        } else if (message.data() == nullptr) {
            break;
        } else {
            begin_call(message);
        }
    }
    flush();
}

void Connection::begin_call(std::string_view message) {
    auto call = parse_call(message);
    pending_cost_ = cost_of(message);
    auto fds = inbox_.consume(message.size());  // `message` is gone
    if (!call) return refuse(kInvalidParameter, call.error().message);
    // A caller that takes no reply cannot take several.
    if (call->oneway) call->more = false;
    auto state = std::make_shared<PendingCall::State>(this, peer_, std::move(*call), std::move(fds));
    pending_ = state.get();
    registry_.dispatch(PendingCall(std::move(state)));
}

void Connection::refuse(const std::string& error, std::string_view why) {
    refused_ = true;
    inbox_ = Inbox();
    json::Writer parameters;
    parameters.begin_object();
    if (error == kInvalidParameter) parameters.member("parameter", "message");
    parameters.member("message", why).end_object();
    append(error_message("org.varlink.service." + error, parameters.text()));
}

void Connection::send_reply(std::string message) {
    if (pending_->call.oneway) return;
    if (message.size() > limits_.message + 1) {
        return end_call(system_error_message(EMSGSIZE, "the answer is longer than a message may be"));
    }
    append(std::move(message));
    after_answer();
}

void Connection::end_call(std::string message, Fd fd) {
    if (message.size() > limits_.message + 1) {
        message = system_error_message(EMSGSIZE, "the answer is longer than a message may be");
        fd.reset();
    }
    auto* const answered = std::exchange(pending_, nullptr);
    answered->connection = nullptr;
    if (!answered->call.oneway) append(std::move(message), std::move(fd));
    // Let go of last: it may hold the last copy of the call.
    const auto never_called = std::exchange(answered->gone, nullptr);
    after_answer();
}

void Connection::append(std::string message, Fd fd) {
    if (output_dead_ || broken_) return;
    // A stream that does not look at unsent() must not fill the memory.
    if (unsent() > limits_.message) {
        broken_ = true;
        return;
    }
    if (fd) attached_ = {std::move(fd), output_.size(), output_.size() + message.size()};
    if (output_.empty()) {
        output_ = std::move(message);
    } else {
        output_.append(message);
    }
}

/// The kernel gives a descriptor to the reader together with any byte of the send that carried it, and with bytes before:
/// so that send must not go beyond the descriptor's message.
ssize_t Connection::send_some() {
    constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
    const char* const next = output_.data() + sent_;
    if (!attached_.fd) return ::send(socket_.get(), next, unsent(), kFlags);
    if (sent_ < attached_.begin) return ::send(socket_.get(), next, attached_.begin - sent_, kFlags);
    const int fds[] = {attached_.fd.get()};
    const auto count = send_with_fds(socket_.get(), {next, attached_.end - sent_}, fds, kFlags);
    if (count > 0) attached_ = {};
    return count;
}

void Connection::flush() {
    while (unsent() > 0) {
        const auto count = send_some();
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) output_dead_ = true;
        sent_ = count < 0 ? output_.size() : sent_ + static_cast<std::size_t>(count);
    }
    output_.clear();
    sent_ = 0;
    attached_ = {};
    if (output_.capacity() > kKeepCapacity) output_.shrink_to_fit();
}

/// Runs inside the code that answers: never begins the next call and never ends the connection here.
void Connection::after_answer() {
    if (serving_) return;  // serve() goes on, and sends all answers together
    flush();
    charge();
    if (finished() || (can_begin_call() && inbox_.next_message().data() != nullptr)) {
        if (!next_turn_) next_turn_ = loop_.call_each_turn(Priority::Client, [this] { on_turn(); });
    }
    update_watch();
}

bool Connection::finished() {
    if (broken_) return true;
    // A call whose answers nobody takes is over, once its client is known to be gone.
    if (pending_ != nullptr) return output_dead_;
    if (unsent() > 0) return false;
    return refused_ || (end_of_input_ && inbox_.next_message().data() == nullptr);
}

void Connection::settle() {
    charge();
    if (finished()) return end();
    const bool backlog = can_begin_call() && inbox_.next_message().data() != nullptr;
    if (backlog && !next_turn_) next_turn_ = loop_.call_each_turn(Priority::Client, [this] { on_turn(); });
    if (!backlog) next_turn_.reset();
    update_watch();
}

void Connection::update_watch() {
    // While a call is pending EPOLLIN stays until something comes (read() then drops it): most clients send nothing
    // meanwhile, and so cost no epoll_ctl(2).
    if (can_begin_call() && !next_turn_) reading_ = true;
    const bool wants_input = reading_ && !end_of_input_ && !refused_;
    const std::uint32_t events = (wants_input ? EPOLLIN : 0u) | (unsent() > 0 ? EPOLLOUT : 0u);
    if (events == events_) return;
    events_ = events;
    watch_->set_events(events);
}

void Connection::charge() {
    const auto held = inbox_.size() + unsent() + (pending_ != nullptr ? pending_cost_ : 0);
    const auto counted = held > kFree ? held - kFree : 0;
    usage_->bytes += counted - charged_;
    const bool grown = counted > charged_;
    charged_ = counted;
    if (grown && peer_->uid != 0 && usage_->bytes > limits_.held_per_uid) broken_ = true;
}

void Connection::end() {
    next_turn_.reset();
    broken_ = true;
    watch_.reset();
    if (auto* const cut_off = std::exchange(pending_, nullptr)) {
        cut_off->connection = nullptr;
        // Taken out first: it may let go of the last copy of the call.
        if (const auto gone = std::exchange(cut_off->gone, nullptr)) gone();
    }
    const auto ended = std::move(ended_);
    ended();  // this object is gone
}

}  // namespace procsup::varlink
