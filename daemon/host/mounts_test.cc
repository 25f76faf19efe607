#include "daemon/host/mounts.h"

#include <gtest/gtest.h>

namespace procsup {
namespace {

constexpr std::string_view kMounts =
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "23 22 0:21 / /proc rw - proc proc rw\n"
    "30 22 0:40 / /var rw shared:7 - ext4 /dev/vdb rw\n"
    "31 30 0:41 / /var/log\\040files rw - nfs4 server:/logs rw\n"
    "32 30 0:42 / /var/lib rw - ext4 /dev/vdc rw\n";

TEST(MountTest, IsTheLongestThatThePathIsBelow) {
    EXPECT_EQ(mount_of("/srv/logs", kMounts).point, "/");
    EXPECT_EQ(mount_of("/var/log/procsupd", kMounts).point, "/var");
    EXPECT_EQ(mount_of("/var/lib", kMounts).point, "/var/lib");
}

TEST(MountTest, IsNotOneWhoseNameOnlyBeginsAlike) {
    EXPECT_EQ(mount_of("/variable/logs", kMounts).point, "/");
    EXPECT_EQ(mount_of("/var/library", kMounts).point, "/var");
}

TEST(MountTest, ReadsNamesWithBlanks) { EXPECT_EQ(mount_of("/var/log files/web", kMounts).point, "/var/log files"); }

TEST(MountTest, LooksAtThePathWithoutItsDots) { EXPECT_EQ(mount_of("/srv/../var/lib/x", kMounts).point, "/var/lib"); }

TEST(MountTest, IsTheLastOneOfSeveralAtItsPlace) {
    const auto mounts = std::string(kMounts) + "33 30 0:77 / /var/lib rw - tmpfs tmpfs rw\n";
    EXPECT_EQ(mount_of("/var/lib/x", mounts).device, "0:77");
}

TEST(MountTest, OfThisMachineHasProc) { EXPECT_EQ(mount_of("/proc/self").point, "/proc"); }

}  // namespace
}  // namespace procsup
