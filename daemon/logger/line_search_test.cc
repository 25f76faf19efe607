#include "daemon/logger/line_search.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/logger/clock.h"

namespace procsup::logger {
namespace {

using Found = LineSearch::Found;

/// Searches one line in as many turns as it takes.
class LineSearchTest : public testing::Test {
protected:
    Found search(LineSearch& search, std::string_view line) {
        ++line_;
        for (;;) {
            SearchTurn turn(turn_);
            const auto found = search.search(line, line_, room_, turn);
            ++turns_;
            longest_ = std::max(longest_, clock_usec(CLOCK_THREAD_CPUTIME_ID) - turn.cpu_begin);
            if (found != Found::Later) return found;
        }
    }
    Found search(std::string_view expression, std::string_view line) {
        auto compiled = LineSearch::compile(expression);
        return search(*compiled, line);
    }

    SearchRoom room_;
    std::uint64_t line_ = 0;
    int turns_ = 0;
    std::int64_t turn_ = 1000;
    std::int64_t longest_ = 0;
};

TEST_F(LineSearchTest, FindsTextAndExpressions) {
    EXPECT_EQ(search("ready to accept", "LOG:  database system is ready to accept connections"), Found::Yes);
    EXPECT_EQ(search("ready to accept", "LOG:  database system is starting up"), Found::No);
    EXPECT_EQ(search("^listening on .*:\\d+$", "listening on 127.0.0.1:80"), Found::Yes);
    EXPECT_EQ(search("^listening on .*:\\d+$", "not listening on 127.0.0.1:80"), Found::No);
    EXPECT_EQ(search("(?i)READY|up", "it is uP"), Found::Yes);
}

TEST_F(LineSearchTest, LinesAreOfAnyBytes) {
    using namespace std::literals;
    EXPECT_EQ(search("re.dy",
                     "\0\xff\xfe"
                     "re\xff"
                     "dy"sv),
              Found::Yes);
    EXPECT_EQ(search("bereit für \\w", "\xff\0\xc3 bereit für x\xff"sv), Found::Yes);
    EXPECT_EQ(search("für",
                     "f\xc3"
                     "r"),
              Found::No);
    EXPECT_EQ(search("a\\x00b", "a\0b"sv), Found::Yes);
    EXPECT_EQ(search("^$", ""), Found::Yes);
    EXPECT_EQ(search("", ""), Found::Yes);
}

TEST_F(LineSearchTest, LeavesOffWhatTakesLongAndFindsItLater) {
    turn_ = 100;
    // At each of its 3,000 places a search takes ten steps and more.
    const auto line = std::string(3'000, 'a') + "ready";
    auto found = LineSearch::compile("a{1,10}[xy]|ready");
    EXPECT_EQ(search(*found, line), Found::Yes);
    EXPECT_GT(turns_, 1);
    auto with_characters = LineSearch::compile("a{1,10}[xyü]|ready");
    turns_ = 0;
    EXPECT_EQ(search(*with_characters, "\xff\xc3" + line), Found::Yes);
    EXPECT_GT(turns_, 1);
}

TEST_F(LineSearchTest, GivesUpALineAndNobodyWaitsLong) {
    for (const char* expression : {"(a+)+$", "a*a*[xy]", "a*a*a*[xy]", "(?:a*?a*+|a)*[cd]", "(a|b|ab)*[xy]",
                                   "(a*)\\1[cd]", "(?s).*.*.*[xy]", "(?:a|b|ü)*[xy]"}) {
        longest_ = 0;
        auto compiled = LineSearch::compile(expression);
        EXPECT_EQ(search(*compiled, std::string(65536, 'a') + "b"), Found::GivenUp) << expression;
        EXPECT_LT(longest_, 50'000) << expression;
        EXPECT_TRUE(compiled->is_to_be_told());
        EXPECT_FALSE(compiled->is_to_be_told()) << "once";
        EXPECT_NE(search(*compiled, "ready"), Found::GivenUp) << "of the next line nothing is known";
    }
}

TEST_F(LineSearchTest, SpendsLessOnLinesWhenMuchWasWasted) {
    auto compiled = LineSearch::compile("a*a*[bc]|ready");
    const std::string line(16'000, 'a');
    const auto begin = clock_usec(CLOCK_THREAD_CPUTIME_ID);
    int lines = 0;
    do {
        turns_ = 0;
        ASSERT_EQ(search(*compiled, line), Found::GivenUp);
        ASSERT_LT(++lines, 1000);
    } while (turns_ > 1);
    EXPECT_GE(clock_usec(CLOCK_THREAD_CPUTIME_ID) - begin, LineSearch::kMostWasted);
    EXPECT_EQ(search(*compiled, "it is ready"), Found::Yes);
}

}  // namespace
}  // namespace procsup::logger
