#include "daemon/loop/sd_event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

#include "common/fd.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

struct Pipe {
    Pipe() {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        read_end.reset(ends[0]);
        write_end.reset(ends[1]);
        EXPECT_EQ(write(write_end.get(), "x", 1), 1);
    }
    Fd read_end, write_end;
};

TEST(SdEventLoop, ServesFactsBeforeRequests) {
    Pipe fact, request;
    auto loop = std::move(*SdEventLoop::create());
    std::string order;
    std::unique_ptr<Watch> first, second;
    second = loop->watch_fd(request.read_end.get(), EPOLLIN, Priority::Client, [&](std::uint32_t) {
        order += "request ";
        loop->end(0);
    });
    first = loop->watch_fd(fact.read_end.get(), EPOLLIN, Priority::Exit, [&](std::uint32_t) {
        order += "fact ";
        first->set_events(0);
    });
    EXPECT_EQ(*loop->run(), 0);
    EXPECT_EQ(order, "fact request ");
}

TEST(SdEventLoop, EndsInOrderWhenACallbackThrows) {
    Pipe pipe;
    auto loop = std::move(*SdEventLoop::create());
    std::string told;
    loop->set_on_failure([&](std::string_view what) { told = what; });
    const auto watch = loop->watch_fd(pipe.read_end.get(), EPOLLIN, Priority::Client,
                                      [](std::uint32_t) { throw std::runtime_error("broken"); });
    EXPECT_EQ(*loop->run(), EXIT_FAILURE);
    EXPECT_EQ(told, "fd: broken");
}

TEST(SdEventLoop, LetsACallbackDestroyItsOwnWatch) {
    Pipe pipe;
    auto loop = std::move(*SdEventLoop::create());
    std::unique_ptr<Watch> watch;
    int calls = 0;
    watch = loop->watch_fd(pipe.read_end.get(), EPOLLIN, Priority::Client, [&](std::uint32_t) {
        ++calls;
        watch.reset();
        ++calls;
    });
    const auto end = loop->call_at(loop->now() + 5ms, [&] { loop->end(0); });
    EXPECT_EQ(*loop->run(), 0);
    EXPECT_EQ(calls, 2);
}

TEST(SdEventLoop, CallsAStepEachTurnUntilItIsDestroyed) {
    auto loop = std::move(*SdEventLoop::create());
    int steps = 0;
    std::unique_ptr<Watch> step;
    step = loop->call_each_turn(Priority::Exit, [&] {
        if (++steps == 5) {
            step.reset();
            loop->end(0);
        }
    });
    EXPECT_EQ(*loop->run(), 0);
    EXPECT_EQ(steps, 5);
}

TEST(SdEventLoop, CallsTheHookAfterEachCallback) {
    Pipe pipe;
    auto loop = std::move(*SdEventLoop::create());
    std::string order;
    loop->set_after_callback([&] {
        order += "hook";
        loop->end(0);
    });
    const auto watch =
        loop->watch_fd(pipe.read_end.get(), EPOLLIN, Priority::Client, [&](std::uint32_t) { order += "callback "; });
    EXPECT_EQ(*loop->run(), 0);
    EXPECT_EQ(order, "callback hook");
}

}  // namespace
}  // namespace procsup
