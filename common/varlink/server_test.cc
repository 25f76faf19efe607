#include "common/varlink/server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "common/varlink/server_fixture.h"

namespace procsup::varlink {
namespace {

std::string call_text(std::string_view method, std::string_view parameters = "{}", std::string_view more = "") {
    return R"({"method":"org.example.test.)" + std::string(method) + R"(","parameters":)" + std::string(parameters) +
           std::string(more) + "}";
}

std::string echo(std::string_view text) { return call_text("Echo", R"({"text":")" + std::string(text) + R"("})"); }
std::string echoed(std::string_view text) { return R"({"parameters":{"text":")" + std::string(text) + R"("}})"; }

/// Sends one call and gives its only reply.
Reply answer_to(std::string_view text) {
    TestServer server;
    RawClient client(server);
    client.send(text);
    EXPECT_TRUE(client.wait_for(1));
    return std::move(*parse_reply(client.messages.at(0)));
}

TEST(VarlinkServer, AnswersACall) {
    TestServer server;
    RawClient client(server);
    client.send(echo("hello"));
    ASSERT_TRUE(client.wait_for(1));
    EXPECT_EQ(client.messages[0], echoed("hello"));
}

TEST(VarlinkServer, LeavesOutEmptyParameters) {
    TestServer server;
    RawClient client(server);
    client.send(R"({"method":"org.example.test.Mark","parameters":{"text":"x"}})");
    ASSERT_TRUE(client.wait_for(1));
    EXPECT_EQ(client.messages[0], "{}");
}

TEST(VarlinkServer, AnswersPipelinedCallsInOrder) {
    TestServer server;
    RawClient client(server);
    std::string bytes;
    for (int i = 0; i < 200; ++i) bytes += echo(std::to_string(i)) + '\0';
    ASSERT_EQ(client.send_bytes(bytes), bytes.size());
    ASSERT_TRUE(client.wait_for(200));
    for (int i = 0; i < 200; ++i) EXPECT_EQ(client.messages[static_cast<std::size_t>(i)], echoed(std::to_string(i)));
}

TEST(VarlinkServer, ReadsACallThatComesByteByByte) {
    TestServer server;
    RawClient client(server);
    for (const char byte : echo("slow") + '\0') {
        client.send_bytes({&byte, 1});
        server.loop.run_while_busy();
    }
    ASSERT_TRUE(client.wait_for(1));
    EXPECT_EQ(client.messages[0], echoed("slow"));
}

TEST(VarlinkServer, BeginsTheNextCallOnlyWhenTheOneBeforeIsAnswered) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    client.send(echo("second"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    server.loop.run_while_busy();
    client.read();
    EXPECT_TRUE(client.messages.empty());
    server.kept[0].reply();
    ASSERT_TRUE(client.wait_for(2));
    EXPECT_EQ(client.messages[0], "{}");
    EXPECT_EQ(client.messages[1], echoed("second"));
}

TEST(VarlinkServer, SleepsWhileACallIsPendingAndMoreCallsWait) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    client.send(echo("later"));
    EXPECT_LT(server.loop.run_while_busy(), 10);
    server.kept[0].reply();
    EXPECT_TRUE(client.wait_for(2));
}

TEST(VarlinkServer, AnswersWhatWasReceivedBeforeAHalfClose) {
    TestServer server;
    RawClient client(server);
    client.send(echo("1"));
    client.send(echo("2"));
    client.shut_down(SHUT_WR);
    ASSERT_TRUE(client.wait_for_close());
    ASSERT_EQ(client.messages.size(), 2u);
    EXPECT_EQ(client.messages[1], echoed("2"));
    EXPECT_EQ(server.server.connection_count(), 0u);
}

TEST(VarlinkServer, SleepsAfterAHalfCloseUntilThePendingCallIsAnswered) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    client.send(echo("after"));
    client.shut_down(SHUT_WR);
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    EXPECT_LT(server.loop.run_while_busy(), 10);
    EXPECT_TRUE(server.kept[0].alive());
    EXPECT_EQ(server.gone, 0);
    server.kept[0].reply();
    ASSERT_TRUE(client.wait_for_close());
    ASSERT_EQ(client.messages.size(), 2u);
    EXPECT_EQ(client.messages[1], echoed("after"));
}

TEST(VarlinkServer, NoticesAHangUpAfterAHalfClose) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    client.shut_down(SHUT_WR);
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    server.loop.run_while_busy();
    client.close();
    EXPECT_TRUE(server.loop.run_until([&] { return server.gone == 1; }));
    EXPECT_EQ(server.server.connection_count(), 0u);
}

TEST(VarlinkServer, TellsAPendingCallThatItsClientHasGone) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    client.close();
    ASSERT_TRUE(server.loop.run_until([&] { return server.server.connection_count() == 0; }));
    EXPECT_EQ(server.gone, 1);
    EXPECT_FALSE(server.kept[0].alive());
    server.kept[0].reply(R"({"nobody":"reads this"})");
    EXPECT_EQ(server.kept[0].unsent(), 0u);
    EXPECT_EQ(server.kept[0].peer().pid, ::getpid());
}

TEST(VarlinkServer, NoticesAHangUpWhileFurtherCallsWait) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    client.send(echo("never answered"));
    server.loop.run_while_busy();
    client.close();
    EXPECT_TRUE(server.loop.run_until([&] { return server.gone == 1; }));
}

TEST(VarlinkServer, NeverSaysGoneForACallThatWasAnswered) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    server.kept[0].reply();
    EXPECT_FALSE(server.kept[0].alive());
    ASSERT_TRUE(client.wait_for(1));
    client.close();
    ASSERT_TRUE(server.loop.run_until([&] { return server.server.connection_count() == 0; }));
    EXPECT_EQ(server.gone, 0);
}

TEST(VarlinkServer, LetsGoOfWhatIsKeptForAClientWhenThatHasGone) {
    TestServer server;
    RawClient client(server), other(server);
    client.send(call_text("Keep"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    auto kept = std::make_shared<int>(7);
    const std::weak_ptr<int> watched = kept;
    EXPECT_EQ(server.kept[0].kept(), nullptr);
    server.kept[0].keep(std::move(kept));
    server.kept[0].reply();
    client.send(call_text("Keep"));
    other.send(call_text("Keep"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 3; }));
    const auto own = std::count_if(server.kept.begin(), server.kept.end(),
                                   [&](const PendingCall& call) { return call.kept() == watched.lock().get(); });
    EXPECT_EQ(own, 1) << "the same for each call of a client, and for none of another";
    server.kept.clear();
    client.close();
    EXPECT_TRUE(server.loop.run_until([&] { return watched.expired(); }));
}

TEST(VarlinkServer, CarriesOutWhatAClientSentBeforeItLeft) {
    TestServer server;
    RawClient client(server);
    for (int i = 0; i < 100; ++i) client.send(call_text("Mark", R"({"text":"m"})", R"(,"oneway":true)"));
    client.close();
    ASSERT_TRUE(server.loop.run_until([&] { return server.server.connection_count() == 0 && !server.marks.empty(); }));
    EXPECT_EQ(server.marks.size(), 100u);
}

TEST(VarlinkServer, NeverAnswersAOnewayCall) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Mark", R"({"text":"m"})", R"(,"oneway":true)"));
    client.send(call_text("Missing", "{}", R"(,"oneway":true)"));
    client.send(call_text("Stream", R"({"count":3})", R"(,"oneway":true,"more":true)"));
    client.send(echo("only this"));
    ASSERT_TRUE(client.wait_for(1));
    server.loop.run_while_busy();
    client.read();
    EXPECT_EQ(client.messages, std::vector<std::string>{echoed("only this")});
}

TEST(VarlinkServer, StreamsRepliesAndThenTakesTheNextCall) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Stream", R"({"count":3})", R"(,"more":true)"));
    client.send(echo("next"));
    ASSERT_TRUE(client.wait_for(4));
    EXPECT_EQ(client.messages[0], R"({"parameters":{"number":1},"continues":true})");
    EXPECT_EQ(client.messages[2], R"({"parameters":{"number":3}})");
    EXPECT_EQ(client.messages[3], echoed("next"));
}

TEST(VarlinkServer, StreamsInLaterTurns) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep", "{}", R"(,"more":true)"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    server.kept[0].reply_continues(R"({"n":1})");
    server.kept[0].reply_continues(R"({"n":2})");
    client.read();
    EXPECT_EQ(client.messages.size(), 2u);
    EXPECT_TRUE(server.kept[0].alive());
    server.kept[0].fail("org.example.test.Over", "it is over", "call again");
    ASSERT_TRUE(client.wait_for(3));
    EXPECT_EQ(client.messages[2],
              R"({"error":"org.example.test.Over","parameters":{"message":"it is over","hint":"call again"}})");
}

TEST(VarlinkServer, AnswersForAHandlerThatForgetsTheCall) {
    const auto reply = answer_to(call_text("Forget"));
    EXPECT_EQ(reply.error, "io.systemd.System");
    EXPECT_EQ(reply.parameters.string_or("errnoName", ""), "ECANCELED");
}

TEST(VarlinkServer, TakesTheNextCallAfterOneThatWasForgottenLater) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Keep"));
    client.send(echo("next"));
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    server.kept.clear();
    ASSERT_TRUE(client.wait_for(2));
    EXPECT_EQ(client.messages[1], echoed("next"));
}

TEST(VarlinkServer, NamesWhatDoesNotExist) {
    const auto interface = answer_to(R"({"method":"org.missing.Do"})");
    EXPECT_EQ(interface.error, "org.varlink.service.InterfaceNotFound");
    EXPECT_EQ(interface.parameters.string_or("interface", ""), "org.missing");
    const auto method = answer_to(call_text("Missing"));
    EXPECT_EQ(method.error, "org.varlink.service.MethodNotFound");
    EXPECT_EQ(method.parameters.string_or("method", ""), "org.example.test.Missing");
    EXPECT_EQ(answer_to(call_text("Unwritten")).error, "org.varlink.service.MethodNotImplemented");
    EXPECT_EQ(answer_to(R"({"method":"Ping"})").error, "org.varlink.service.InterfaceNotFound");
}

TEST(VarlinkServer, RefusesParametersThatAreNotDescribed) {
    for (const auto* parameters : {R"({"text":"x","extra":1})", R"({"text":5})", "{}", R"({"text":null})"}) {
        const auto reply = answer_to(call_text("Echo", parameters));
        EXPECT_EQ(reply.error, "org.varlink.service.InvalidParameter") << parameters;
        EXPECT_NE(reply.parameters.string_or("parameter", ""), "") << parameters;
        EXPECT_NE(reply.parameters.string_or("message", ""), "") << parameters;
    }
}

TEST(VarlinkServer, RefusesAnUpgradeAndGoesOn) {
    TestServer server;
    RawClient client(server);
    client.send(call_text("Mark", R"({"text":"m"})", R"(,"upgrade":true)"));
    client.send(echo("still here"));
    ASSERT_TRUE(client.wait_for(2));
    EXPECT_EQ(parse_reply(client.messages[0])->error, "org.varlink.service.InvalidParameter");
    EXPECT_EQ(client.messages[1], echoed("still here"));
    EXPECT_TRUE(server.marks.empty());
}

TEST(VarlinkServer, ExplainsAMessageThatIsNoCallAndCloses) {
    for (const std::string text : {"{\"method\":", "[]", "", "{}", "\xff"}) {
        TestServer server;
        RawClient client(server);
        client.send(text);
        client.send(echo("not reached"));
        ASSERT_TRUE(client.wait_for_close()) << text;
        ASSERT_EQ(client.messages.size(), 1u) << text;
        const auto reply = parse_reply(client.messages[0]);
        EXPECT_EQ(reply->error, "org.varlink.service.InvalidParameter");
        EXPECT_TRUE(reply->parameters.string_or("message", "").starts_with("cannot read the call: "));
        EXPECT_EQ(server.server.connection_count(), 0u);
    }
}

TEST(VarlinkServer, KnowsItsPeerFromTheKernel) {
    const auto reply = answer_to(call_text("WhoAmI"));
    EXPECT_EQ(reply.parameters.int_or("uid", -1), ::getuid());
    EXPECT_EQ(reply.parameters.int_or("gid", -1), ::getgid());
    EXPECT_EQ(reply.parameters.int_or("pid", -1), ::getpid());
}

TEST(VarlinkServer, DescribesItself) {
    const auto info = answer_to(R"({"method":"org.varlink.service.GetInfo"})");
    EXPECT_EQ(json::to_text(info.parameters), R"({"vendor":"vendor","product":"product","version":"1.2",)"
                                              R"("url":"https://example.org",)"
                                              R"("interfaces":["org.example.test","org.varlink.service"]})");
    const auto text = answer_to(
        R"({"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.example.test"}})");
    EXPECT_TRUE(text.parameters.string_or("description", "").starts_with("interface org.example.test"));
    const auto missing = answer_to(
        R"({"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.missing"}})");
    EXPECT_EQ(missing.error, "org.varlink.service.InterfaceNotFound");
}

TEST(VarlinkServer, HandsDescriptorsToTheCallTheyCameWith) {
    TestServer server;
    RawClient client(server);
    client.send(echo("before"));
    client.send_with_fds(call_text("CountFds"), {0, 1, 2});
    client.send_with_fds(call_text("CountFds"), {0});
    client.send(call_text("CountFds"));
    ASSERT_TRUE(client.wait_for(4));
    EXPECT_EQ(client.messages[1], R"({"parameters":{"count":3}})");
    EXPECT_EQ(client.messages[2], R"({"parameters":{"count":1}})");
    EXPECT_EQ(client.messages[3], R"({"parameters":{"count":0}})");
}

TEST(VarlinkServer, ClosesDescriptorsThatNobodyTakes) {
    TestServer server;
    RawClient client(server);
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    client.send_with_fds(echo("take this"), {writer.get()});
    writer.reset();
    ASSERT_TRUE(client.wait_for(1));
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 0);  // the end: no copy of the writer is left
}

TEST(VarlinkServer, ReceivesDescriptorsThatAreNotInherited) {
    TestServer server;
    RawClient client(server);
    client.send_with_fds(call_text("Keep"), {0});
    ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
    const auto fds = server.kept[0].take_fds();
    ASSERT_EQ(fds.size(), 1u);
    EXPECT_NE(::fcntl(fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(VarlinkServer, LeavesCallsBehindThatOutliveIt) {
    TestLoop loop;
    std::vector<PendingCall> kept;
    {
        TestServer server;
        RawClient client(server);
        client.send(call_text("Keep"));
        ASSERT_TRUE(server.loop.run_until([&] { return server.kept.size() == 1; }));
        kept = server.kept;
    }
    EXPECT_FALSE(kept[0].alive());
    kept[0].reply();
}

TEST(VarlinkServerDeathTest, EndsWhenTableAndDescriptionDisagree) {
    const auto add = [](std::string_view text, std::string_view method) {
        TestLoop loop;
        Server server(loop, {});
        Interface interface {
            "a.b", std::string(text), {}
        };
        interface.methods[std::string(method)] = [](PendingCall) {};
        server.add_interface(std::move(interface));
    };
    add("interface a.b method Do() -> ()", "Do");
    EXPECT_DEATH(add("interface a.b method Do() -> ()", "Other"), "a.b.Other: not in the description");
    EXPECT_DEATH(add("interface a.b method Do() -> () method Too() -> ()", "Do"), "a.b.Too: no handler");
    EXPECT_DEATH(add("interface a.c method Do() -> ()", "Do"), "described as another");
    EXPECT_DEATH(add("interface a.b method Do(", "Do"), "cannot read the interface description");
}

}  // namespace
}  // namespace procsup::varlink
