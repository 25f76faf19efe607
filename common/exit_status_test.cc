#include "common/exit_status.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace procsup {
namespace {

TEST(ExitStatus, IsReadFromWaitid) {
    EXPECT_EQ(ExitStatus::from_waitid(CLD_EXITED, 3), ExitStatus::exited(3));
    EXPECT_EQ(ExitStatus::from_waitid(CLD_KILLED, SIGTERM), ExitStatus::killed(SIGTERM));
    EXPECT_EQ(ExitStatus::from_waitid(CLD_DUMPED, SIGSEGV), ExitStatus::killed(SIGSEGV, true));
}

TEST(ExitStatus, SucceedsOnlyByExitZero) {
    EXPECT_TRUE(ExitStatus::exited(0).success());
    EXPECT_FALSE(ExitStatus::exited(1).success());
    EXPECT_FALSE(ExitStatus::killed(SIGTERM).success());
}

TEST(ExitStatus, KeepsExitCodeAndSignalApart) {
    EXPECT_NE(ExitStatus::exited(137), ExitStatus::killed(SIGKILL));
    EXPECT_EQ(ExitStatus::killed(SIGKILL).shell_code(), 137);
    EXPECT_EQ(ExitStatus::exited(137).shell_code(), 137);
}

TEST(ExitStatus, IsWrittenForPeople) {
    EXPECT_EQ(to_text(ExitStatus::exited(0)), "exit 0");
    EXPECT_EQ(to_text(ExitStatus::exited(3)), "exit 3");
    EXPECT_EQ(to_text(ExitStatus::exited(78)), "exit 78 (EX_CONFIG)");
    EXPECT_EQ(to_text(ExitStatus::killed(SIGKILL)), "killed by SIGKILL");
    EXPECT_EQ(to_text(ExitStatus::killed(SIGSEGV, true)), "killed by SIGSEGV (core dumped)");
}

}  // namespace
}  // namespace procsup
