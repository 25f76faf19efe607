#include "daemon/host/timer_queue.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

using namespace std::chrono_literals;

struct Clockwork {
    std::unique_ptr<SdEventLoop> loop = std::move(*SdEventLoop::create());
    std::vector<std::string> fired;
    TimerQueue queue{*loop, [this](InstanceId id, TimerKind, std::uint32_t generation) {
                         fired.push_back(std::to_string(id) + "/" + std::to_string(generation));
                         if (fired.size() == expected) loop->end(0);
                     }};
    std::size_t expected = 0;

    void run(std::size_t count) {
        expected = count;
        queue.settle();
        loop->set_after_callback([this] { queue.settle(); });
        const auto guard = loop->call_at(loop->now() + 10s, [this] { loop->end(1); });
        EXPECT_EQ(*loop->run(), 0) << "a timer did not fire";
    }
};

TEST(TimerQueue, FiresInTheOrderOfTheDeadlines) {
    Clockwork clock;
    const auto now = clock.loop->now();
    clock.queue.arm(1, TimerKind::Backoff, 7, now + 3ms);
    clock.queue.arm(2, TimerKind::Backoff, 8, now + 1ms);
    clock.queue.arm(3, TimerKind::Backoff, 9, now + 2ms);
    clock.run(3);
    EXPECT_EQ(clock.fired, (std::vector<std::string>{"2/8", "3/9", "1/7"}));
}

TEST(TimerQueue, NeverFiresWhatWasDisarmedOrReplaced) {
    Clockwork clock;
    const auto now = clock.loop->now();
    clock.queue.arm(1, TimerKind::Backoff, 1, now + 1ms);
    clock.queue.arm(1, TimerKind::Backoff, 2, now + 4ms);
    clock.queue.arm(2, TimerKind::StopTimeout, 3, now + 1ms);
    clock.queue.disarm(2, TimerKind::StopTimeout);
    clock.run(1);
    EXPECT_EQ(clock.fired, std::vector<std::string>{"1/2"});
}

TEST(TimerQueue, FiresWhatIsDueAlready) {
    Clockwork clock;
    clock.queue.arm(1, TimerKind::Backoff, 1, clock.loop->now() - 1s);
    clock.run(1);
    EXPECT_EQ(clock.fired, std::vector<std::string>{"1/1"});
}

}  // namespace
}  // namespace procsup
