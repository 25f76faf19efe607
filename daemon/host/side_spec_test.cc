#include "daemon/host/side_spec.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

JobSpec web() {
    JobSpec spec;
    spec.name = "web";
    spec.command = {"web", "--port", "80"};
    spec.program = "/usr/bin/web";
    spec.env = {"PATH=/usr/bin"};
    spec.working_dir = "/srv";
    spec.identity = Identity{33, 33, {4}};
    spec.stdin_stream = {Stream::Kind::File, "/srv/input"};
    spec.stdout_stream = {Stream::Kind::File, "/srv/log"};
    spec.nice = 5;
    spec.may_fork = false;
    return spec;
}

TEST(SideSpec, IsTheJobsButForWhatIsExecutedAndReadAndKnownOfTheRun) {
    JobSpec job = web();
    const InstanceName name{"web", "web", 0, {}};
    job.stop_command = {{"webctl", "stop"}, "/usr/bin/webctl"};
    JobSpec expected = job;
    expected.command = {"webctl", "stop"};
    expected.program = "/usr/bin/webctl";
    expected.env = {"PATH=/usr/bin", "PROCSUPD_MAIN_PID=411"};
    expected.stdin_stream = {Stream::Kind::Null, {}};
    EXPECT_EQ(side_spec({job, name, SideRole::StopCommand, 7, 411}, "/probe"), expected);
}

TEST(SideSpec, DoesNotWriteToWhatAnotherJobReads) {
    JobSpec job = web();
    job.stdout_stream = {Stream::Kind::Pipe, "reader"};
    job.stderr_stream = {Stream::Kind::File, "/srv/errors"};
    const InstanceName name{"web", "web", 0, {}};
    job.stop_command = {{"webctl"}, "/usr/bin/webctl"};
    EXPECT_EQ(side_spec({job, name, SideRole::StopCommand, 7, 0}, "/probe").stdout_stream, job.stderr_stream);
}

TEST(SideSpec, NamesNoMainProcessThatHasEnded) {
    JobSpec job = web();
    const InstanceName name{"web", "web", 0, {}};
    job.stop_command = {{"webctl"}, "/usr/bin/webctl"};
    EXPECT_EQ(side_spec({job, name, SideRole::StopCommand, 7, 0}, "/probe").env, job.env);
}

}  // namespace
}  // namespace procsup
