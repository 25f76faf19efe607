#include "daemon/host/guard.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "daemon/host/own_programs.h"
#include "daemon/host/processes.h"

namespace procsup {
namespace {

/// A guard is killed by accident at most; one that cannot run must not keep the daemon busy.
constexpr auto kPause = std::chrono::seconds(1);

Fd copy_of(const Fd& fd) { return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstKeptFd)); }

}  // namespace

Guard::Guard(EventLoop& loop, Processes& processes, Fd group, const Fd& lock, std::function<void(std::string)> failed)
    : loop_(loop),
      processes_(processes),
      group_(std::move(group)),
      lock_(lock),
      failed_(std::move(failed)),
      program_(find_own_program("procsup-guard")) {
    start();
}

void Guard::start() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return ended(os_failure("make a pipe", errno).message);
    Fd reading(ends[0]), writing(ends[1]);
    pipe_ = copy_of(writing);
    JobSpec spec;
    spec.name = "procsup-guard";
    spec.command = {"procsup-guard"};
    spec.program = program_;
    spec.working_dir = "/";
    processes_.run_helper(std::move(spec), {std::move(reading), copy_of(group_), copy_of(lock_)},
                          [this](const Result<ExitStatus>& end) { ended(end ? to_text(*end) : end.error().message); });
}

void Guard::ended(const std::string& how) {
    if (retired_) return;
    pipe_.reset();
    failed_(how);
    again_ = loop_.call_at(loop_.now() + kPause, [this] {
        again_.reset();
        start();
    });
}

}  // namespace procsup
