#include "daemon/configurations.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// Configurations of one job, told apart by its description.
struct Times {
    void apply(const std::string& text, bool changed = true) {
        JobSpec spec;
        spec.description = text;
        configurations.applied({std::make_shared<const JobSpec>(spec)}, now += 1s, changed);
    }
    std::string in_force() const { return configurations.in_force().jobs.front()->description; }

    Configurations configurations;
    TimePoint now{};
};

TEST(Configurations, HaveNothingBeforeTheFirst) {
    Times times;
    EXPECT_EQ(times.configurations.before(), nullptr);
    times.apply("first");
    EXPECT_EQ(times.configurations.before(), nullptr);
    EXPECT_FALSE(times.configurations.rolled_back());
}

TEST(Configurations, GoBackOneAfterTheOther) {
    Times times;
    for (const char* text : {"a", "b", "c"}) times.apply(text);
    times.configurations.went_back();
    EXPECT_EQ(times.in_force(), "b");
    EXPECT_EQ(times.configurations.in_force().since, TimePoint(2s));
    EXPECT_TRUE(times.configurations.rolled_back());
    times.configurations.went_back();
    EXPECT_EQ(times.in_force(), "a");
    EXPECT_EQ(times.configurations.before(), nullptr);
}

TEST(Configurations, GoBackToWhatWasInForceBeforeTheLastApply) {
    Times times;
    for (const char* text : {"a", "b"}) times.apply(text);
    times.configurations.went_back();
    times.apply("b");
    EXPECT_FALSE(times.configurations.rolled_back());
    times.configurations.went_back();
    EXPECT_EQ(times.in_force(), "a");
}

TEST(Configurations, DoNotCountAnApplyThatChangesNothing) {
    Times times;
    for (const char* text : {"a", "b"}) times.apply(text);
    times.apply("b, some lines below", false);
    EXPECT_EQ(times.configurations.in_force().since, TimePoint(2s));
    EXPECT_EQ(times.in_force(), "b, some lines below");
    times.configurations.went_back();
    EXPECT_EQ(times.in_force(), "a");
}

TEST(Configurations, ThatOnlyTakesEffectNowIsNoneOfItsOwn) {
    Times times;
    for (const char* text : {"a", "b"}) times.apply(text);
    times.configurations.applied(times.configurations.in_force().jobs, times.now += 1s, true);
    times.configurations.went_back();
    EXPECT_EQ(times.in_force(), "a");
}

TEST(Configurations, KeepAFew) {
    Times times;
    for (std::size_t i = 0; i <= Configurations::kMostKept + 3; ++i) times.apply(std::to_string(i));
    EXPECT_EQ(times.configurations.kept(), Configurations::kMostKept);
    while (times.configurations.before() != nullptr) times.configurations.went_back();
    EXPECT_EQ(times.in_force(), "3");
}

}  // namespace
}  // namespace procsup
