#include "ctl/exit_code.h"

#include <gtest/gtest.h>

#include <array>

namespace procsup::ctl {
namespace {

TEST(ExitCode, DependsOnTheErrorAndTheKindOfVerb) {
    struct Case {
        std::string_view error;
        int status;
        int action;
        int run;
    };
    constexpr auto kCases = std::to_array<Case>({
        {"io.procsupd.Job.NoSuchJob", 4, 5, 125},
        {"io.procsupd.Manager.NoSuchJob", 4, 5, 125},
        {"io.procsupd.Job.PermissionDenied", 4, 4, 125},
        {"io.procsupd.Manager.BadConfiguration", 6, 6, 125},
        {"io.procsupd.Job.TimedOut", 124, 124, 125},
        {"io.procsupd.Job.NotRunning", 1, 1, 125},
        {"io.procsupd.Job.ShuttingDown", 1, 1, 125},
        {"org.varlink.service.MethodNotFound", 1, 1, 125},
    });
    for (const Case& expected : kCases) {
        EXPECT_EQ(exit_code_for_error(expected.error, ExitFamily::Status), expected.status) << expected.error;
        EXPECT_EQ(exit_code_for_error(expected.error, ExitFamily::Action), expected.action) << expected.error;
        EXPECT_EQ(exit_code_for_error(expected.error, ExitFamily::Run), expected.run) << expected.error;
    }
}

TEST(ExitCode, OfAnUnreachableSupervisorIs69AndOfRunItsOwnFailure) {
    EXPECT_EQ(exit_code_unreachable(ExitFamily::Status), 69);
    EXPECT_EQ(exit_code_unreachable(ExitFamily::Action), 69);
    EXPECT_EQ(exit_code_unreachable(ExitFamily::Run), 125);
}

TEST(ExitCode, OfACommandThatCannotBeExecutedFollowsTheShell) {
    EXPECT_EQ(exit_code_for_failed_start("exec", "ENOENT"), 127);
    EXPECT_EQ(exit_code_for_failed_start("exec /usr/bin/nope", "ENOTDIR"), 127);
    EXPECT_EQ(exit_code_for_failed_start("exec", "EACCES"), 126);
    EXPECT_EQ(exit_code_for_failed_start("change to directory /x", "ENOENT"), 125);
}

}  // namespace
}  // namespace procsup::ctl
