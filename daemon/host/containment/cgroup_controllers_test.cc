#include "daemon/host/containment/cgroup_controllers.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/fd.h"
#include "daemon/host/containment/cgroup_files.h"

namespace procsup {
namespace {

/// A directory with files as a cgroup has them.
class CgroupController : public ::testing::Test {
protected:
    CgroupController() {
        char name[] = "/tmp/cgroup-test-XXXXXX";
        path = mkdtemp(name);
        directory.reset(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    ~CgroupController() override { std::filesystem::remove_all(path); }

    void put(const std::string& name, const std::string& text) {
        std::filesystem::create_directories((path + "/" + name).substr(0, (path + "/" + name).rfind('/')));
        std::ofstream(path + "/" + name) << text;
    }
    std::string file(const std::string& name) const { return read_cgroup_file(directory.get(), name); }
    const std::string& fault(Controller controller) {
        faults = controller_faults(directory.get());
        return faults[static_cast<std::size_t>(controller)];
    }

    std::string path;
    Fd directory;
    ControllerFaults faults;
};

TEST_F(CgroupController, ThatIsNotDelegatedIsNamed) {
    put("cgroup.controllers", "cpuset memory pids\n");
    put("cgroup.subtree_control", "");
    put("cgroup.type", "domain\n");
    put("cgroup.procs", "");
    EXPECT_EQ(fault(Controller::Cpu), "the cpu controller is not delegated to procsupd");
    EXPECT_EQ(fault(Controller::Io), "the io controller is not delegated to procsupd");
    EXPECT_EQ(fault(Controller::Memory), "");
    EXPECT_EQ(fault(Controller::Pids), "");
}

TEST_F(CgroupController, CannotBeEnabledWhereOtherProcessesAreButInTheRoot) {
    put("cgroup.controllers", "memory pids\n");
    put("cgroup.subtree_control", "pids\n");
    put("cgroup.procs", std::to_string(getpid()) + "\n1\n");
    EXPECT_EQ(fault(Controller::Memory), "");
    put("cgroup.type", "domain\n");
    EXPECT_EQ(fault(Controller::Memory),
              "the memory controller cannot be enabled: other processes are in procsupd's cgroup");
    EXPECT_EQ(fault(Controller::Pids), "") << "it is enabled already";
    put("cgroup.procs", std::to_string(getpid()) + "\n");
    EXPECT_EQ(fault(Controller::Memory), "") << "procsupd goes aside";
}

TEST_F(CgroupController, IsEnabledInBothGroupsUnlessItIs) {
    put("jobs/cgroup.subtree_control", "");
    put("cgroup.subtree_control", "memory\n");
    const Fd jobs(open((path + "/jobs").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(enable_controller(jobs.get(), Controller::Memory));
    EXPECT_EQ(file("cgroup.subtree_control"), "memory\n");
    EXPECT_EQ(file("jobs/cgroup.subtree_control"), "+memory");
    unlink((path + "/jobs/cgroup.subtree_control").c_str());
    const auto failed = enable_controller(jobs.get(), Controller::Pids);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "cannot enable the pids controller: No such file or directory");
}

TEST_F(CgroupController, GetsLimitsOfWhatIsEnabledAlone) {
    for (const auto* name : {"memory.max", "memory.oom.group", "pids.max", "cpu.max"}) put(name, "");
    const std::vector<TreeLimit> limits{{TreeLimit::Kind::MemoryMax, 4096},
                                        {TreeLimit::Kind::MemoryHigh, 2048},
                                        {TreeLimit::Kind::Cpu, 20000},
                                        {TreeLimit::Kind::TasksMax, TreeLimit::kUnlimited}};
    const auto refused = put_limits(directory.get(), limits, bit_of(Controller::Memory) | bit_of(Controller::Pids));
    EXPECT_EQ(file("memory.max"), "4096");
    EXPECT_EQ(file("memory.oom.group"), "1");
    EXPECT_EQ(file("pids.max"), "max");
    EXPECT_EQ(file("cpu.max"), "");
    EXPECT_EQ(refused, (std::vector<std::pair<Key, int>>{{Key::MemoryHigh, ENOENT}}));
}

TEST_F(CgroupController, GivesTheWeightToWhicheverSchedulerIsThere) {
    const std::vector<TreeLimit> limits{{TreeLimit::Kind::IoWeight, 10000}};
    EXPECT_EQ(put_limits(directory.get(), limits, bit_of(Controller::Io)).size(), 1u);
    put("io.bfq.weight", "");
    EXPECT_TRUE(put_limits(directory.get(), limits, bit_of(Controller::Io)).empty());
    EXPECT_EQ(file("io.bfq.weight"), "1000");
}

TEST_F(CgroupController, TellsWhomItHasKilledAndWhy) {
    EXPECT_EQ(read_oom_kills(directory.get(), "web").count, 0u);
    put("web/memory.events", "low 0\nhigh 3\nmax 9\noom 2\noom_kill 0\noom_group_kill 0\n");
    EXPECT_EQ(read_oom_kills(directory.get(), "web").count, 0u);
    put("web/memory.events", "max 0\noom 1\noom_kill 4\noom_group_kill 1\n");
    put("web/memory.events.local", "max 0\noom 0\noom_kill 0\n");
    EXPECT_EQ(read_oom_kills(directory.get(), "web").count, 4u);
    EXPECT_FALSE(read_oom_kills(directory.get(), "web").by_limit) << "it was a group below";
    put("web/memory.events.local", "max 5\noom 1\noom_kill 4\n");
    EXPECT_TRUE(read_oom_kills(directory.get(), "web").by_limit);
}

TEST_F(CgroupController, CountsWhatItIsEnabledFor) {
    put("web/cpu.stat", "usage_usec 1500\nuser_usec 1000\n");
    put("web/memory.current", "4096\n");
    put("web/pids.current", "x\n");
    const auto little = read_usage(directory.get(), "web", 0);
    EXPECT_EQ(little.cpu, Duration(1500));
    EXPECT_FALSE(little.memory || little.tasks);
    const auto usage = read_usage(directory.get(), "web", bit_of(Controller::Memory) | bit_of(Controller::Pids));
    EXPECT_EQ(usage.memory, 4096u);
    EXPECT_FALSE(usage.memory_peak) << "Linux has it since 5.19";
    EXPECT_FALSE(usage.tasks) << "that is no number";
}

TEST_F(CgroupController, TellsWhatOfTheMemoryCanBeDropped) {
    EXPECT_EQ(read_droppable_memory(directory.get(), "web"), 0u);
    put("web/memory.stat", "anon 4096\nfile 81920\nactive_file 16384\ninactive_file 65536\n");
    EXPECT_EQ(read_droppable_memory(directory.get(), "web"), 65536u);
}

TEST_F(CgroupController, IsNotNeededToCountFewProcesses) {
    const auto uses = [&](const std::string& members) {
        put("web/cgroup.procs", members);
        TreeUsage usage;
        add_usage_of_few(directory.get(), "web", usage);
        return usage;
    };
    const std::string self = std::to_string(getpid()) + "\n";
    put("web/cgroup.threads", self + self + self);
    const auto one = uses(self), two = uses(self + self), none = uses("0\n");
    EXPECT_EQ(one.tasks, 3u);
    EXPECT_GT(one.memory, 100'000u);
    EXPECT_LT(one.memory, 1u << 30);
    EXPECT_GT(two.memory, *one.memory + 100'000);
    EXPECT_EQ(none.memory, 0u) << "it has gone, or cannot be seen from here";
    TreeUsage counted{{}, 7, {}, 8};
    add_usage_of_few(directory.get(), "web", counted);
    EXPECT_EQ(counted.memory, 7u);
    EXPECT_EQ(counted.tasks, 8u);

    std::string many;
    for (int i = 0; i < 33; ++i) many += self;
    EXPECT_FALSE(uses(many).memory || uses(many).tasks);
    put("web/below/cgroup.procs", self);
    EXPECT_FALSE(uses(self).memory) << "there may be more processes in it";
}

TEST(CgroupFile, HasNumbersBehindWholeWords) {
    EXPECT_EQ(number_behind("oom_kill 5\noom 3\n", "oom"), 3u);
    EXPECT_EQ(number_behind("oom_kill 5\n", "oom"), std::nullopt);
    EXPECT_EQ(number_behind("oom -1\n", "oom"), std::nullopt);
    EXPECT_EQ(number_behind("oom ", "oom"), std::nullopt);
    EXPECT_EQ(number_behind("", "oom"), std::nullopt);
    EXPECT_EQ(number_in("18446744073709551616\n"), std::nullopt);
    EXPECT_EQ(number_in("max\n"), std::nullopt);
    EXPECT_EQ(number_in("7"), 7u);
}

}  // namespace
}  // namespace procsup
