#include "common/varlink/client.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "common/send_fds.h"

namespace procsup::varlink {
namespace {

/// A server by hand: what it answers is written before the client asks, so that nothing has to run meanwhile.
class ScriptedServer {
public:
    ScriptedServer() {
        std::string name = testing::TempDir() + "client-XXXXXX";
        directory_ = ::mkdtemp(name.data());
        listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener_.get(), 4), 0);
    }
    ~ScriptedServer() { std::filesystem::remove_all(directory_); }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::string path() const { return directory_ + "/socket"; }
    Client connect() {
        auto client = Client::connect(path());
        EXPECT_TRUE(client);
        socket_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return std::move(*client);
    }
    void answer(std::string_view bytes) {
        EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    void answer_with(std::string_view bytes, const std::vector<int>& fds) {
        EXPECT_EQ(send_with_fds(socket_.get(), bytes, fds, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    void close() { socket_.reset(); }
    std::string received() {
        std::string bytes(4096, '\0');
        const auto count = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return bytes;
    }

private:
    std::string directory_;
    Fd listener_;
    Fd socket_;
};

TEST(VarlinkClient, SendsACallAndReturnsItsReply) {
    ScriptedServer server;
    auto client = server.connect();
    server.answer(reply_message(R"({"x":1})"));
    const auto reply = client.call("a.b.Do", R"({"y":2})");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->parameters.int_or("x", 0), 1);
    EXPECT_EQ(server.received(), call_message("a.b.Do", R"({"y":2})"));
}

TEST(VarlinkClient, ReturnsAnErrorReplyAsAReply) {
    ScriptedServer server;
    auto client = server.connect();
    server.answer(error_message("a.b.No", R"({"message":"no"})"));
    const auto reply = client.call("a.b.Do", "");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->error, "a.b.No");
}

TEST(VarlinkClient, GoesThroughAStreamToItsEnd) {
    ScriptedServer server;
    auto client = server.connect();
    server.answer(reply_message(R"({"n":1})", true) + reply_message(R"({"n":2})", true) + reply_message(R"({"n":3})"));
    std::vector<std::int64_t> seen;
    const auto last = client.call_more("a.b.Watch", "", [&seen](const Reply& reply) {
        seen.push_back(reply.parameters.int_or("n", 0));
        return true;
    });
    ASSERT_TRUE(last);
    EXPECT_FALSE(last->continues);
    EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(server.received(), call_message("a.b.Watch", "", true));
}

TEST(VarlinkClient, ClosesWhenAStreamIsLeftEarly) {
    ScriptedServer server;
    auto client = server.connect();
    server.answer(reply_message(R"({"n":1})", true) + reply_message(R"({"n":2})", true));
    const auto last = client.call_more("a.b.Watch", "", [](const Reply&) { return false; });
    ASSERT_TRUE(last);
    EXPECT_EQ(last->parameters.int_or("n", 0), 1);
    const auto next = client.call("a.b.Do", "");
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().os_error, ECONNRESET);
}

TEST(VarlinkClient, SaysWhenTheServerHasLeft) {
    ScriptedServer server;
    auto client = server.connect();
    server.close();
    const auto reply = client.call("a.b.Do", "");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().os_error, ECONNRESET);
    EXPECT_EQ(reply.error().message, "cannot read the reply: the server has closed the connection");
    EXPECT_TRUE(client.call_unread());
}

TEST(VarlinkClient, KnowsWhetherItsCallWasRead) {
    for (const bool read : {true, false}) {
        ScriptedServer server;
        auto client = server.connect();
        ASSERT_TRUE(client.send("a.b.Do", "", false));
        if (read) {
            EXPECT_EQ(server.received(), call_message("a.b.Do", ""));
        }
        server.close();
        EXPECT_FALSE(client.receive());
        EXPECT_EQ(client.call_unread(), !read);
    }
}

TEST(VarlinkClient, ReadsWhyItWasRefusedBeforeItsCallWasSent) {
    ScriptedServer server;
    auto client = server.connect();
    server.answer(error_message("io.systemd.System", R"({"errno":87})"));
    server.close();
    const auto reply = client.call("a.b.Do", "");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->error, "io.systemd.System");
}

TEST(VarlinkClient, ReceivesOnlyWholeMessagesWithoutWaiting) {
    ScriptedServer server;
    auto client = server.connect();
    auto reply = client.receive();
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->has_value());
    const auto message = reply_message(R"({"x":1})");
    server.answer(message.substr(0, 5));
    reply = client.receive();
    ASSERT_TRUE(reply);
    EXPECT_FALSE(reply->has_value());
    server.answer(message.substr(5));
    reply = client.receive();
    ASSERT_TRUE(reply && reply->has_value());
    EXPECT_EQ((*reply)->parameters.int_or("x", 0), 1);
}

TEST(VarlinkClient, RefusesWhatIsNoReply) {
    ScriptedServer server;
    auto client = server.connect();
    server.answer(std::string_view("nonsense\0", 9));
    EXPECT_FALSE(client.call("a.b.Do", ""));
}

TEST(VarlinkClient, SendsDescriptorsWithTheCall) {
    ScriptedServer server;
    auto client = server.connect();
    const int fds[] = {0};
    server.answer(reply_message(""));
    ASSERT_TRUE(client.call("a.b.Do", "", fds));
    const std::vector<int> too_many(300, 0);
    EXPECT_FALSE(client.call("a.b.Do", "", too_many));
}

bool same_file(int one, int other) {
    struct stat first {};
    struct stat second {};
    return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_ino == second.st_ino;
}

TEST(VarlinkClient, GivesTheDescriptorWithItsReply) {
    ScriptedServer server;
    auto client = server.connect();
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const Fd reader(ends[0]);
    const Fd writer(ends[1]);
    server.answer(reply_message(R"({"n":1})"));
    server.answer_with(reply_message(R"({"n":2})"), {reader.get()});
    server.answer(reply_message(R"({"n":3})"));
    const auto first = client.call("a.b.Do", "");
    const auto second = client.call("a.b.Open", "");
    const auto third = client.call("a.b.Do", "");
    ASSERT_TRUE(first && second && third);
    EXPECT_FALSE(first->fd);
    ASSERT_TRUE(second->fd);
    EXPECT_TRUE(same_file(second->fd.get(), reader.get()));
    EXPECT_NE(::fcntl(second->fd.get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_FALSE(third->fd);
}

TEST(VarlinkClient, KeepsOneDescriptorAndClosesTheOthers) {
    ScriptedServer server;
    auto client = server.connect();
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    server.answer_with(reply_message(""), {reader.get(), writer.get(), writer.get(), writer.get()});
    const auto reply = client.call("a.b.Open", "");
    ASSERT_TRUE(reply && reply->fd);
    EXPECT_TRUE(same_file(reply->fd.get(), reader.get()));
    writer.reset();
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
}

TEST(VarlinkClient, SaysWhyItCannotConnect) {
    const auto missing = Client::connect("/nonexistent/socket");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().os_error, ENOENT);
    EXPECT_EQ(missing.error().message, "cannot connect to /nonexistent/socket: No such file or directory");
    EXPECT_EQ(Client::connect(std::string(200, 'x')).error().os_error, ENAMETOOLONG);
}

}  // namespace
}  // namespace procsup::varlink
