#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/varlink/test_loop.h"
#include "daemon/logger/pump.h"
#include "daemon/logger/tail.h"

namespace procsup::logger {
namespace {

std::string new_directory() {
    char name[] = "/tmp/procsup-forward-XXXXXX";
    return mkdtemp(name);
}

std::string prefixed(const std::string& lines) {
    std::istringstream stream(lines);
    std::string all;
    for (std::string line; std::getline(stream, line);) all += "web@0 | " + line + "\n";
    return all;
}

std::string numbers(int from, int to) {
    std::string lines;
    for (int i = from; i <= to; ++i) lines += std::to_string(i) + "\n";
    return lines;
}

/// An output of procsupd, and loggers that come and go.
class ForwardTest : public testing::Test {
protected:
    ForwardTest() {
        auto file = Memory::create();
        memory_ = *Memory::map(*file);
        pipe2(staging_, O_CLOEXEC);
        pipe2(job_, O_CLOEXEC);
        pipe2(out_, O_CLOEXEC);
        fcntl(out_[0], F_SETFL, O_NONBLOCK);
        settings_.slot = 5;
        settings_.job = "web";
        settings_.instance = "web@0";
        settings_.name = "stdout";
        settings_.dir = root_;
        settings_.to = Destination::Output;
        start_logger();
    }
    ~ForwardTest() override {
        for (const int fd : {staging_[0], staging_[1], job_[0], job_[1], out_[0], out_[1]}) close(fd);
        std::filesystem::remove_all(root_);
    }

    void start_logger() {
        pump_.reset();
        stream_.reset();
        output_ = std::make_unique<OwnOutput>(loop_, out_[1], memory_->rest);
        stream_ = std::make_unique<Stream>(settings_, Fd(dup(job_[0])),
                                           std::make_shared<LogDir>(root_, std::make_shared<LockedDirs>()), journal_,
                                           *output_, memory_->begun[5]);
        stream_->room = 65536;
        pump_ = std::make_unique<Pump>(
            *memory_, Fd(dup(staging_[1])), Fd(dup(staging_[0])),
            Pump::Hooks{[this](std::uint32_t slot) { return slot == 5 ? stream_.get() : nullptr; }, keep_end});
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
    std::string read_all() {
        std::string text;
        char buffer[65536];
        for (ssize_t size = 0; (size = read(out_[0], buffer, sizeof(buffer))) > 0;) {
            text.append(buffer, static_cast<std::size_t>(size));
        }
        return text;
    }
    /// While somebody reads, all that waits is written.
    std::string read_while_it_is_written() {
        std::string text;
        do {
            text += read_all();
            loop_.run_while_busy();
            if (pump_->has_waiting(*stream_)) {
                EXPECT_NE(move(), Pump::Moved::Refused);
            }
        } while (pump_->has_waiting(*stream_) || output_->waits());
        return text + read_all();
    }
    /// As a logger that is killed before it notes what it has written of a batch.
    void forget_what_was_written(const std::string& text) {
        auto& batch = memory_->batches[0];
        batch.slot = 5;
        batch.size = static_cast<std::uint32_t>(text.size());
        batch.begin = memory_->streams[5].taken;
        text.copy(batch.data, text.size());
        batch.set_progress({0, memory_->streams[5].line, 0, 0});
        batch.enter(Phase::Writing);
    }

    std::string root_ = new_directory();
    std::int64_t now_ = 1;
    CapturedStream settings_;
    Memory* memory_ = nullptr;
    int staging_[2], job_[2], out_[2];
    TestLoop loop_;
    JournalSocket journal_{"/dev/null"};
    std::unique_ptr<OwnOutput> output_;
    std::unique_ptr<Stream> stream_;
    std::unique_ptr<Pump> pump_;
};

TEST_F(ForwardTest, PutsTheInstanceInFrontOfEachLine) {
    job_logs("one\n\n <3>two \r\n");
    EXPECT_EQ(read_all(), "web@0 | one\nweb@0 | \nweb@0 |  <3>two \r\n");
    EXPECT_TRUE(std::filesystem::is_empty(root_));
}

TEST_F(ForwardTest, WritesALineThatCameInPartsWhenItIsWhole) {
    job_logs("one, ");
    job_logs("two, ");
    EXPECT_EQ(read_all(), "");
    restart_logger();
    job_logs("three\nfour");
    EXPECT_EQ(read_all(), "web@0 | one, two, three\n");
}

TEST_F(ForwardTest, WritesALongLineInPieces) {
    const std::string piece(BegunLine::kMost, 'x');
    job_logs(piece + "more\n");
    EXPECT_TRUE(read_all() == "web@0 | " + piece + "\nweb@0 | more\n");
    job_logs(piece);
    EXPECT_TRUE(read_all() == "web@0 | " + piece + "\n");
    job_logs("\nnext\n");
    EXPECT_EQ(read_all(), "web@0 | next\n") << "a line that ends behind its piece has no other";
}

TEST_F(ForwardTest, EndsTheLastLineOfARun) {
    job_logs("one\nno end");
    memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), 1});
    job_logs("next\nbegun");
    EXPECT_EQ(read_all(), "web@0 | one\nweb@0 | no end\nweb@0 | next\n");
    EXPECT_EQ(pump_->end_line(*stream_, now_), Pump::Moved::Some);
    EXPECT_EQ(read_all(), "web@0 | begun\n");
}

TEST_F(ForwardTest, LosesNothingWhileNobodyReads) {
    const auto lines = numbers(1, 9000);
    job_writes(lines);
    ASSERT_EQ(move(), Pump::Moved::HeldUp);
    now_ += 999'999;
    EXPECT_EQ(move(), Pump::Moved::HeldUp);
    now_ += 1;
    EXPECT_EQ(move(), Pump::Moved::Refused);
    EXPECT_EQ(stream_->problem, "procsupd's standard output does not take it: nobody reads there");
    auto text = read_all();
    EXPECT_NE(pump_->retry(*stream_, now_), Pump::Moved::Refused) << "something is taken again";
    text += read_while_it_is_written();
    EXPECT_TRUE(text == prefixed(lines));
}

TEST_F(ForwardTest, OfALoggerThatIsKilledWithinALineGoesOnThere) {
    const std::string line(40'000, 'x');
    job_writes(line + "\n");
    ASSERT_EQ(move(), Pump::Moved::Some);
    job_writes(line + "\nlast\n");
    ASSERT_EQ(move(), Pump::Moved::HeldUp);
    ASSERT_TRUE(output_->waits());
    restart_logger();
    const auto text = read_while_it_is_written();
    EXPECT_TRUE(text == prefixed(line + "\n" + line + "\nlast\n")) << text.size();
}

TEST_F(ForwardTest, WritesWhatWasNotNotedOnceMore) {
    job_logs("be");
    forget_what_was_written("gun\nnext, ");
    restart_logger();
    job_logs("ended\n");
    EXPECT_EQ(read_all(), "web@0 | begun\nweb@0 | next, ended\n");
}

TEST_F(ForwardTest, HasLinesThatAreKnownToBeTheLastOfARun) {
    memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), 1});
    job_logs("of the run before\n");
    memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), 1});
    job_logs("one\n<3>two\nno end");
    EXPECT_EQ(last_lines(*stream_, 0), (std::vector<std::string>{"one", "<3>two", "no end"}));
    EXPECT_EQ(last_lines(*stream_, 1), std::vector<std::string>());
}

TEST_F(ForwardTest, IsToldOfLinesThatWereDropped) {
    settings_.rate_lines = 1;
    settings_.rate_window = 1'000'000;
    start_logger();
    now_ = 1'772'532'662'000'000;
    job_logs("one\ntwo\nthree\n");
    now_ += 1'000'000;
    ASSERT_EQ(pump_->settle_losses(*stream_, now_), Pump::Moved::Some);
    EXPECT_EQ(read_all(),
              "web@0 | one\nweb@0 | [procsupd: 2 lines lost, 2026-03-03T10:11:02.000000Z to "
              "2026-03-03T10:11:02.000000Z]\n");
}

TEST_F(ForwardTest, DropsTheNewestWhereThatIsPermitted) {
    settings_.on_full = OnFull::DropNewest;
    start_logger();
    job_writes(numbers(1, 9000));
    while (move() == Pump::Moved::HeldUp) now_ += 1'000'000;
    job_writes(numbers(9001, 18000));
    pump_->make_room(*stream_, now_);
    now_ += 1'000'000;
    const auto text = read_while_it_is_written();
    EXPECT_TRUE(text == prefixed(numbers(1, 9000)));
    EXPECT_EQ(pump_->settle_losses(*stream_, now_), Pump::Moved::Some);
    EXPECT_EQ(read_all().substr(0, 39), "web@0 | [procsupd: 9000 lines lost, 197");
}

TEST_F(ForwardTest, AFileTellsOfABeginningThatCouldNotBeWritten) {
    job_logs("begun");
    settings_.to = Destination::Files;
    settings_.format = LogFormat::Raw;
    start_logger();
    job_logs(" and ended\n");
    std::stringstream content;
    content << std::ifstream(root_ + "/web@0.out.log").rdbuf();
    EXPECT_EQ(content.str().substr(0, 31), "[procsupd: 1 line lost, 1970-01");
    EXPECT_TRUE(content.str().ends_with("]\n and ended\n")) << content.str();
}

}  // namespace
}  // namespace procsup::logger
