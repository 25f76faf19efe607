#include "daemon/host/containment/keepers.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

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
        void main_ended(Incarnation incarnation, ExitStatus status, Duration, bool empty) override {
            ends.push_back(std::to_string(incarnation) + " " + to_text(status) + (empty ? ", empty" : ""));
        }
        void orphans_collected(Incarnation, Orphaned more) override { orphans += more.count; }
        void look_at_leftovers() override { ++looks; }
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
