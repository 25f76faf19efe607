#include "daemon/logger/run_index.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <sstream>

namespace procsup::logger {
namespace {

constexpr off_t kLongestFile = 64 * 1024;

std::string line_of(const LogRun& place) { return fmt::format("{} {} {}\n", place.time, place.number, place.offset); }

/// The file, if it is one of this user's own.
Fd open_own(int dir, const std::string& name, int flags) {
    Fd file(openat(dir, name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640));
    struct stat status {};
    const bool own = file && fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
                     status.st_uid == geteuid() && status.st_size <= kLongestFile;
    if (!own) file.reset();
    return file;
}

}  // namespace

void RunIndex::add(const LogRun& place) {
    load();
    // A logger before this one has noted it, and was killed before it could say so.
    if (!places_.empty() && places_.back().time == place.time) return;
    places_.push_back(place);
    if (places_.size() >= kMost) {
        places_.erase(places_.begin(), places_.begin() + kMost / 2);
        return save();
    }
    const auto line = line_of(place);
    const Fd file = open_own(dir_->fd(), name_, O_WRONLY | O_APPEND | O_CREAT);
    if (file) (void)!write(file.get(), line.data(), line.size());
}

const std::deque<LogRun>& RunIndex::places() {
    load();
    return places_;
}

void RunIndex::load() {
    if (loaded_ || !dir_->ensure()) return;
    loaded_ = true;
    const Fd file = open_own(dir_->fd(), name_, O_RDONLY);
    std::string text(kLongestFile, '\0');
    const ssize_t size = file ? read(file.get(), text.data(), text.size()) : 0;
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    std::istringstream lines(text);
    LogRun place;
    while (lines >> place.time >> place.number >> place.offset) places_.push_back(place);
}

void RunIndex::save() const {
    std::string text;
    for (const auto& place : places_) text += line_of(place);
    const auto draft = name_ + ".new";
    unlinkat(dir_->fd(), draft.c_str(), 0);
    const Fd file = open_own(dir_->fd(), draft, O_WRONLY | O_CREAT | O_EXCL);
    if (file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
        renameat(dir_->fd(), draft.c_str(), dir_->fd(), name_.c_str());
}

}  // namespace procsup::logger
