#include "daemon/host/run_mounts.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace procsup {
namespace {

pid_t parent_in(int process) {
    const Fd file(openat(process, "stat", O_RDONLY | O_CLOEXEC));
    char text[256];
    const ssize_t size = file ? read(file.get(), text, sizeof(text) - 1) : -1;
    if (size <= 0) return 0;
    text[size] = '\0';
    // "PID (NAME) STATE PARENT …": a name has at most 15 bytes, any of them.
    const char* behind_name = strrchr(text, ')');
    return behind_name == nullptr || strlen(behind_name) < 4 ? 0 : static_cast<pid_t>(atoi(behind_name + 4));
}

bool same(int one, int other) {
    struct stat a {
    }, b{};
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

Fd mounts_of(pid_t pid, pid_t parent) {
    // It stands for this process, also when the number has become another's.
    const Fd process(open(("/proc/" + std::to_string(pid)).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!process) return {};
    Fd mounts(openat(process.get(), "ns/mnt", O_RDONLY | O_CLOEXEC));
    if (!mounts || parent_in(process.get()) != parent) return {};
    const Fd owner(ioctl(mounts.get(), NS_GET_USERNS));
    const Fd own(open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
    return owner && own && same(owner.get(), own.get()) ? std::move(mounts) : Fd();
}

}  // namespace procsup
