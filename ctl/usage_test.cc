#include "ctl/usage.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

json::Value reply(const std::string& text) {
    auto value = json::parse(text);
    EXPECT_TRUE(value);
    return std::move(*value);
}

TEST(BytesText, IsShort) {
    EXPECT_EQ(bytes_text(0), "0B");
    EXPECT_EQ(bytes_text(1023), "1023B");
    EXPECT_EQ(bytes_text(1024), "1.0K");
    EXPECT_EQ(bytes_text(1536 << 20), "1.5G");
    EXPECT_EQ(bytes_text(104 << 20), "104M");
    EXPECT_EQ(bytes_text((std::int64_t{1} << 30) - 1), "1.0G");
}

TEST(UsageTable, HasNoShareBeforeTheSecondAnswer) {
    UsageTable table;
    table.take(reply(R"({"timeUSec":1000000,"usages":[{"name":"web","cpuUSec":500000,"memory":2048,"tasks":3}]})"));
    EXPECT_EQ(table.text(9),
              "INSTANCE  TASKS  CPU%  CPU    MEM   PEAK\n"
              "web       3      -     500ms  2.0K  -\n");
}

TEST(UsageTable, BeginsWithThoseThatUseMost) {
    UsageTable table;
    table.take(reply(R"({"timeUSec":1000000,"usages":[{"name":"a","cpuUSec":0},{"name":"b","cpuUSec":0},
        {"name":"again","cpuUSec":900}]})"));
    table.take(reply(R"({"timeUSec":3000000,"usages":[{"name":"a","cpuUSec":1000000},{"name":"b","cpuUSec":3000000},
        {"name":"again","cpuUSec":1},{"name":"new"}]})"));
    const auto text = table.text(9);
    const auto b = text.find("b  "), a = text.find("\na  "), again = text.find("again"), fresh = text.find("new");
    EXPECT_NE(text.find("150.0"), std::string::npos) << text;
    EXPECT_NE(text.find("50.0"), std::string::npos) << text;
    EXPECT_LT(b, a) << text;
    EXPECT_LT(a, again) << "of another run nothing is known: " << text;
    EXPECT_LT(again, fresh) << text;
    EXPECT_EQ(table.text(1).find("again"), std::string::npos);
}

TEST(UsageTable, SaysWhyNotAllIsKnown) {
    UsageTable table;
    table.take(reply(R"({"timeUSec":1,"usages":[{"name":"web"}],"problem":"no\u001b"})"));
    EXPECT_NE(table.text(9).find("\nnot all is known: no\\x1b\n"), std::string::npos) << table.text(9);
    table.take(reply(R"({"timeUSec":2,"usages":[{"name":"web"}]})"));
    EXPECT_EQ(table.text(9).find("known"), std::string::npos);
}

}  // namespace
}  // namespace procsup::ctl
