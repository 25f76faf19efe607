#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/varlink/server.h"
#include "common/varlink/server_fixture.h"

namespace procsup::varlink {
namespace {

constexpr auto kEcho = R"({"method":"org.example.test.Echo","parameters":{"text":"x"}})";
constexpr auto kEchoed = R"({"parameters":{"text":"x"}})";
constexpr auto kKeepMore = R"({"method":"org.example.test.Keep","more":true})";

std::string big(std::size_t size) {
    return R"({"method":"org.example.test.Big","parameters":{"size":)" + std::to_string(size) + "}}";
}

Limits with_message_limit(std::size_t bytes) {
    Limits limits;
    limits.message = bytes;
    return limits;
}

/// Lowers how many descriptors this process may have, and puts it back.
class DescriptorLimit {
public:
    DescriptorLimit() { ::getrlimit(RLIMIT_NOFILE, &old_); }
    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &old_); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;
    void set(rlim_t most) const {
        const rlimit lower{most, old_.rlim_max};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
    }
    void restore() const { ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old_), 0); }

private:
    rlimit old_{};
};

TEST(VarlinkLimits, RefuseAMessageThatIsTooLong) {
    TestServer server(with_message_limit(1000));
    RawClient client(server);
    client.send_bytes(std::string(200000, 'x'));
    ASSERT_TRUE(client.wait_for_close());
    ASSERT_EQ(client.messages.size(), 1u);
    const auto reply = parse_reply(client.messages[0]);
    EXPECT_EQ(reply->error, "org.varlink.service.InvalidParameter");
    EXPECT_EQ(reply->parameters.string_or("message", ""), "a message has at most 1000 bytes");
}

TEST(VarlinkLimits, TakeAMessageOfExactlyTheLongest) {
    const std::string call(kEcho);
    TestServer server(with_message_limit(call.size()));
    RawClient client(server);
    client.send(call);
    client.send(call + " ");
    ASSERT_TRUE(client.wait_for_close());
    ASSERT_EQ(client.messages.size(), 2u);
    EXPECT_EQ(client.messages[0], kEchoed);
    EXPECT_NE(parse_reply(client.messages[1])->error, "");
}

TEST(VarlinkLimits, ReplaceAnAnswerThatIsTooLong) {
    TestServer server(with_message_limit(1000));
    RawClient client(server);
    client.send(big(2000));
    client.send(kEcho);
    ASSERT_TRUE(client.wait_for(2));
    const auto reply = parse_reply(client.messages[0]);
    EXPECT_EQ(reply->error, "io.systemd.System");
    EXPECT_EQ(reply->parameters.string_or("errnoName", ""), "EMSGSIZE");
    EXPECT_EQ(client.messages[1], kEchoed);
}

TEST(VarlinkLimits, CarryAnAnswerOfManyMegabytes) {
    TestServer server;
    RawClient client(server);
    client.send(big(10'000'000));
    ASSERT_TRUE(client.wait_for(1));
    EXPECT_GT(client.messages[0].size(), 10'000'000u);
}

TEST(VarlinkLimits, CarryACallOfManyMegabytes) {
    TestServer server;
    RawClient client(server);
    const std::string text(5'000'000, 'y');
    const std::string call = R"({"method":"org.example.test.Mark","parameters":{"text":")" + text + "\"}}" + '\0';
    std::size_t sent = 0;
    ASSERT_TRUE(server.loop.run_until([&] {
        sent += client.send_bytes(std::string_view(call).substr(sent));
        return sent == call.size();
    }));
    ASSERT_TRUE(client.wait_for(1));
    EXPECT_EQ(server.marks.at(0), text);
}

TEST(VarlinkLimits, HoldBackAClientThatNeverReads) {
    TestServer server;
    RawClient deaf(server);
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += big(100'000) + '\0';
    deaf.send_bytes(bytes);
    deaf.send(R"({"method":"org.example.test.Mark","parameters":{"text":"reached"}})");
    EXPECT_LT(server.loop.run_while_busy(), 1000);  // it sleeps
    EXPECT_TRUE(server.marks.empty());
    RawClient other(server);
    other.send(kEcho);
    EXPECT_TRUE(other.wait_for(1));
    ASSERT_TRUE(deaf.wait_for(1001));  // once it reads, everything comes
    EXPECT_EQ(server.marks.size(), 1u);
}

TEST(VarlinkLimits, ShowAStreamWhatItsClientHasNotRead) {
    TestServer server;
    RawClient client(server);
    client.send(kKeepMore);
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    auto& stream = server.kept[0];
    const std::string event = R"({"event":")" + std::string(10'000, 'e') + "\"}";
    std::size_t sent = 0;
    while (stream.unsent() < 100'000) {
        stream.reply_continues(event);
        ASSERT_LT(++sent, 1000u);
    }
    ASSERT_TRUE(client.wait_for(sent));
    EXPECT_EQ(stream.unsent(), 0u);
}

TEST(VarlinkLimits, CutOffAStreamThatIgnoresThem) {
    TestServer server(with_message_limit(100'000));
    RawClient client(server);
    client.send(kKeepMore);
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    for (int i = 0; i < 1000; ++i) server.kept[0].reply_continues(R"({"event":")" + std::string(10'000, 'e') + "\"}");
    EXPECT_LT(server.kept[0].unsent(), 200'000u);
    EXPECT_FALSE(server.kept[0].alive());
    EXPECT_TRUE(server.loop.run_until([&] { return server.gone == 1; }));
    EXPECT_EQ(server.server.connection_count(), 0u);
}

TEST(VarlinkLimits, RefuseConnectionsBeyondThem) {
    Limits limits;
    limits.connections = 3;
    limits.connections_per_uid = 3;
    TestServer server(limits);
    const std::size_t most = ::getuid() == 0 ? 3 + 16 : 3;  // root has some in reserve
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::size_t i = 0; i < most; ++i) clients.push_back(std::make_unique<RawClient>(server));
    ASSERT_TRUE(server.loop.run_until([&] { return server.server.connection_count() == most; }));
    RawClient refused(server);
    ASSERT_TRUE(refused.wait_for_close());
    EXPECT_EQ(server.server.refused_count(), 1u);
    ASSERT_EQ(refused.messages.size(), 1u);
    EXPECT_EQ(parse_reply(refused.messages[0])->parameters.string_or("errnoName", ""), "EUSERS");

    clients.clear();
    ASSERT_TRUE(server.loop.run_until([&] { return server.server.connection_count() == 0; }));
    RawClient next(server);
    next.send(kEcho);
    EXPECT_TRUE(next.wait_for(1));
}

TEST(VarlinkLimits, CloseDescriptorsBeyondThem) {
    Limits limits;
    limits.fds_per_call = 3;
    TestServer server(limits);
    RawClient client(server);
    client.send_with_fds(R"({"method":"org.example.test.CountFds"})", std::vector<int>(20, 0));
    ASSERT_TRUE(client.wait_for(1));
    EXPECT_EQ(client.messages[0], R"({"parameters":{"count":3}})");
}

TEST(VarlinkLimits, PauseAcceptingForASecondWhenDescriptorsRunOut) {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "the sanitizer's check of types needs a descriptor of its own, and there is none left";
#endif
    TestServer server;
    RawClient client(server);
    RawClient waiting(server);
    client.send(kEcho);
    waiting.send(kEcho);
    const DescriptorLimit limit;
    limit.set(3);  // all above are in use: accept finds none
    EXPECT_LT(server.loop.run_while_busy(), 10);
    EXPECT_EQ(server.server.connection_count(), 0u);
    limit.restore();
    EXPECT_LT(server.loop.run_while_busy(), 10);
    EXPECT_EQ(server.server.connection_count(), 0u);
    server.loop.put_forward(std::chrono::seconds(1));
    EXPECT_TRUE(client.wait_for(1));
    EXPECT_TRUE(waiting.wait_for(1));
}

TEST(VarlinkLimits, LetOthersInBetweenWhenAClientPipelines) {
    TestServer server;
    RawClient greedy(server);
    RawClient modest(server);
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += std::string(kEcho) + '\0';
    ASSERT_EQ(greedy.send_bytes(bytes), bytes.size());
    modest.send(kEcho);
    ASSERT_TRUE(modest.wait_for(1));
    greedy.read();
    EXPECT_LT(greedy.messages.size(), 500u);
    EXPECT_TRUE(greedy.wait_for(1000));
}

TEST(VarlinkLimits, CountWhatOneUidHolds) {
    Limits limits;
    limits.held_per_uid = 300'000;
    TestServer server(limits);
    // Root is not counted.
    const auto connect = [&] { return is_root() ? server.address.connect_as_stranger() : server.address.connect(); };
    RawClient first(server, connect());
    RawClient second(server, connect());
    const auto hold = [&server](RawClient& client, std::size_t bytes) {
        std::size_t sent = 0;
        while (sent < bytes) {
            const auto count = client.send_bytes(std::string(10'000, ' '));
            server.loop.run_while_busy();
            if (count == 0) return false;
            sent += count;
        }
        return true;
    };
    EXPECT_TRUE(hold(first, 200'000));
    EXPECT_FALSE(hold(second, 400'000));
    EXPECT_EQ(server.server.connection_count(), 1u);
    RawClient third(server, connect());
    third.send(kEcho);
    EXPECT_TRUE(third.wait_for(1));  // small calls are always served
}

}  // namespace
}  // namespace procsup::varlink
