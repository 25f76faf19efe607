#include "daemon/host/fork_filter.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "common/raw_syscall.h"

namespace procsup {
namespace {

/// The wait status of a process that runs `tried` under the filter; its exit code is what `tried` returns, and 255 says that
/// a process was made after all.
int status_under_filter(const sock_fprog* program, const std::function<long()>& tried) {
    const pid_t pid = fork();
    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) _exit(254);
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) < 0) _exit(254);
        const long result = tried();
        _exit(result <= 0 ? static_cast<int>(-result) : 255);
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return status;
}

struct ForkFilterTest : testing::Test {
    void SetUp() override {
        const auto made = filter.program();
        ASSERT_TRUE(made.has_value()) << made.error().message;
        program = *made;
    }
    /// The errno, 0 for success.
    int error_of(const std::function<long()>& tried) const {
        const int status = status_under_filter(program, tried);
        EXPECT_TRUE(WIFEXITED(status)) << status;
        return WEXITSTATUS(status);
    }

    ForkFilter filter;
    const sock_fprog* program = nullptr;
};

/// A child that a call has made all the same is the second to return from it.
long ended_if_child(long result) { return result == 0 ? 1 : result; }

TEST_F(ForkFilterTest, IsMadeOnce) {
    EXPECT_EQ(*filter.program(), program);
    EXPECT_GT(program->len, 0);
}

TEST_F(ForkFilterTest, RefusesTheCallsThatMakeAProcess) {
#ifdef SYS_fork
    EXPECT_EQ(error_of([] { return ended_if_child(raw_syscall(SYS_fork)); }), EPERM);
    EXPECT_EQ(error_of([] { return ended_if_child(raw_syscall(SYS_vfork)); }), EPERM);
#endif
    EXPECT_EQ(error_of([] { return ended_if_child(raw_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }), EPERM);
}

TEST_F(ForkFilterTest, IsNotDeceivedByBitsThatTheKernelIgnores) {
    constexpr auto kIgnored = static_cast<std::uint64_t>(CLONE_THREAD) << 32;
    const auto flags = kIgnored | SIGCHLD;
    EXPECT_EQ(error_of([&] { return ended_if_child(raw_syscall(SYS_clone, flags, 0, 0, 0, 0)); }), EPERM);
}

TEST_F(ForkFilterTest, HidesClone3) {
    EXPECT_EQ(error_of([] { return raw_syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
}

TEST_F(ForkFilterTest, LeavesThreadsAndOtherCallsAlone) {
    EXPECT_EQ(error_of([] {
                  int said = 1;
                  std::thread([&] { said = 0; }).join();
                  return said;
              }),
              0);
    EXPECT_EQ(error_of([] { return raw_syscall(SYS_chdir, "/"); }), 0);
    EXPECT_EQ(error_of([] { return raw_syscall(SYS_chdir, "/no/such/directory"); }), ENOENT);
}

#if defined(__x86_64__)
/// A call by the numbers and in the registers of i386.
long i386_syscall(int number, long argument) {
    long result;
    asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument), "c"(0), "d"(0), "S"(0), "D"(0) : "memory");
    return static_cast<int>(result);
}

TEST_F(ForkFilterTest, RefusesThemToTheAbiOfI386) {
    constexpr int kFork = 2, kGetpid = 20, kClone = 120, kVfork = 190, kClone3 = 435;
    if (WIFSIGNALED(status_under_filter(program, [] { return i386_syscall(kGetpid, 0) > 0 ? 0 : -1; }))) {
        GTEST_SKIP() << "this kernel executes no i386 calls";
    }
    EXPECT_EQ(error_of([] { return i386_syscall(kGetpid, 0) == getpid() ? 0 : -1; }), 0);
    EXPECT_EQ(error_of([] { return ended_if_child(i386_syscall(kFork, 0)); }), EPERM);
    EXPECT_EQ(error_of([] { return ended_if_child(i386_syscall(kVfork, 0)); }), EPERM);
    EXPECT_EQ(error_of([] { return ended_if_child(i386_syscall(kClone, SIGCHLD)); }), EPERM);
    EXPECT_EQ(error_of([] { return i386_syscall(kClone3, 0); }), ENOSYS);
    // Flags of a thread that the kernel refuses as such: the filter has let it pass.
    EXPECT_EQ(error_of([] { return i386_syscall(kClone, CLONE_THREAD); }), EINVAL);
}

TEST_F(ForkFilterTest, RefusesThemToTheAbiX32) {
    // Filters are asked first, also by a kernel that lacks this ABI.
    constexpr long kX32 = 0x40000000;
    EXPECT_EQ(error_of([] { return ended_if_child(raw_syscall(kX32 | SYS_fork)); }), EPERM);
    EXPECT_EQ(error_of([] { return ended_if_child(raw_syscall(kX32 | SYS_vfork)); }), EPERM);
    EXPECT_EQ(error_of([] { return ended_if_child(raw_syscall(kX32 | SYS_clone, SIGCHLD, 0, 0, 0, 0)); }), EPERM);
    EXPECT_EQ(error_of([] { return raw_syscall(kX32 | SYS_clone3, nullptr, 0); }), ENOSYS);
}
#endif

}  // namespace
}  // namespace procsup
