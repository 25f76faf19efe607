#include "common/regex.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

TEST(Regex, CanBeOfAnyBytes) {
    for (const char* expression : {"ready", "a{2}|b+$", "[[:digit:]]+ms", "(?i)error", "gr[üö]n", "(a+)+$", ""}) {
        EXPECT_EQ(regex_fault(expression), std::nullopt) << expression;
        EXPECT_TRUE(compile_regex(expression, Searches::AsLongAsAllowed)) << expression;
    }
}

TEST(Regex, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(regex_fault("a(b"), "missing closing parenthesis, behind 3 characters");
    EXPECT_EQ(regex_fault("ready **"), "quantifier does not follow a repeatable item, behind 7 characters");
    const auto wrong = compile_regex("a(b", Searches::ToTheirEnd);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message, "in 'a(b' behind 3 characters: missing closing parenthesis");
}

TEST(Regex, IsRefusedWhereItWouldTakeTooMuch) {
    EXPECT_EQ(regex_fault(std::string(2048, 'a')), std::nullopt);
    EXPECT_EQ(regex_fault(std::string(2049, 'a')), "is longer than 2048 bytes");
    EXPECT_NE(regex_fault(std::string(300, '(') + std::string(300, ')')), std::nullopt);
    EXPECT_NE(regex_fault("(?:(?:abcdefgh){1000}){1000}"), std::nullopt);
}

TEST(Regex, IsPlainTextWithoutAnythingThatMeansMore) {
    for (const char* text : {"ready to accept connections", "a=b, \"c\": #1 ü", ""}) EXPECT_TRUE(is_plain_text(text));
    for (const char* text : {"a.b", "^a", "a$", "a|b", "a?", "[a]", "(a)", "a{2}", "a\\b", "a\nb", "a\tb"}) {
        EXPECT_FALSE(is_plain_text(text)) << text;
    }
}

}  // namespace
}  // namespace procsup
