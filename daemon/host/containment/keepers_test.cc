#include "daemon/host/containment/keepers.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/keeper/protocol.h"
#include "daemon/loop/sd_event_loop.h"

namespace procsup {
namespace {

/// The test is the keeper: it has the other end of the socket.
class KeepersTest : public testing::Test {
protected:
    std::unique_ptr<Tree> enclose(Enclosure& enclosure) {
        return std::move(*keepers->enclose(InstanceName{"job", "job", 0, {}}, {}, 7, enclosure));
    }

    /// What the keeper has been ordered; {0, 0} when there is nothing. `fds`: how many descriptors came with it.
    static keeper::Order next_order(const Enclosure& enclosure, int* fds = nullptr) {
        keeper::Order order{};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        iovec part{&order, sizeof(order)};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        EXPECT_NE(recvmsg(enclosure.keeper_socket.get(), &message, MSG_DONTWAIT), 0);
        const cmsghdr* header = CMSG_FIRSTHDR(&message);
        if (fds != nullptr) *fds = header != nullptr ? 1 : 0;
        if (header != nullptr) close(*reinterpret_cast<const int*>(CMSG_DATA(header)));
        return order;
    }

    static void report(const Enclosure& enclosure, keeper::Kind kind, int signal, std::uint32_t orphans) {
        keeper::Report report{};
        report.kind = kind;
        report.code = CLD_KILLED;
        report.status = signal;
        report.orphans = orphans;
        report.empty = kind == keeper::Kind::Empty;
        EXPECT_EQ(send(enclosure.keeper_socket.get(), &report, sizeof(report), 0), ssize_t{sizeof(report)});
    }

    struct Told : TreeObserver {
        NextMain next_main(Incarnation) override { return next; }
        void goes_on(Incarnation, pid_t main) override { mains.push_back(main); }
        void main_ended(Incarnation incarnation, ExitStatus status, Duration, bool empty) override {
            ends.push_back(std::to_string(incarnation) + " " + to_text(status) + (empty ? ", empty" : ""));
        }
        void orphans_collected(Incarnation, Orphaned more) override { orphans += more.count; }
        void former_mains_collected(Incarnation, Orphaned) override {}
        void look_at_leftovers() override { ++looks; }
        NextMain next;
        std::vector<pid_t> mains;
        std::vector<std::string> ends;
        std::uint64_t orphans = 0;
        int looks = 0;
    };

    std::unique_ptr<SdEventLoop> loop = std::move(*SdEventLoop::create());
    Told told;
    std::unique_ptr<Containment> keepers = contain_by_keepers("/keeper", "not wanted", *loop, told);
};

TEST_F(KeepersTest, AreHeardWhenTheyEndWithOrdersThatTheyHaveNotRead) {
    Enclosure enclosure;
    const auto tree = enclose(enclosure);
    tree->signal_main(SIGTERM);
    tree->signal_main(SIGCONT);
    report(enclosure, keeper::Kind::MainEnded, SIGTERM, 0);
    report(enclosure, keeper::Kind::Empty, 0, 3);
    enclosure.keeper_socket.reset();
    tree->child_ended(true);
    EXPECT_EQ(told.ends, std::vector<std::string>{"7 killed by SIGTERM"});
    EXPECT_EQ(told.orphans, 3u);
    EXPECT_EQ(told.looks, 1);
    EXPECT_TRUE(tree->is_empty());
}

TEST_F(KeepersTest, AreToldWhatToGoOnWith) {
    Enclosure enclosure;
    const auto tree = enclose(enclosure);
    const Fd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
    told.next = {getpid(), self.get()};
    tree->may_go_on();
    EXPECT_EQ(next_order(enclosure).op, keeper::Op::AskAtEnd);
    report(enclosure, keeper::Kind::MainAtEnd, SIGTERM, 0);
    report(enclosure, keeper::Kind::GoesOn, 5, 1);
    tree->child_ended(true);
    int fds = 0;
    const auto answer = next_order(enclosure, &fds);
    EXPECT_EQ(answer.op, keeper::Op::GoOnWith);
    EXPECT_EQ(answer.signal, getpid());
    EXPECT_EQ(fds, 1);
    EXPECT_EQ(told.mains, std::vector<pid_t>{5});
    EXPECT_TRUE(told.ends.empty());
}

TEST_F(KeepersTest, GetTheAnswerThatTheyWaitForWhenThereIsRoomForIt) {
    Enclosure enclosure;
    const auto tree = enclose(enclosure);
    constexpr int kMore = 10000;  // than the socket takes
    for (int i = 0; i < kMore; ++i) tree->signal_main(SIGCONT);
    report(enclosure, keeper::Kind::MainAtEnd, SIGTERM, 0);
    int orders = 0;
    const auto turns = loop->call_each_turn(Priority::Idle, [&] {
        auto order = next_order(enclosure);
        for (; order.op == keeper::Op::SignalMain; ++orders) order = next_order(enclosure);
        if (order.op == keeper::Op::GoOnWith) loop->end(0);
    });
    const auto deadline = loop->call_at(loop->now() + std::chrono::seconds(20), [&] { loop->end(1); });
    const auto end = loop->run();
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(*end, 0);
    EXPECT_GT(orders, 0);
    EXPECT_LT(orders, kMore);
}

TEST_F(KeepersTest, ThatWereKilledHaveSaidNothing) {
    Enclosure enclosure;
    const auto tree = enclose(enclosure);
    tree->signal_all(SIGTERM);
    enclosure.keeper_socket.reset();
    tree->child_ended(true);
    EXPECT_TRUE(told.ends.empty());
    EXPECT_FALSE(tree->is_empty());
}

}  // namespace
}  // namespace procsup
