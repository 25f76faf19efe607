#include "daemon/host/job_pipes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace procsup {
namespace {

JobSpec reader() {
    JobSpec spec;
    spec.name = "reader";
    spec.stdin_stream = {Stream::Kind::Pipe, {}};
    return spec;
}

JobSpec writer() {
    JobSpec spec;
    spec.name = "writer";
    spec.stdin_stream = {Stream::Kind::Null, {}};
    spec.stdout_stream = {Stream::Kind::Pipe, "reader"};
    return spec;
}

StandardFds connected(JobPipes& pipes, const JobSpec& spec) {
    std::optional<StandardFds> fds;
    EXPECT_FALSE(pipes.connect(spec, fds).has_value());
    return fds ? std::move(*fds) : StandardFds{};
}

void put(const Fd& fd, const std::string& text) {
    EXPECT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string got(const Fd& fd) {
    std::string text(100, '\0');
    const auto size = read(fd.get(), text.data(), text.size());
    return size < 0 ? strerrorname_np(errno) : text.substr(0, static_cast<std::size_t>(size));
}

TEST(JobPipes, CarryOutputToInputAndNothingElse) {
    JobPipes pipes;
    const auto from = connected(pipes, writer());
    const auto to = connected(pipes, reader());
    EXPECT_FALSE(from[0] || from[2]);
    EXPECT_FALSE(to[1] || to[2]);
    put(from[1], "line\n");
    EXPECT_EQ(got(to[0]), "line\n");
}

TEST(JobPipes, AreNotOfJobsThatHaveNone) {
    JobPipes pipes;
    std::optional<StandardFds> fds;
    EXPECT_FALSE(pipes.connect(JobSpec{}, fds).has_value());
    EXPECT_FALSE(fds.has_value());
}

TEST(JobPipes, KeepWhatWasWrittenForTheNextReader) {
    JobPipes pipes;
    connected(pipes, reader());
    put(connected(pipes, writer())[1], "one ");
    put(connected(pipes, writer())[1], "two");
    EXPECT_EQ(got(connected(pipes, reader())[0]), "one two");
}

TEST(JobPipes, HaveNoEndWhileTheReaderIsKnown) {
    JobPipes pipes;
    const auto to = connected(pipes, reader());
    connected(pipes, writer());
    fcntl(to[0].get(), F_SETFL, O_NONBLOCK);
    EXPECT_EQ(got(to[0]), "EAGAIN");
    pipes.forget("reader");
    EXPECT_EQ(got(to[0]), "");
}

TEST(JobPipes, AreBrokenWhenTheReaderIsForgotten) {
    JobPipes pipes;
    const auto from = connected(pipes, writer());
    pipes.forget("writer");
    put(from[1], "read by nobody yet");
    pipes.forget("reader");
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(write(from[1].get(), "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
    std::signal(SIGPIPE, before);
}

TEST(JobPipes, GiveEachRunFlagsOfItsOwn) {
    JobPipes pipes;
    const auto from = connected(pipes, writer());
    const auto to = connected(pipes, reader());
    fcntl(from[1].get(), F_SETFL, O_NONBLOCK);
    fcntl(to[0].get(), F_SETFL, O_NONBLOCK);
    EXPECT_EQ(fcntl(connected(pipes, writer())[1].get(), F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_WRONLY);
    EXPECT_EQ(fcntl(connected(pipes, reader())[0].get(), F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDONLY);
}

TEST(JobPipes, GiveWayToWhatIsAttached) {
    JobPipes pipes;
    std::optional<StandardFds> fds(std::in_place);
    (*fds)[1].reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
    const int attached = (*fds)[1].get();
    EXPECT_FALSE(pipes.connect(writer(), fds).has_value());
    EXPECT_EQ((*fds)[1].get(), attached);
}

TEST(JobPipes, BelongToTheUserOfWhoReads) {
    if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    JobPipes pipes;
    JobSpec spec = reader();
    const auto from = connected(pipes, writer());
    for (const uid_t uid : {65534u, 33u}) {
        spec.identity = Identity{uid, uid, {}};
        connected(pipes, spec);
        struct stat status {};
        ASSERT_EQ(fstat(from[1].get(), &status), 0);
        EXPECT_EQ(status.st_uid, uid);
        EXPECT_EQ(status.st_gid, uid);
        EXPECT_EQ(status.st_mode & 0777, 0622u);
    }
}

}  // namespace
}  // namespace procsup
