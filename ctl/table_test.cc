#include "ctl/table.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
    Table table;
    table.add("  ", {"JOB", "STATE", "DETAIL"});
    table.add("* ", {"web", "running", ""});
    table.add("x ", {"mailer", "failed", "exit 78"});
    EXPECT_EQ(table.text(),
              "  JOB     STATE    DETAIL\n"
              "* web     running\n"
              "x mailer  failed   exit 78\n");
}

TEST(Table, CountsCharactersNotBytesOrColours) {
    Table table;
    table.add("", {"jörg", "1"});
    table.add("", {{"\x1b[32mabcde\x1b[0m", 5}, "2"});
    EXPECT_EQ(table.text(), "jörg   1\n\x1b[32mabcde\x1b[0m  2\n");
}

}  // namespace
}  // namespace procsup::ctl
