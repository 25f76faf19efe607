#include "common/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

namespace procsup {
namespace {

Fd open_null() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

TEST(Fd, ClosesWhatItOwns) {
    int number = -1;
    {
        const Fd fd = open_null();
        number = fd.get();
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(Fd, OwnsNothingAfterAMove) {
    Fd from = open_null();
    const int number = from.get();
    const Fd to = std::move(from);
    EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(to.get(), number);
    EXPECT_TRUE(is_open(number));
}

TEST(Fd, ClosesTheOldOneWhenAnotherIsMovedIn) {
    Fd fd = open_null();
    const int old = fd.get();
    Fd other = open_null();
    const int number = other.get();
    fd = std::move(other);
    EXPECT_FALSE(is_open(old));
    EXPECT_EQ(fd.get(), number);
}

TEST(Fd, KeepsWhatItOwnsWhenMovedIntoItself) {
    Fd fd = open_null();
    Fd& same = fd;
    fd = std::move(same);
    EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, GivesUpWithoutClosing) {
    Fd fd = open_null();
    const Fd owner(fd.release());
    EXPECT_FALSE(fd);
    EXPECT_TRUE(is_open(owner.get()));
}

TEST(Fd, KeepsErrnoWhenItCloses) {
    Fd fd(1'000'000);  // closing this fails with EBADF
    errno = ENOENT;
    fd.reset();
    EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace procsup
