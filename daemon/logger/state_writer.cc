#include "daemon/logger/state_writer.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "daemon/logger/log_dir.h"
#include "daemon/logger/record_file.h"

namespace procsup::logger {
namespace {

Result<void> write_all(const Fd& file, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        const ssize_t written = write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return os_failure("write " + path, errno);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (fsync(file.get()) < 0) return os_failure("put " + path + " on the disk", errno);
    return {};
}

Result<void> replace(const Fd& dir, const std::string& name, std::string_view content, const std::string& path) {
    // What a writer that was killed has left is begun anew.
    const auto fresh = "." + name + ".new";
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const Fd file(openat(dir.get(), fresh.c_str(), kFlags, 0644));
    if (!file) return os_failure("make " + path, errno);
    if (auto written = write_all(file, content, path); !written) return written;
    if (renameat(dir.get(), fresh.c_str(), dir.get(), name.c_str()) < 0) return os_failure("rename " + path, errno);
    return {};
}

}  // namespace

Result<void> write_state(const StateFile& file) {
    const auto path = file.dir + "/" + file.name;
    const auto slash = path.rfind('/');
    const auto name = path.substr(slash + 1);
    auto dir = open_way(path.substr(0, slash), file.content.has_value());
    if (!dir) {
        if (!file.content && dir.error().os_error == ENOENT) return {};
        return dir.error();
    }
    if (file.content) {
        if (auto replaced = replace(*dir, name, *file.content, path); !replaced) return replaced;
    } else if (unlinkat(dir->get(), name.c_str(), 0) < 0 && errno != ENOENT) {
        return os_failure("remove " + path, errno);
    }
    // The name is on the disk only when its directory is.
    if (fsync(dir->get()) < 0) return os_failure("put the directory of " + path + " on the disk", errno);
    return {};
}

StateWriter::StateWriter(EventLoop& loop, Done done)
    : done_(std::move(done)), answered_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    watch_ = loop.watch_fd(answered_.get(), EPOLLIN, Priority::Client, [this](std::uint32_t) { answer(); });
}

StateWriter::~StateWriter() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void StateWriter::add(Order order) {
    ++unanswered_;
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(order));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_one();
}

void StateWriter::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !orders_.empty(); });
        if (ending_) return;
        const auto order = std::move(orders_.front());
        orders_.pop_front();
        lock.unlock();
        auto packet = carry_out(order);
        lock.lock();
        answers_.push_back(std::move(packet));
        eventfd_write(answered_.get(), 1);
    }
}

std::string StateWriter::carry_out(const Order& order) {
    const auto problem_of = [](const Result<void>& done) { return done ? std::string() : done.error().message; };
    if (const auto* file = std::get_if<StateFile>(&order)) {
        return stored_packet(file->id, problem_of(write_state(*file)));
    }
    if (const auto* records = std::get_if<Records>(&order)) {
        return recorded_packet(records->id, problem_of(append_records(*records)));
    }
    const auto& used = std::get<UsedRecords>(order);
    used_.insert(used.names.begin(), used.names.end());
    if (used.more) return {};
    // What cannot be removed today is tried again with the next configuration.
    (void)sweep_records(used.dir, used_);
    used_.clear();
    return {};
}

void StateWriter::answer() {
    eventfd_t count = 0;
    eventfd_read(answered_.get(), &count);
    std::vector<std::string> answers;
    {
        const std::lock_guard lock(mutex_);
        answers.swap(answers_);
    }
    for (auto& packet : answers) {
        --unanswered_;
        done_(std::move(packet));
    }
}

}  // namespace procsup::logger
