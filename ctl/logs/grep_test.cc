#include "ctl/logs/grep.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

bool can_skip(std::string_view expression) { return Grep::compile(expression)->can_skip(); }

TEST(Grep, KnowsPerlsAndExtendedExpressions) {
    EXPECT_TRUE(Grep::compile("a{2}|b+$")->matches("xaay"));
    EXPECT_TRUE(Grep::compile("[[:digit:]]+ms")->matches("took 17ms"));
    EXPECT_TRUE(Grep::compile("(?i)error")->matches("ERROR"));
    EXPECT_FALSE(Grep::compile("^b")->matches("ab"));
}

TEST(Grep, MatchesCharactersWhereThereAreSome) {
    EXPECT_TRUE(Grep::compile("gr[üö]n")->matches("gr\xc3\xbcn"));
    EXPECT_FALSE(Grep::compile("gr[üö]n")->matches("gr\xc3n"));
    EXPECT_TRUE(Grep::compile("ü")->matches("\xff\xfe \xc3\xbc"));
}

TEST(Grep, SaysWhatIsWrong) {
    const auto wrong = Grep::compile("a(b");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message, "in 'a(b' behind 3 characters: missing closing parenthesis");
}

TEST(Grep, SkipsOnlyForWhatDependsOnNothingElse) {
    for (const char* expression : {"GET", "a|b", "\\d+ms", "x.*y", "a\\.b", "[a-z]+", "(?i)x"}) {
        EXPECT_TRUE(can_skip(expression)) << expression;
    }
    for (const char* expression : {"^GET", "[^a]", "\\s", "(?<=a)b", "\\Aa", "\\n", "[[:space:]]"}) {
        EXPECT_FALSE(can_skip(expression)) << expression;
    }
}

TEST(Grep, FindsWhereALineMayMatch) {
    EXPECT_EQ(Grep::compile("b")->find("aaa\nbbb\n"), 4u);
    EXPECT_EQ(Grep::compile("c")->find("aaa\nbbb\n"), std::nullopt);
}

TEST(Grep, EndsASearchThatWouldTakeForEver) {
    EXPECT_FALSE(Grep::compile("(a*)*b$")->matches(std::string(5000, 'a') + "c"));
}

}  // namespace
}  // namespace procsup::ctl
