#include "ctl/help.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "ctl/completion.h"

namespace procsup::ctl {
namespace {

std::string contents(const std::string& path) {
    std::ifstream file(std::string(PROCSUP_SOURCE_DIR "/") + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(VerbTable, NamesEveryVerbOnce) {
    std::set<std::string_view> names;
    for (const Verb& verb : verbs()) EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
}

TEST(VerbTable, GivesNoVerbAnOptionThatAllHave) {
    for (const Verb& verb : verbs()) EXPECT_EQ(verb.options & kGlobalOptions, 0u) << verb.name;
}

TEST(Help, ShowsEveryVerbThatIsNotHidden) {
    const std::string text = overview_text();
    for (const Verb& verb : verbs()) {
        const bool shown = text.find("\n  " + std::string(verb.name) + " ") != std::string::npos;
        EXPECT_EQ(shown, verb.group != VerbGroup::Hidden) << verb.name;
    }
}

TEST(Help, ShowsAVerbsOwnOptions) {
    const std::string text = verb_text(*find_verb("wait"));
    EXPECT_NE(text.find("Usage: procsupctl wait [--for=WHAT] JOB…"), std::string::npos);
    EXPECT_NE(text.find("--for=WHAT"), std::string::npos);
    EXPECT_EQ(text.find("--detach"), std::string::npos);
}

TEST(Manual, ContainsTheTableOfVerbsAsItIs) {
    const std::string manual = contents("packaging/man/procsupctl.1.scd");
    EXPECT_NE(manual.find(manual_text()), std::string::npos)
        << "packaging/man/procsupctl.1.scd is older than the table of verbs: replace what stands between its marks by "
           "the output of `procsupctl __man`";
}

TEST(Completion, PrintsTheInstalledScripts) {
    EXPECT_EQ(completion_script("bash"), contents("packaging/completion/procsupctl.bash"));
    EXPECT_EQ(completion_script("zsh"), contents("packaging/completion/_procsupctl"));
    EXPECT_EQ(completion_script("fish"), contents("packaging/completion/procsupctl.fish"));
    for (const auto shell : kShells) EXPECT_FALSE(completion_script(shell).empty()) << shell;
}

}  // namespace
}  // namespace procsup::ctl
