#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/varlink/test_loop.h"
#include "daemon/logger/pump.h"
#include "daemon/logger/tail.h"

namespace procsup::logger {

/// "1\n2\n3\n".
inline std::string numbers(int from, int to) {
    std::string lines;
    for (int i = from; i <= to; ++i) lines += std::to_string(i) + "\n";
    return lines;
}

/// A stream that a job writes to, what procsupd keeps of it, and loggers that come and go.
class StreamFixture : public testing::Test {
protected:
    explicit StreamFixture(Destination to, std::string instance) {
        auto file = Memory::create();
        memory_ = *Memory::map(*file);
        pipe2(staging_, O_CLOEXEC);
        pipe2(job_, O_CLOEXEC);
        settings_.slot = 5;
        settings_.job = "web";
        settings_.instance = std::move(instance);
        settings_.name = "stdout";
        settings_.dir = root_;
        settings_.to = to;
    }
    ~StreamFixture() override {
        pump_.reset();
        stream_.reset();
        for (const int fd : {staging_[0], staging_[1], job_[0], job_[1]}) close(fd);
        std::filesystem::remove_all(root_);
    }

    void start_logger() {
        pump_.reset();
        stream_.reset();
        output_ = std::make_unique<OwnOutput>(loop_, output_fd_, memory_->rest);
        stream_ = std::make_unique<Stream>(settings_, Fd(dup(job_[0])),
                                           std::make_shared<LogDir>(root_, std::make_shared<LockedDirs>()), journal_,
                                           *output_, memory_->begun[5]);
        stream_->room = 65536;
        lookout_ = std::make_unique<LineLookout>(
            *memory_, LineLookout::Hooks{[this](std::uint32_t, std::uint64_t run) { seen_.push_back(run); },
                                         [](std::uint32_t, std::uint64_t, const std::string&) {}});
        pump_ = std::make_unique<Pump>(
            *memory_, Fd(dup(staging_[1])), Fd(dup(staging_[0])),
            Pump::Hooks{[this](std::uint32_t slot) { return slot == 5 ? stream_.get() : nullptr; }, keep_end,
                        [this](Stream&) { ++lines_ended_; }, lookout_.get()});
        pump_->adopt(*stream_, now_);
    }
    void restart_logger() {
        start_logger();
        pump_->recover(now_);
    }
    void job_writes(std::string_view text) {
        ASSERT_EQ(write(job_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    Pump::Moved move() {
        std::size_t bytes = 0;
        return pump_->move(*stream_, now_, bytes);
    }
    void job_logs(std::string_view text) {
        job_writes(text);
        ASSERT_EQ(move(), Pump::Moved::Some);
    }
    /// From what is written next.
    void await_line(std::uint64_t run, std::string_view expression) {
        auto& awaited = memory_->awaited[5];
        awaited.from = memory_->written_to(5, job_[0], staging_[0]);
        awaited.expression_size = static_cast<std::uint32_t>(expression.copy(awaited.expression_text, kLongestRegex));
        memory_->streams[5].awaited = run;
    }
    Batch& batch() { return memory_->batches[0]; }
    /// As a logger that is killed before it notes what it has handed on of a batch.
    void forget_what_was_handed_on(const std::string& text) {
        batch().slot = 5;
        batch().size = static_cast<std::uint32_t>(text.size());
        batch().begin = memory_->streams[5].taken;
        text.copy(batch().data, text.size());
        batch().set_progress({0, memory_->streams[5].line, 0, 0});
        batch().enter(Phase::Writing);
    }

    const std::string root_ = [] {
        char name[] = "/tmp/procsup-stream-XXXXXX";
        return std::string(mkdtemp(name));
    }();
    std::int64_t now_ = 1;
    CapturedStream settings_;
    Memory* memory_ = nullptr;
    int staging_[2], job_[2];
    int output_fd_ = -1;  ///< procsupd's own output
    JournalSocket journal_{root_ + "/socket"};
    TestLoop loop_;
    int lines_ended_ = 0;
    std::unique_ptr<OwnOutput> output_;
    std::unique_ptr<Stream> stream_;
    std::unique_ptr<LineLookout> lookout_;
    std::vector<std::uint64_t> seen_;  ///< runs whose awaited line was there
    std::unique_ptr<Pump> pump_;
};

}  // namespace procsup::logger
