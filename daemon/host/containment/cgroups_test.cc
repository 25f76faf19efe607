#include "daemon/host/containment/cgroups.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/loop/sd_event_loop.h"

namespace procsup {
namespace {

/// Groups of a test's own, where they are permitted; elsewhere the reason is all there is to look at.
class CgroupsTest : public testing::Test {
protected:
    void SetUp() override {
        auto made = contain_by_cgroups({"/tmp/test-" + std::to_string(getpid()), false}, *loop, observer);
        if (made) {
            groups = std::move(*made);
        } else {
            EXPECT_NE(geteuid(), 0u) << made.error().message;
        }
    }

    std::unique_ptr<Tree> enclose(const std::string& name, Enclosure& enclosure) {
        auto tree = groups->enclose(InstanceName{name, name, 0, {}}, {}, 1, enclosure);
        EXPECT_TRUE(tree.has_value());
        return std::move(*tree);
    }

    /// A process in the group, which sleeps.
    static pid_t join(const Enclosure& enclosure) {
        const pid_t pid = fork();
        if (pid == 0) {
            const int members = openat(enclosure.cgroup.get(), "cgroup.procs", O_WRONLY);
            if (write(members, "0", 1) != 1) _exit(1);
            kill(getpid(), SIGSTOP);
            for (;;) pause();
        }
        int status = 0;
        EXPECT_EQ(waitpid(pid, &status, WUNTRACED), pid);
        EXPECT_TRUE(WIFSTOPPED(status));
        return pid;
    }

    static int end_of(pid_t pid) {
        int status = 0;
        EXPECT_EQ(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
    }

    std::unique_ptr<SdEventLoop> loop = std::move(*SdEventLoop::create());
    struct : TreeObserver {
        void main_ended(Incarnation, ExitStatus, Duration, bool) override {}
        void orphans_collected(Incarnation, Orphaned) override {}
        void former_mains_collected(Incarnation, Orphaned) override {}
        void look_at_leftovers() override {}
    } observer;
    std::unique_ptr<Containment> groups;
};

TEST_F(CgroupsTest, KnowWhoseAProcessIsAndEndIt) {
    if (!groups) return;
    Enclosure enclosure;
    const auto tree = enclose("web@eu", enclosure);
    EXPECT_TRUE(tree->is_empty());
    Enclosure other;
    const auto busy = enclose("db", other);
    const pid_t pid = join(other);
    EXPECT_EQ(groups->instance_of(pid), "db");
    EXPECT_EQ(groups->instance_of(getpid()), std::nullopt);
    EXPECT_FALSE(busy->is_empty());
    busy->kill();
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
    EXPECT_EQ(groups->instance_of(pid), "db") << "a zombie still says whose it was";
    EXPECT_TRUE(busy->is_empty());
    EXPECT_EQ(end_of(pid), SIGKILL);
}

TEST_F(CgroupsTest, KnowTheRunOfAZombieUnlessItCanBeOfTheRunBefore) {
    if (!groups) return;
    const auto begin = [&](Incarnation incarnation, Enclosure& enclosure) {
        return std::move(*groups->enclose(InstanceName{"web", "web", 0, {}}, {}, incarnation, enclosure));
    };
    Enclosure first, second;
    auto tree = begin(7, first);
    const pid_t left = join(first);
    EXPECT_EQ(groups->run_of(left), 7u);
    kill(left, SIGKILL);
    siginfo_t info{};
    waitid(P_PID, static_cast<id_t>(left), &info, WEXITED | WNOWAIT);
    tree.reset();
    EXPECT_EQ(groups->run_of(left), 7u) << "its run has just ended";
    tree = begin(8, second);
    EXPECT_EQ(groups->run_of(left), 0u);
    EXPECT_EQ(end_of(left), SIGKILL);
    groups->all_collected();
    const pid_t next = join(second);
    EXPECT_EQ(groups->run_of(next), 8u);
    tree->kill();
    EXPECT_EQ(end_of(next), SIGKILL);
}

TEST_F(CgroupsTest, AreOneDaemonsAlone) {
    if (!groups) return;
    const std::string base = "/tmp/test-" + std::to_string(getpid());
    const auto second = contain_by_cgroups({base, false}, *loop, observer);
    ASSERT_FALSE(second.has_value());
    EXPECT_TRUE(second.error().message.ends_with(" is in use by another procsupd")) << second.error().message;
    const auto one = contain_by_cgroups({base + "/a-b", false}, *loop, observer);
    const auto other = contain_by_cgroups({base + "/a/b", false}, *loop, observer);
    ASSERT_TRUE(one && other);
    EXPECT_NE((*one)->place("web"), (*other)->place("web"));
}

TEST_F(CgroupsTest, SignalAllReachesEveryProcess) {
    if (!groups) return;
    Enclosure enclosure;
    const auto tree = enclose("web", enclosure);
    const pid_t first = join(enclosure), second = join(enclosure);
    tree->signal_all(SIGTERM);
    tree->signal_all(SIGCONT);
    EXPECT_EQ(end_of(first), SIGTERM);
    EXPECT_EQ(end_of(second), SIGTERM);
    EXPECT_TRUE(tree->is_empty());
}

TEST_F(CgroupsTest, WhatWasLeftKeepsItsGroupAndItsName) {
    if (!groups) return;
    Enclosure enclosure, next;
    const auto left = enclose("web", enclosure);
    const pid_t pid = join(enclosure);
    const auto tree = enclose("web", next);
    EXPECT_EQ(groups->instance_of(pid), "web");
    tree->kill();
    EXPECT_FALSE(left->is_empty());
    left->kill();
    EXPECT_EQ(end_of(pid), SIGKILL);
}

TEST_F(CgroupsTest, RefuseAGroupThatSomeoneIsIn) {
    if (!groups) return;
    Enclosure enclosure, next;
    auto tree = enclose("web", enclosure);
    const pid_t pid = join(enclosure);
    tree.reset();
    const auto again = groups->enclose(InstanceName{"web", "web", 0, {}}, {}, 1, next);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().os_error, EBUSY);
    EXPECT_FALSE(groups->clear_leftovers());
    EXPECT_EQ(end_of(pid), SIGKILL);
    EXPECT_TRUE(groups->clear_leftovers());
}

}  // namespace
}  // namespace procsup
