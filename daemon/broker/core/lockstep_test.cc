#include "daemon/broker/core/lockstep.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace procsup::broker {
namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
    const char* text = getenv(name);
    return text != nullptr ? strtoull(text, nullptr, 10) : otherwise;
}

/// PROCSUP_BROKER_STEPS for more of them, PROCSUP_BROKER_SEED to see one again.
TEST(Lockstep, CoordinatorAndModelAgree) {
    const auto steps = number("PROCSUP_BROKER_STEPS", 100'000);
    const auto seed = number("PROCSUP_BROKER_SEED", std::random_device()());
    std::mt19937_64 random(seed);
    Lockstep::Seen seen;
    for (std::uint64_t done = 0; done < steps;) {
        Lockstep run([&](std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); });
        for (int i = 0; i < 500; ++i, ++done) ASSERT_EQ(run.step(), "") << "seed " << seed << ", step " << done;
        ASSERT_EQ(run.finish(), "") << "seed " << seed << ", step " << done;
        const auto& of_run = run.seen();
        seen.grants += of_run.grants;
        seen.handovers += of_run.handovers;
        seen.timeouts += of_run.timeouts;
        seen.deadlocks += of_run.deadlocks;
        seen.late_deadlocks += of_run.late_deadlocks;
        seen.abandoned += of_run.abandoned;
        seen.refusals += of_run.refusals;
    }
    for (const auto count : {seen.grants, seen.handovers, seen.timeouts, seen.deadlocks, seen.abandoned, seen.refusals})
        EXPECT_GT(count, steps / 1000);
    EXPECT_GT(seen.late_deadlocks, 0u);
}

}  // namespace
}  // namespace procsup::broker
