#include "ctl/output.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

TEST(Colors, AreForTerminalsThatHaveThem) {
    EXPECT_TRUE(wants_color(ColorChoice::Auto, true, nullptr, "xterm"));
    EXPECT_TRUE(wants_color(ColorChoice::Auto, true, "", "xterm"));
    EXPECT_FALSE(wants_color(ColorChoice::Auto, false, nullptr, "xterm"));
    EXPECT_FALSE(wants_color(ColorChoice::Auto, true, "1", "xterm"));
    EXPECT_FALSE(wants_color(ColorChoice::Auto, true, nullptr, "dumb"));
    EXPECT_FALSE(wants_color(ColorChoice::Auto, true, nullptr, nullptr));
}

TEST(Colors, FollowAnExplicitChoice) {
    EXPECT_TRUE(wants_color(ColorChoice::Always, false, "1", "dumb"));
    EXPECT_FALSE(wants_color(ColorChoice::Never, true, nullptr, "xterm"));
}

TEST(Output, KeepsNotesBackWhenQuiet) {
    Output quiet(ColorChoice::Never, true);
    quiet.note("left out");
    quiet.line("kept");
    EXPECT_EQ(quiet.gathered(), "kept\n");
    quiet.gathered().clear();
}

}  // namespace
}  // namespace procsup::ctl
