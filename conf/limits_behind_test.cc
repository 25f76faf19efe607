#include "conf/limits_behind.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>

namespace procsup {
namespace {

using Texts = std::vector<std::string>;

JobSpec limited() {
    JobSpec spec;
    spec.limits = {{RLIMIT_NOFILE, 0, 0},          {RLIMIT_STACK, 8192, 8192},
                   {RLIMIT_CPU, 1, RLIM_INFINITY}, {RLIMIT_FSIZE, 4096, 4096},
                   {RLIMIT_NPROC, 0, 0},           {RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY},
                   {RLIMIT_DATA, 1 << 20, 2 << 20}};
    return spec;
}

TEST(LimitsBehind, AnEndAreThoseThatMakeTheKernelEndAProcessSo) {
    const auto spec = limited();
    EXPECT_EQ(limits_behind_end(spec, ExitStatus::killed(SIGXCPU)), Texts({"limits.cpu_time = \"1s:unlimited\""}));
    EXPECT_EQ(limits_behind_end(spec, ExitStatus::killed(SIGXFSZ)), Texts({"limits.fsize = \"4KiB\""}));
    EXPECT_EQ(limits_behind_end(spec, ExitStatus::killed(SIGSEGV)),
              Texts({"limits.stack = \"8KiB\"", "limits.data = \"1MiB:2MiB\""}));
    EXPECT_EQ(limits_behind_end(spec, ExitStatus::exited(127)), Texts({"limits.open_files = 0"}));
}

TEST(LimitsBehind, AnEndAreNoneWhereItHasOtherReasons) {
    EXPECT_EQ(limits_behind_end(limited(), ExitStatus::exited(1)), Texts());
    JobSpec enough;
    enough.limits = {{RLIMIT_NOFILE, 512, 512}};
    EXPECT_EQ(limits_behind_end(enough, ExitStatus::exited(127)), Texts());
    EXPECT_EQ(limits_behind_end(limited(), ExitStatus::killed(SIGTERM)), Texts());
    EXPECT_EQ(limits_behind_end(JobSpec(), ExitStatus::killed(SIGSEGV)), Texts());
}

TEST(LimitsBehind, AStartThatFailedAreThoseThatAnErrorIsOf) {
    EXPECT_EQ(limits_behind_error(limited(), EAGAIN), Texts({"limits.processes = 0"}));
    EXPECT_EQ(limits_behind_error(limited(), E2BIG), Texts({"limits.stack = \"8KiB\""}));
    EXPECT_EQ(limits_behind_error(limited(), EMFILE), Texts({"limits.open_files = 0"}));
    EXPECT_EQ(limits_behind_error(limited(), ENOENT), Texts());
}

}  // namespace
}  // namespace procsup
