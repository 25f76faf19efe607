#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "common/varlink/server_fixture.h"

namespace procsup::varlink {
namespace {

std::string open_call(std::string_view text, std::size_t size = 0) {
    return R"({"method":"org.example.test.Open","parameters":{"text":")" + std::string(text) + R"(","size":)" +
           std::to_string(size) + "}}";
}

std::string echo(std::string_view text) {
    return R"({"method":"org.example.test.Echo","parameters":{"text":")" + std::string(text) + R"("}})";
}

/// What can be read from the descriptor that came with this message.
std::string read_from(const RawClient& client, std::size_t message) {
    const auto found = client.fds.find(message);
    if (found == client.fds.end()) return "no descriptor";
    std::array<char, 64> buffer{};
    const auto count = ::read(found->second.get(), buffer.data(), buffer.size());
    return count < 0 ? "cannot be read" : std::string(buffer.data(), static_cast<std::size_t>(count));
}

TEST(ReplyFd, ComesWithTheReply) {
    TestServer server;
    RawClient client(server);
    client.send(open_call("hello"));
    ASSERT_TRUE(client.wait_for(1));
    EXPECT_EQ(client.messages[0], R"({"parameters":{"data":""}})");
    EXPECT_EQ(read_from(client, 0), "hello");
    EXPECT_NE(::fcntl(client.fds.at(0).get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(ReplyFd, BelongsToItsReplyAmongPipelinedOnes) {
    TestServer server;
    RawClient client(server);
    for (const auto& text : {echo("1"), open_call("a"), echo("2"), open_call("b"), open_call("c"), echo("3")}) {
        client.send(text);
    }
    ASSERT_TRUE(client.wait_for(6));
    EXPECT_EQ(client.fds.size(), 3u);
    EXPECT_EQ(read_from(client, 1), "a");
    EXPECT_EQ(read_from(client, 3), "b");
    EXPECT_EQ(read_from(client, 4), "c");
}

TEST(ReplyFd, BelongsToItsReplyThatIsSentInParts) {
    constexpr std::size_t kBig = 1u << 20;
    TestServer server;
    RawClient client(server);
    for (const auto& text : {echo("1"), open_call("a", kBig), open_call("b", kBig), echo("2")}) client.send(text);
    server.loop.run_while_busy();
    ASSERT_TRUE(client.wait_for(4));
    EXPECT_EQ(client.messages[1].size(), client.messages[2].size());
    EXPECT_EQ(client.fds.size(), 2u);
    EXPECT_EQ(read_from(client, 1), "a");
    EXPECT_EQ(read_from(client, 2), "b");
}

TEST(ReplyFd, IsNotOpenedForAClientThatTakesNone) {
    constexpr int kMany = 2000;
    TestServer server;
    RawClient client(server);
    std::string calls;
    for (int i = 0; i < kMany; ++i) calls += open_call("x") + '\0';
    client.send_bytes(calls);
    server.loop.run_while_busy();
    EXPECT_GT(server.opened, 0);
    EXPECT_LT(server.opened, kMany / 2);
}

TEST(ReplyFd, IsClosedWhenTheClientHasGone) {
    TestServer server;
    RawClient client(server);
    client.send(R"({"method":"org.example.test.Keep"})");
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    client.close();
    ASSERT_TRUE(server.loop.run_until([&] { return server.gone == 1; }));
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd reader(ends[0]);
    server.kept[0].reply({}, Fd(ends[1]));
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
}

}  // namespace
}  // namespace procsup::varlink
