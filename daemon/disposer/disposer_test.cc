#include "daemon/disposer/disposer.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <iterator>

#include "common/send_fds.h"
#include "common/varlink/test_loop.h"

namespace procsup {
namespace {

constexpr int kMinutes = 3600;

std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* const dir = opendir("/proc/self/fd");
    while (readdir(dir) != nullptr) ++count;
    closedir(dir);
    return count;
}

/// A connection whose last close takes an hour: what has been written is not read.
struct LingeringConnection {
    LingeringConnection() {
        Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(bind(listener.get(), any, size), 0);
        EXPECT_EQ(listen(listener.get(), 1), 0);
        EXPECT_EQ(getsockname(listener.get(), any, &size), 0);
        near = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(connect(near.get(), any, size), 0);
        far = Fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const std::string much(1u << 20, 'x');
        while (send(near.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
        }
        const linger for_an_hour{1, kMinutes};
        EXPECT_EQ(setsockopt(near.get(), SOL_SOCKET, SO_LINGER, &for_an_hour, sizeof(for_an_hour)), 0);
    }
    Fd near, far;
};

struct DisposerTest : testing::Test {
    DisposerTest() {
        int pair[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
        ours = Fd(pair[0]);
        theirs = Fd(pair[1]);
    }
    void send_lingering() {
        LingeringConnection connection;
        const int fds[] = {connection.near.get()};
        EXPECT_EQ(send_with_fds(theirs.get(), "x", fds, MSG_NOSIGNAL), 1);
        far_ends.push_back(std::move(connection.far));
    }
    bool has_children() {
        siginfo_t info{};
        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
    }
    std::vector<Fd> far_ends;
    Fd ours, theirs;
    TestLoop loop;
};

TEST_F(DisposerTest, TakesAMessageWhoseDescriptorNobodyCanClose) {
    const auto before = open_descriptors();
    Disposer disposer(loop);
    send_lingering();
    ASSERT_EQ(send(theirs.get(), "next", 4, 0), 4);
    bool done = false;
    disposer.take_message(ours, [&] { done = true; });
    ASSERT_TRUE(loop.run_until([&] { return done; }));
    char text[8];
    EXPECT_EQ(recv(ours.get(), text, sizeof(text), MSG_DONTWAIT), 4);
    ASSERT_TRUE(loop.run_until([&] { return !has_children(); }));
    EXPECT_EQ(open_descriptors(), before + far_ends.size());
}

TEST_F(DisposerTest, ClosesASocketWithManyOfThem) {
    const auto before = open_descriptors();
    Disposer disposer(loop);
    for (int i = 0; i < 3; ++i) send_lingering();
    disposer.close(ours.release());
    ASSERT_TRUE(loop.run_until([&] { return !has_children(); }));
    EXPECT_EQ(open_descriptors(), before + far_ends.size() - 1);
    EXPECT_LT(send(theirs.get(), "x", 1, MSG_NOSIGNAL), 0);
}

TEST_F(DisposerTest, DoesManyAtATime) {
    constexpr int kMany = 500;
    Disposer disposer(loop);
    const auto before = open_descriptors();
    for (int i = 0; i < kMany; ++i) disposer.close(dup(ours.get()));
    ASSERT_TRUE(loop.run_until([&] { return !has_children() && open_descriptors() <= before; }));
    EXPECT_EQ(send(theirs.get(), "x", 1, MSG_NOSIGNAL), 1);
}

TEST_F(DisposerTest, LetsTheSocketBeClosedMeanwhile) {
    Disposer disposer(loop);
    send_lingering();
    bool done = false;
    disposer.take_message(ours, [&] { done = true; });
    disposer.close(ours.release());
    ASSERT_TRUE(loop.run_until([&] { return done && !has_children(); }));
    EXPECT_LT(send(theirs.get(), "x", 1, MSG_NOSIGNAL), 0);
}

TEST_F(DisposerTest, EndsWithoutThem) {
    {
        Disposer disposer(loop);
        for (int i = 0; i < 20; ++i) {
            send_lingering();
            disposer.take_message(ours, [] {});
        }
    }
    EXPECT_FALSE(has_children());
}

}  // namespace
}  // namespace procsup
