#include <cstring>
#include <fstream>
#include <sstream>

#include "daemon/logger/stream_fixture.h"

namespace procsup::logger {
namespace {

std::string prefixed(const std::string& lines) {
    std::istringstream stream(lines);
    std::string all;
    for (std::string line; std::getline(stream, line);) all += "web@0 | " + line + "\n";
    return all;
}

/// And what reads procsupd's output.
class ForwardTest : public StreamFixture {
protected:
    ForwardTest() : StreamFixture(Destination::Output, "web@0") {
        pipe2(out_, O_CLOEXEC);
        fcntl(out_[0], F_SETFL, O_NONBLOCK);
        output_fd_ = out_[1];
        start_logger();
    }
    ~ForwardTest() override {
        for (const int fd : out_) close(fd);
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

    int out_[2];
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
    forget_what_was_handed_on("gun\nnext, ");
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
