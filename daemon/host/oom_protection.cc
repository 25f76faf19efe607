#include "daemon/host/oom_protection.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "daemon/host/child.h"

namespace procsup {

Result<void> OomProtection::find() {
    constexpr const char* kFile = "/proc/self/oom_score_adj";
    const Fd readable(open(kFile, O_RDONLY | O_CLOEXEC));
    char text[16] = {};
    if (readable && read(readable.get(), text, sizeof(text) - 1) > 0) score_ = atoi(text);
    if (score_ >= 0) return {};
    file_.reset(open(kFile, O_WRONLY | O_CLOEXEC));
    if (file_) file_.reset(fcntl(file_.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
    return file_ ? Result<void>() : os_failure(std::string("open ") + kFile, errno);
}

void OomProtection::stand_back(bool back) {
    if (!file_ || standing_back_ == back) return;
    put(back ? 0 : score_);
    standing_back_ = back;
}

void OomProtection::put(int score) {
    const auto text = std::to_string(score);
    (void)!write(file_.get(), text.data(), text.size());
}

}  // namespace procsup
