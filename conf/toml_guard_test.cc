#include "conf/toml_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace procsup {
namespace {

std::string repeated(const std::string& part, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += part;
    return text;
}

TEST(TomlGuard, RefusesBombs) {
    for (const auto& text :
         {"a = " + repeated("[", 1 << 20), "a = " + repeated("{a=", 1 << 20), repeated("[", 17),
          "[" + repeated("a.", 1 << 20) + "a]", repeated("a.", 1 << 20) + "a = 1",
          "a = 'x' # [\n" + repeated("\"a\".", 100) + "a = 1", "a = '''x''''\nb = " + repeated("[", 20)}) {
        const auto fault = check_text(text);
        ASSERT_TRUE(fault) << text.substr(0, 20);
        EXPECT_EQ(fault->message, "nested more than 16 levels deep");
    }
}

TEST(TomlGuard, CountsNothingInStringsAndComments) {
    const std::string brackets = repeated("[{.", 100);
    for (const auto& text :
         {"# " + brackets + "\na = 1", "a = '" + brackets + "'", "a = \"\\\"" + brackets + "\"",
          "a = '''\n" + brackets + "'''", "a = \"\"\"\\\"\"\"" + brackets + "\"\"\"", repeated("a = [1.5, 2.5]\n", 100),
          repeated("[a.b]\n", 100), "a = [" + repeated("1.5,", 100) + "]"}) {
        EXPECT_FALSE(check_text(text)) << text;
    }
}

TEST(TomlGuard, RefusesWhatIsNoText) {
    const auto latin = check_text("a = 1\nb = 'x\xE4'");
    ASSERT_TRUE(latin);
    EXPECT_EQ(latin->message, "not UTF-8");
    EXPECT_EQ(latin->position.line, 2u);
    EXPECT_EQ(latin->position.column, 7u);
    const auto nul = check_text(std::string("a\0b", 3));
    ASSERT_TRUE(nul);
    EXPECT_EQ(nul->position.column, 2u);
}

}  // namespace
}  // namespace procsup
