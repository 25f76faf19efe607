#include "common/varlink/message.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace procsup::varlink {
namespace {

std::string_view without_nul(std::string_view message) {
    EXPECT_TRUE(message.ends_with('\0'));
    return message.substr(0, message.size() - 1);
}

TEST(ParseCall, ReadsTheEnvelope) {
    const auto call = parse_call(R"({"method":"a.b.Do","parameters":{"x":1},"more":true,"oneway":false})");
    ASSERT_TRUE(call);
    EXPECT_EQ(call->interface_name(), "a.b");
    EXPECT_EQ(call->method_name(), "Do");
    EXPECT_EQ(call->parameters.int_or("x", 0), 1);
    EXPECT_TRUE(call->more);
    EXPECT_FALSE(call->oneway);
    EXPECT_FALSE(call->upgrade);
}

TEST(ParseCall, TreatsAbsentNullAndEmptyParametersAlike) {
    for (const auto* text : {R"({"method":"a.B"})", R"({"method":"a.B","parameters":null})",
                             R"({"method":"a.B","parameters":{}})", R"({"method":"a.B","more":null})"}) {
        const auto call = parse_call(text);
        ASSERT_TRUE(call) << text;
        ASSERT_NE(call->parameters.as_object(), nullptr) << text;
        EXPECT_TRUE(call->parameters.as_object()->empty()) << text;
    }
}

TEST(ParseCall, IgnoresUnknownMembersOfTheEnvelope) { EXPECT_TRUE(parse_call(R"({"method":"a.B","future":[1,2]})")); }

TEST(ParseCall, RefusesWhatIsNoCall) {
    for (const auto* text :
         {"", "[]", "\"a.B\"", "{}", R"({"method":7})", R"({"method":null})", R"({"method":"a.B","parameters":[]})",
          R"({"method":"a.B","more":1})", R"({"method":"a.B","oneway":"yes"})", R"({"method":"a.B"}x)"}) {
        const auto call = parse_call(text);
        ASSERT_FALSE(call) << text;
        EXPECT_TRUE(call.error().message.starts_with("cannot read the call: ")) << call.error().message;
    }
}

TEST(ParseCall, FindsNoInterfaceInANameWithoutADot) {
    const auto call = parse_call(R"({"method":"Ping"})");
    EXPECT_EQ(call->interface_name(), "");
    EXPECT_EQ(call->method_name(), "Ping");
}

TEST(ParseReply, ReadsSuccessAndFailure) {
    const auto good = parse_reply(R"({"parameters":{"x":1},"continues":true})");
    EXPECT_EQ(good->error, "");
    EXPECT_TRUE(good->continues);
    EXPECT_EQ(good->parameters.int_or("x", 0), 1);
    const auto bad = parse_reply(R"({"error":"a.Bad","parameters":{"message":"no"}})");
    EXPECT_EQ(bad->error, "a.Bad");
    EXPECT_EQ(bad->parameters.string_or("message", ""), "no");
    EXPECT_TRUE(parse_reply("{}"));
}

TEST(ParseReply, RefusesWhatIsNoReply) {
    for (const auto* text :
         {"", "[]", R"({"error":5})", R"({"error":""})", R"({"parameters":"x"})", R"({"continues":0})"}) {
        EXPECT_FALSE(parse_reply(text)) << text;
    }
}

TEST(Messages, LeaveOutWhatIsEmpty) {
    EXPECT_EQ(without_nul(call_message("a.B", "")), R"({"method":"a.B"})");
    EXPECT_EQ(without_nul(call_message("a.B", "{}")), R"({"method":"a.B"})");
    EXPECT_EQ(without_nul(reply_message("")), "{}");
    EXPECT_EQ(without_nul(reply_message("{}")), "{}");
    EXPECT_EQ(without_nul(reply_message("", true)), R"({"continues":true})");
    EXPECT_EQ(without_nul(error_message("a.Bad", "")), R"({"error":"a.Bad"})");
}

TEST(Messages, AreReadBackAsWritten) {
    const auto call = call_message("a.B", R"({"x":"y"})", true, true);
    const auto read = parse_call(without_nul(call));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->method, "a.B");
    EXPECT_EQ(read->parameters.string_or("x", ""), "y");
    EXPECT_TRUE(read->more && read->oneway);
    const auto reply = parse_reply(without_nul(reply_message(R"({"x":2})", true)));
    ASSERT_TRUE(reply);
    EXPECT_TRUE(reply->continues);
    const auto error = parse_reply(without_nul(error_message("a.Bad", R"({"x":2})")));
    EXPECT_EQ(error->error, "a.Bad");
    EXPECT_EQ(error->parameters.int_or("x", 0), 2);
}

}  // namespace
}  // namespace procsup::varlink
