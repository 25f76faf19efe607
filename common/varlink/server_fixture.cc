#include "common/varlink/server_fixture.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "common/json.h"
#include "common/send_fds.h"

namespace procsup::varlink {
namespace {

constexpr std::string_view kDescription = R"(interface org.example.test

method Echo(text: string) -> (text: string)
# Is answered by the test.
method Keep() -> ()
method Forget() -> ()
method Mark(text: string) -> ()
method Big(size: int) -> (data: string)
# Needs more: so many replies at once.
method Stream(count: int) -> (number: int)
# Is answered with a descriptor, from which the text can be read.
method Open(text: string, size: ?int) -> (data: string)
method CountFds() -> (count: int)
method WhoAmI() -> (uid: int, gid: int, pid: int)
method Unwritten() -> ()
)";

std::pair<sockaddr_un, socklen_t> abstract_address(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
    return {address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())};
}

void stream(PendingCall call) {
    if (!call.call().more) return call.fail_with("org.varlink.service.ExpectedMore", {});
    const auto count = call.parameters().int_or("count", 0);
    const auto number = [](std::int64_t value) {
        return json::Writer().begin_object().member_int("number", value).end_object().take();
    };
    for (std::int64_t i = 1; i < count; ++i) call.reply_continues(number(i));
    call.reply(number(count));
}

std::string data_reply(std::int64_t size) {
    const std::string data(static_cast<std::size_t>(size), 'x');
    return json::Writer().begin_object().member("data", data).end_object().take();
}

Fd pipe_with(std::string_view text) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd writer(ends[1]);
    EXPECT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return Fd(ends[0]);
}

/// Makes connect(2) show another user to the peer.
class OtherUser {
public:
    explicit OtherUser(uid_t uid) {
        EXPECT_EQ(::setegid(uid), 0);
        EXPECT_EQ(::seteuid(uid), 0);
    }
    ~OtherUser() {
        EXPECT_EQ(::seteuid(0), 0);
        EXPECT_EQ(::setegid(0), 0);
    }
    OtherUser(const OtherUser&) = delete;
    OtherUser& operator=(const OtherUser&) = delete;
};

}  // namespace

TestAddress::TestAddress() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)), 0);
    EXPECT_EQ(::listen(listener_.get(), 64), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    name_.assign(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
}

Fd TestAddress::connect() const {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto [address, size] = abstract_address(name_);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0) << std::strerror(errno);
    return socket;
}

Fd TestAddress::connect_as_stranger() const {
    const OtherUser user(kStranger);
    return connect();
}

bool is_root() { return ::geteuid() == 0; }

TestServer::TestServer(Limits limits) : server(loop, {"vendor", "product", "1.2", "https://example.org"}, limits) {
    server.add_interface(interface());
    server.listen(address.take_listener());
}

Interface TestServer::interface() {
    Interface made{"org.example.test", std::string(kDescription), {}};
    made.methods["Echo"] = [](PendingCall call) { call.reply(json::to_text(call.parameters())); };
    made.methods["Keep"] = [this](PendingCall call) {
        call.when_gone([this] { ++gone; });
        kept.push_back(std::move(call));
    };
    made.methods["Forget"] = [](PendingCall) {};
    made.methods["Mark"] = [this](PendingCall call) {
        marks.emplace_back(call.parameters().string_or("text", ""));
        call.reply();
    };
    made.methods["Big"] = [](PendingCall call) { call.reply(data_reply(call.parameters().int_or("size", 0))); };
    made.methods["Open"] = [this](PendingCall call) {
        ++opened;
        call.reply(data_reply(call.parameters().int_or("size", 0)), pipe_with(call.parameters().string_or("text", "")));
    };
    made.methods["Stream"] = stream;
    made.methods["CountFds"] = [](PendingCall call) {
        const auto count = static_cast<std::int64_t>(call.take_fds().size());
        call.reply(json::Writer().begin_object().member_int("count", count).end_object().text());
    };
    made.methods["WhoAmI"] = [](PendingCall call) {
        json::Writer reply;
        reply.begin_object().member_int("uid", call.peer().uid).member_int("gid", call.peer().gid);
        call.reply(reply.member_int("pid", call.peer().pid).end_object().text());
    };
    made.methods["Unwritten"] = nullptr;
    return made;
}

std::size_t RawClient::send_bytes(std::string_view bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto count = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0) break;
        sent += static_cast<std::size_t>(count);
    }
    return sent;
}

void RawClient::send_with_fds(std::string_view text, const std::vector<int>& with) {
    const std::string bytes = std::string(text) + '\0';
    EXPECT_EQ(procsup::send_with_fds(socket_.get(), bytes, with, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

void RawClient::shut_down(int how) { EXPECT_EQ(::shutdown(socket_.get(), how), 0); }

void RawClient::read() {
    constexpr std::size_t kAll = 253;
    Inbox::Read read = Inbox::Read::Some;
    while ((read = inbox_.receive(socket_.get(), kAll)) == Inbox::Read::Some) {
    }
    closed_ = closed_ || read == Inbox::Read::End || read == Inbox::Read::Reset;
    for (auto message = inbox_.next_message(); message.data() != nullptr; message = inbox_.next_message()) {
        messages.emplace_back(message);
        auto came_along = inbox_.consume(message.size());
        EXPECT_LE(came_along.size(), 1u);
        if (!came_along.empty()) fds[messages.size() - 1] = std::move(came_along.front());
    }
}

bool RawClient::wait_for(std::size_t count) {
    return server_.loop.run_until([this, count] {
        read();
        return messages.size() >= count;
    });
}

bool RawClient::wait_for_close() {
    return server_.loop.run_until([this] {
        read();
        return closed_;
    });
}

}  // namespace procsup::varlink
