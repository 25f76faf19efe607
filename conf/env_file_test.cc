#include "conf/env_file.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

TEST(EnvFile, ReadsKeysAndValues) {
    const auto parsed = parse_env_file(
        "# comment\n; too\n\nA=1\r\n  B = two words \nC='single \\n $x'\nD=\"q \\\" \\\\ "
        "\\n\"\nE=\nF=a#b\nG=a=b\nH='x'");
    const auto& settings = std::get<0>(parsed);
    const std::vector<std::pair<std::string, std::string>> expected{
        {"A", "1"}, {"B", "two words"}, {"C", "single \\n $x"}, {"D", "q \" \\ \\n"},
        {"E", ""},  {"F", "a#b"},       {"G", "a=b"},           {"H", "x"}};
    ASSERT_EQ(settings.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(settings[i].name, expected[i].first);
        EXPECT_EQ(settings[i].value, expected[i].second);
    }
}

TEST(EnvFile, RefusesLinesThatAreNoSettings) {
    for (const char* text : {"A", "=b", "A='x", "A=\"x\\\"", "A='x' y", "A B=c", "A=\xFF", "export A=b"}) {
        EXPECT_EQ(parse_env_file(text).index(), 1u) << text;
    }
}

}  // namespace
}  // namespace procsup
