#include "ctl/metrics_text.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

json::Value parsed(std::string_view text) {
    auto value = json::parse(text);
    EXPECT_TRUE(value) << text;
    return value ? std::move(*value) : json::Value();
}

TEST(MetricsText, HasTheFamiliesOfSeveralAnswersInOnePlace) {
    const auto first = parsed(R"json({"families":[
        {"name":"up","type":"gauge","help":"1 while it does.","samples":[{"labels":{"name":"a"},"value":1.0}]},
        {"name":"starts_total","type":"counter","help":"Starts","samples":[{"labels":{"name":"a"},"value":3}]}],"next":1})json");
    const auto second = parsed(R"json({"families":[
        {"name":"up","type":"gauge","help":"1 while it does.","samples":[{"labels":{"name":"b"},"value":0.25}]}]})json");
    MetricFamilies families;
    families.add(first);
    families.add(second);
    EXPECT_EQ(families.text(),
              "# HELP up 1 while it does.\n# TYPE up gauge\nup{name=\"a\"} 1\nup{name=\"b\"} 0.25\n"
              "# HELP starts_total Starts\n# TYPE starts_total counter\nstarts_total{name=\"a\"} 3\n");
    EXPECT_EQ(parsed(families.json()).find("families")->as_array()->size(), 2u);
}

TEST(MetricsText, HasALineForEachStateOfASet) {
    const auto answer =
        parsed(R"json({"families":[{"name":"job_state","type":"stateset","help":"h","states":["on","off"],
        "samples":[{"labels":{"name":"a"},"state":"off"},{"labels":{},"state":"on"}]}]})json");
    MetricFamilies families;
    families.add(answer);
    EXPECT_EQ(families.text(),
              "# HELP job_state h\n# TYPE job_state gauge\n"
              "job_state{name=\"a\",state=\"on\"} 0\njob_state{name=\"a\",state=\"off\"} 1\n"
              "job_state{state=\"on\"} 1\njob_state{state=\"off\"} 0\n");
}

TEST(MetricsText, LetsNothingBreakOutOfItsLine) {
    const auto answer = parsed(R"json({"families":[
        {"name":"bad name","type":"gauge","help":"h","samples":[{"labels":{},"value":1}]},
        {"name":"good","type":"gauge","help":"a\nb\\c","samples":[{"labels":{"v":"q\"\n\\","n{":"x","w":"y"}},{"labels":[]}]},
        {"name":"none","type":"gauge","help":"h","samples":[]}]})json");
    MetricFamilies families;
    families.add(answer);
    EXPECT_EQ(families.text(),
              "# HELP good a\\nb\\\\c\n# TYPE good gauge\ngood{v=\"q\\\"\\n\\\\\",w=\"y\"} NaN\ngood NaN\n");
}

}  // namespace
}  // namespace procsup::ctl
