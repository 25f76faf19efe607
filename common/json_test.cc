#include "common/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

namespace procsup::json {
namespace {

using namespace std::string_view_literals;

std::string round_trip(std::string_view text) {
    const auto value = parse(text);
    return value ? to_text(*value) : value.error().message;
}

TEST(JsonParse, KeepsValuesTypesAndOrder) {
    constexpr auto kText =
        R"({"b":[1,-2,2.5,true,false,null,"x"],"a":{"nested":{"deep":[[],{}]}},"":"empty name","u":"é😀"})";
    EXPECT_EQ(round_trip(kText), kText);
}

TEST(JsonParse, TellsIntegersFromFractions) {
    EXPECT_EQ(*parse("3")->as_int(), 3);
    EXPECT_EQ(parse("3")->as_double(), nullptr);
    EXPECT_DOUBLE_EQ(*parse("3.0")->as_double(), 3.0);
    EXPECT_DOUBLE_EQ(*parse("3e2")->as_double(), 300.0);
    EXPECT_EQ(*parse("-0")->as_int(), 0);
}

TEST(JsonParse, TakesIntegersOfExactly64Bits) {
    EXPECT_EQ(*parse("9223372036854775807")->as_int(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(*parse("-9223372036854775808")->as_int(), std::numeric_limits<std::int64_t>::min());
    for (const auto* text :
         {"9223372036854775808", "-9223372036854775809", "18446744073709551616", "[123456789012345678901234567890]"}) {
        EXPECT_FALSE(parse(text)) << text;
    }
}

TEST(JsonParse, ReadsDoublesExactly) {
    EXPECT_EQ(*parse("0.1")->as_double(), 0.1);
    EXPECT_EQ(*parse("1.7976931348623157e308")->as_double(), std::numeric_limits<double>::max());
    EXPECT_FALSE(parse("1e400"));
    EXPECT_EQ(*parse("3.141592653589793")->as_double(), 3.141592653589793);
}

TEST(JsonParse, RefusesWhatIsNotJson) {
    for (const auto text : {""sv,           " "sv,       "nul"sv,   "{} {}"sv,    "{}x"sv,     "{'a':1}"sv,
                            "{\"a\":1,}"sv, "[1,]"sv,    "[1 2]"sv, "01"sv,       "-"sv,       "1."sv,
                            ".5"sv,         "+1"sv,      "NaN"sv,   "Infinity"sv, "\"open"sv,  "\"\\x\""sv,
                            "\"\n\""sv,     "{\"a\"}"sv, "{1:2}"sv, "]"sv,        "// c\n1"sv, "\xef\xbb\xbf{}"sv}) {
        EXPECT_FALSE(parse(text)) << text;
    }
}

TEST(JsonParse, RefusesANulByteOutsideAndInsideOfStrings) {
    EXPECT_FALSE(parse("{}\0{}"sv));
    EXPECT_FALSE(parse("{}\0"sv));
    EXPECT_FALSE(parse("\"a\0b\""sv));
    EXPECT_EQ(*parse(R"("a\u0000b")")->as_string(), "a\0b"sv);
}

TEST(JsonParse, RefusesTextThatIsNotUtf8) {
    EXPECT_FALSE(parse("\"\xff\""));
    EXPECT_FALSE(parse("{\"\xc0\x80\":1}"));
    EXPECT_FALSE(parse("\"\xed\xa0\x80\""));
    EXPECT_FALSE(parse("\"\xe2\x82\""));
    EXPECT_FALSE(parse(R"("\ud800")"));
    EXPECT_FALSE(parse(R"("\udc00")"));
    EXPECT_EQ(*parse(R"("\ud83d\ude00")")->as_string(), "\xf0\x9f\x98\x80");
}

TEST(JsonParse, RefusesMoreThan32Levels) {
    const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    EXPECT_TRUE(parse(nested(kMaxDepth)));
    const auto too_deep = parse(nested(kMaxDepth + 1));
    ASSERT_FALSE(too_deep);
    EXPECT_EQ(too_deep.error().message, "cannot read JSON at byte 32: more than 32 levels deep");
}

TEST(JsonParse, EndsAMillionBracketsWithoutUsingUpTheStack) {
    EXPECT_FALSE(parse(std::string(1'000'000, '[')));
    std::string objects;
    for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
    EXPECT_FALSE(parse(objects));
}

TEST(JsonParse, RefusesMoreValuesThanAMessageMayHave) {
    std::string text = "[";
    for (std::size_t i = 0; i < kMaxValues; ++i) text += "0,";
    EXPECT_FALSE(parse(text + "0]"));
    EXPECT_TRUE(parse(text.substr(0, kMaxValues / 8 + 1) + "0]"));
}

TEST(JsonParse, SaysWhereTheFaultIs) {
    const auto result = parse("{\"a\": nope}");
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().message.starts_with("cannot read JSON at byte 7: ")) << result.error().message;
}

TEST(JsonValue, FindsMembersAndTreatsNullAsAbsent) {
    const auto value = parse(R"({"s":"x","n":5,"t":true,"z":null})");
    EXPECT_EQ(value->string_or("s", "-"), "x");
    EXPECT_EQ(value->int_or("n", -1), 5);
    EXPECT_TRUE(value->bool_or("t", false));
    EXPECT_EQ(value->find("z"), nullptr);
    EXPECT_EQ(value->find("absent"), nullptr);
    EXPECT_EQ(value->find("s")->find("deeper"), nullptr);
}

TEST(JsonValue, GivesTheDefaultForAnotherType) {
    const auto value = parse(R"({"s":1,"n":"x","t":0})");
    EXPECT_EQ(value->string_or("s", "-"), "-");
    EXPECT_EQ(value->int_or("n", -1), -1);
    EXPECT_TRUE(value->bool_or("t", true));
}

TEST(JsonValue, GivesAMemberAway) {
    auto value = *parse(R"({"a":[1,2],"b":3})");
    EXPECT_EQ(to_text(value.take("a")), "[1,2]");
    EXPECT_EQ(to_text(value), R"({"a":null,"b":3})");
    EXPECT_TRUE(value.take("absent").is_null());
}

TEST(JsonWriter, PlacesCommas) {
    Writer writer;
    writer.begin_object()
        .member("a", "x")
        .member_int("b", -7)
        .key("c")
        .begin_array()
        .number(1)
        .begin_object()
        .end_object();
    writer.begin_array().end_array().raw("{}").null().end_array().member_bool("d", true).member_null("e").end_object();
    EXPECT_EQ(writer.text(), R"({"a":"x","b":-7,"c":[1,{},[],{},null],"d":true,"e":null})");
}

TEST(JsonWriter, StartsAnewAfterItsTextWasTaken) {
    Writer writer;
    writer.begin_array().number(1).end_array();
    EXPECT_EQ(writer.take(), "[1]");
    EXPECT_EQ(writer.boolean(false).take(), "false");
}

TEST(JsonWriter, EscapesWhatJsonCannotHold) {
    EXPECT_EQ(Writer().string("a\"b\\c\n\r\t\x01\x1f\x7f/"sv).take(), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f/\"");
    EXPECT_EQ(Writer().string("\0"sv).take(), R"("\u0000")");
}

TEST(JsonWriter, EscapesEveryByteWhereverItStands) {
    for (int byte = 0; byte < 0x80; ++byte) {
        std::string alone;
        append_escaped(alone, std::string(1, static_cast<char>(byte)));
        const bool plain = byte >= 0x20 && byte != '"' && byte != '\\';
        EXPECT_EQ(alone.size() == 1, plain) << byte;
        for (std::size_t at = 0; at < 20; ++at) {
            std::string text(20, 'x'), expected(20, 'x'), escaped;
            text[at] = static_cast<char>(byte);
            append_escaped(escaped, text);
            EXPECT_EQ(escaped, expected.replace(at, 1, alone)) << byte << " at " << at;
        }
    }
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
    EXPECT_EQ(Writer().string("a\xff\xc3\xa9\xc3z\xe2\x82").take(), "\"a\uFFFD\u00e9\uFFFDz\uFFFD\uFFFD\"");
    EXPECT_EQ(Writer().begin_object().member("\xff", "").end_object().take(), "{\"\uFFFD\":\"\"}");
}

TEST(JsonWriter, WritesAnyBytesSoThatTheyCanBeReadBack) {
    std::string all;
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) all.append({static_cast<char>(first), static_cast<char>(second)});
    }
    EXPECT_TRUE(parse(Writer().string(all).take()));
}

TEST(JsonWriter, WritesDoublesThatAreReadBackAsTheSame) {
    for (const double number : {0.0, 1.0, -1.5, 0.1, 1e300, 5e-324, 123456789.0, 1e20}) {
        const auto text = Writer().real(number).take();
        const auto value = parse(text);
        ASSERT_TRUE(value && value->as_double() != nullptr) << text;
        EXPECT_EQ(*value->as_double(), number) << text;
    }
}

TEST(JsonWriter, WritesNullForWhatIsNoNumber) {
    EXPECT_EQ(Writer().real(std::numeric_limits<double>::infinity()).take(), "null");
    EXPECT_EQ(Writer().begin_array().number(1).real(std::numeric_limits<double>::quiet_NaN()).end_array().take(),
              "[1,null]");
}

}  // namespace
}  // namespace procsup::json
