#include "conf/command_line.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

using Words = std::vector<std::string>;

TEST(CommandLine, IsSplitByTheQuotingRulesOfTheShell) {
    struct Case {
        const char* line;
        Words words;
    };
    const Case cases[] = {
        {"a b\tc\n d", {"a", "b", "c", "d"}},
        {"", {}},
        {"'' \"\"", {"", ""}},
        {"'a b' \"c d\"e", {"a b", "c de"}},
        {"a\\ b \\'", {"a b", "'"}},
        {"'a\\b'", {"a\\b"}},
        {R"("a\b \" \\ \$x")", {R"(a\b " \ $x)"}},
        {"a\\\nb", {"ab"}},
        {"'$HOME' '|' '*'", {"$HOME", "|", "*"}},
        {"$ a$ \"$\" 5%", {"$", "a$", "$", "5%"}},
        {"${job:port} '${env:A}' \"x${job:name}y\"", {"${job:port}", "${env:A}", "x${job:name}y"}},
        {"$${job:port} '${HOME}' \\${HOME}", {"$${job:port}", "${HOME}", "$${HOME}"}},
        {"a~ --x=~/y", {"a~", "--x=~/y"}},
    };
    for (const auto& expected : cases) {
        const auto words = split_command_line(expected.line);
        ASSERT_TRUE(words) << expected.line << ": " << words.error().message;
        EXPECT_EQ(*words, expected.words) << expected.line;
    }
}

TEST(CommandLine, RefusesWhatOnlyAShellCanDo) {
    for (const char* line : {"a | b", "a > b", "a < b", "a; b", "a & b", "a `b`", "\"`b`\"", "$HOME", "\"$HOME\"",
                             "${HOME}", "$(b)", "a $1", "~/bin/a", "a ~", "'a", "\"a", "a\\"}) {
        EXPECT_FALSE(split_command_line(line)) << line;
    }
}

}  // namespace
}  // namespace procsup
