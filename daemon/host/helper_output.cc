#include "daemon/host/helper_output.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace procsup {
namespace {

std::string verbatim(std::string text) {
    for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3)) text.insert(at, "$");
    return text;
}

}  // namespace

JobSpec helper_spec(std::string name, const std::vector<std::string>& words) {
    JobSpec spec;
    spec.name = std::move(name);
    spec.command = {"procsupd"};
    for (const auto& word : words) spec.command.push_back(verbatim(word));
    spec.program = "/proc/self/exe";
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) spec.env.push_back(verbatim(*entry));
    spec.working_dir = ".";
    return spec;
}

Result<Fd> as_file(const std::string& text) {
    Fd file(memfd_create("request", MFD_CLOEXEC));
    if (!file) return os_failure("make a file in memory", errno);
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        lseek(file.get(), 0, SEEK_SET) != 0) {
        return os_failure("write a file in memory", errno);
    }
    return file;
}

void HelperOutput::run(JobSpec spec, Fd input, std::size_t most, Done done, bool lasting) {
    done_ = std::move(done);
    most_ = most;
    received_.clear();
    end_of_output_ = false;
    ended_.reset();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return finish(os_failure("create a pipe for " + spec.name, errno));
    pipe_.reset(ends[0]);
    fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
    watch_ = loop_.watch_fd(pipe_.get(), EPOLLIN, Priority::SpawnResult, [this](std::uint32_t) { read_some(); });
    const auto ended = [this](Result<ExitStatus> how) {
        ended_ = std::move(how);
        finish_if_done();
    };
    StandardFds fds{std::move(input), Fd(ends[1]), std::move(error_output_)};
    helper_ = lasting ? processes_.run_lasting_helper(std::move(spec), std::move(fds), ended)
                      : processes_.run_helper(std::move(spec), std::move(fds), ended);
}

void HelperOutput::read_some() {
    char buffer[65536];
    const ssize_t size = read(pipe_.get(), buffer, sizeof(buffer));
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0 && received_.size() + static_cast<std::size_t>(size) <= most_) {
        received_.append(buffer, static_cast<std::size_t>(size));
        return;
    }
    watch_.reset();
    pipe_.reset();
    end_of_output_ = true;
    finish_if_done();
}

void HelperOutput::finish_if_done() {
    if (!ended_) return;
    if (!*ended_) return finish(ended_->error());
    if (!end_of_output_) return;
    if (!(*ended_)->success()) return finish(Error{to_text(**ended_)});
    finish(std::move(received_));
}

void HelperOutput::finish(Result<std::string> result) {
    watch_.reset();
    pipe_.reset();
    received_ = std::string();
    // It may run the next one.
    std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace procsup
