#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/logger/stream_fixture.h"

namespace procsup::logger {
namespace {

namespace fs = std::filesystem;

class PumpTest : public StreamFixture {
protected:
    PumpTest() : StreamFixture(Destination::Files, "web") {
        signal(SIGXFSZ, SIG_IGN);  // of files that may not get larger
        now_ = 0;
        start_logger();
    }

    void start_logger(LogFormat format = LogFormat::Raw, std::uint64_t max_size = 0) {
        settings_.format = format;
        settings_.retention.max_size = max_size;
        settings_.retention.keep = 100;
        StreamFixture::start_logger();
    }
    std::string content() const {
        std::stringstream text;
        text << std::ifstream(root_ + "/web.out.log").rdbuf();
        return text.str();
    }
    /// Takes what the job has written as far as the staging pipe.
    std::uint32_t stage() {
        batch().slot = 5;
        batch().enter(Phase::Filling);
        return static_cast<std::uint32_t>(splice(job_[0], nullptr, staging_[1], nullptr, 65536, SPLICE_F_NONBLOCK));
    }
};

TEST_F(PumpTest, MovesWhatIsThere) {
    job_writes("one\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    EXPECT_EQ(move(), Pump::Moved::Nothing);
    job_writes("two\n");
    close(job_[1]);
    EXPECT_EQ(move(), Pump::Moved::Some);
    EXPECT_EQ(move(), Pump::Moved::End);
    job_[1] = dup(job_[0]);  // for the destructor
    EXPECT_EQ(content(), "one\ntwo\n");
}

TEST_F(PumpTest, GoesOnFromTheStagingPipe) {
    job_writes("one\n");
    EXPECT_EQ(stage(), 4u);
    job_writes("two\n");
    start_logger();
    pump_->recover(0);
    EXPECT_EQ(content(), "one\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    EXPECT_EQ(content(), "one\ntwo\n");
}

TEST_F(PumpTest, GoesOnBeforeAnythingWasTaken) {
    batch().slot = 5;
    batch().enter(Phase::Filling);
    start_logger();
    pump_->recover(0);
    EXPECT_EQ(batch().phase, Phase::Idle);
    EXPECT_EQ(content(), "");
}

TEST_F(PumpTest, GoesOnInTheMiddleOfReading) {
    job_writes("one\ntwo\n");
    batch().size = stage();
    batch().enter(Phase::Reading);
    ASSERT_EQ(read(staging_[0], batch().data, 3), 3);
    start_logger();
    pump_->recover(0);
    EXPECT_EQ(content(), "one\ntwo\n");
}

TEST_F(PumpTest, WritesOnceWhatWasWrittenAndNotNoted) {
    job_writes("before\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    job_writes("one\ntwo\n");
    batch().size = stage();
    batch().enter(Phase::Reading);
    ASSERT_EQ(read(staging_[0], batch().data, batch().size), 8);
    batch().set_progress({0, {}, stream_->file.size(), stream_->file.id()});
    batch().enter(Phase::Writing);
    ASSERT_TRUE(stream_->file.append("one\ntw"));
    start_logger();
    pump_->recover(0);
    EXPECT_EQ(content(), "before\none\ntwo\n");
}

TEST_F(PumpTest, KnowsThatTheFileWasRotatedBeforeItCouldNoteIt) {
    start_logger(LogFormat::Raw, 8);
    job_writes("one\ntwo\nthree\n");
    batch().size = stage();
    batch().enter(Phase::Reading);
    ASSERT_EQ(read(staging_[0], batch().data, batch().size), 14);
    ASSERT_TRUE(stream_->file.look(0));
    ASSERT_TRUE(stream_->file.append("one\ntwo\n"));
    batch().set_progress({8, {}, 8, stream_->file.id()});
    batch().enter(Phase::Writing);
    ASSERT_TRUE(stream_->file.rotate());
    start_logger(LogFormat::Raw, 8);
    pump_->recover(0);
    EXPECT_EQ(content(), "three\n");
}

TEST_F(PumpTest, WhatCannotBeWrittenWaitsAndHoldsUpNobodyElse) {
    fs::create_directory(root_ + "/web.out.log");
    job_writes("one\n");
    EXPECT_EQ(move(), Pump::Moved::Refused);
    EXPECT_NE(stream_->problem, "");
    EXPECT_FALSE(pump_->has_waiting(*stream_)) << "nothing is taken that cannot be written";
    fs::remove(root_ + "/web.out.log");
    EXPECT_EQ(move(), Pump::Moved::Some);
    EXPECT_EQ(content(), "one\n");
}

TEST_F(PumpTest, ALineIsStampedOnceOverACrash) {
    start_logger(LogFormat::Stamped);
    job_writes("begun");
    EXPECT_EQ(move(), Pump::Moved::Some);
    start_logger(LogFormat::Stamped);
    pump_->recover(0);
    job_writes(" and ended\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    EXPECT_EQ(content(), "1970-01-01T00:00:00.000000Z begun and ended\n");
}

TEST_F(PumpTest, ARemovedFileTakesTheBeginningOfItsLineWithIt) {
    start_logger(LogFormat::Stamped);
    job_writes("begun");
    EXPECT_EQ(move(), Pump::Moved::Some);
    fs::remove(root_ + "/web.out.log");
    job_writes(" and ended\nnext\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    const std::string stamp("1970-01-01T00:00:00.000000Z ");
    EXPECT_EQ(content(), stamp + "[continued]  and ended\n" + stamp + "next\n");
}

using Lines = std::vector<std::string>;
constexpr std::int64_t kNow = 1'772'532'662'000'000;
constexpr std::string_view kAtNow = "2026-03-03T10:11:02.000000Z to 2026-03-03T10:11:02.000000Z]\n";

std::string numbers(int from, int to) {
    std::string lines;
    for (int i = from; i <= to; ++i) lines += std::to_string(i) + "\n";
    return lines;
}

/// Nothing can be written until it goes.
struct Obstacle {
    explicit Obstacle(std::string at) : path(std::move(at)) { fs::create_directory(path); }
    ~Obstacle() { fs::remove(path); }
    std::string path;
};

TEST_F(PumpTest, AWriteThatWasCutShortIsMadeAgain) {
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{10, before.rlim_max};
    job_writes("12345678\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    job_writes("abcdef\nghi");
    setrlimit(RLIMIT_FSIZE, &small);
    EXPECT_EQ(move(), Pump::Moved::Refused);
    EXPECT_EQ(content(), "12345678\n") << "nothing of it stands there half";
    EXPECT_TRUE(pump_->has_waiting(*stream_));
    EXPECT_EQ(pump_->retry(*stream_, 0), Pump::Moved::Refused);
    start_logger();
    setrlimit(RLIMIT_FSIZE, &before);
    pump_->recover(0);
    EXPECT_EQ(content(), "12345678\nabcdef\nghi");
}

TEST_F(PumpTest, WritesAsMuchAsThereIsRoomFor) {
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{50'000, before.rlim_max};
    start_logger(LogFormat::Stamped);
    const auto lines = numbers(1, 8000);
    job_writes(lines);
    setrlimit(RLIMIT_FSIZE, &small);
    EXPECT_EQ(move(), Pump::Moved::Refused);
    EXPECT_GT(content().size(), 30'000u);
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(pump_->retry(*stream_, 0), Pump::Moved::Some);
    std::string bare;
    const auto all = content();
    for (std::string_view rest = all; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
        bare += rest.substr(28, rest.find('\n') - 27);
    }
    EXPECT_TRUE(bare == lines);
}

TEST_F(PumpTest, TheNewestLinesAreDroppedAndCounted) {
    settings_.on_full = OnFull::DropNewest;
    start_logger();
    job_writes("kept, no end");
    EXPECT_EQ(move(), Pump::Moved::Some);
    {
        const Obstacle obstacle(root_ + "/moved");
        fs::rename(root_ + "/web.out.log", root_ + "/old");
        fs::rename(root_ + "/moved", root_ + "/web.out.log");
        start_logger();
        job_writes(" " + numbers(1, 8000) + "half");
        EXPECT_EQ(move(), Pump::Moved::Refused);
        pump_->make_room(*stream_, kNow);
        fs::remove(root_ + "/web.out.log");
        fs::rename(root_ + "/old", root_ + "/web.out.log");
    }
    job_writes(" a line\nnext\n");
    EXPECT_EQ(pump_->retry(*stream_, kNow), Pump::Moved::Some);
    EXPECT_EQ(move(), Pump::Moved::Some);
    EXPECT_EQ(content(), "kept, no end\n[procsupd: 8001 lines lost, " + std::string(kAtNow) + "next\n");
}

TEST_F(PumpTest, TheOldestLinesAreDroppedAndCounted) {
    settings_.on_full = OnFull::DropOldest;
    start_logger();
    {
        const Obstacle obstacle(root_ + "/web.out.log");
        EXPECT_EQ(move(), Pump::Moved::Refused);
        job_writes("few\n");
        pump_->make_room(*stream_, kNow);
        EXPECT_FALSE(pump_->has_waiting(*stream_)) << "there is still room";
        job_writes(numbers(1, 8000));
        pump_->make_room(*stream_, kNow);
        job_writes(numbers(8001, 15000));
        pump_->make_room(*stream_, kNow);
        job_writes("last\n");
    }
    EXPECT_EQ(pump_->retry(*stream_, kNow), Pump::Moved::Some);
    EXPECT_EQ(move(), Pump::Moved::Some);
    const auto all = "[procsupd: 8001 lines lost, " + std::string(kAtNow) + numbers(8001, 15000) + "last\n";
    EXPECT_TRUE(content() == all) << content().substr(0, 200);
}

TEST_F(PumpTest, ASmallPipeIsFullSooner) {
    settings_.on_full = OnFull::DropNewest;
    start_logger();
    ASSERT_EQ(fcntl(stream_->pipe.get(), F_SETPIPE_SZ, 4096), 4096);
    const Obstacle obstacle(root_ + "/web.out.log");
    job_writes(numbers(1, 300));
    pump_->make_room(*stream_, kNow);
    EXPECT_FALSE(pump_->has_losses(*stream_));
    job_writes(numbers(301, 900));
    pump_->make_room(*stream_, kNow);
    EXPECT_TRUE(pump_->has_losses(*stream_));
}

TEST_F(PumpTest, WhoMayLoseNothingWaits) {
    const Obstacle obstacle(root_ + "/web.out.log");
    job_writes(numbers(1, 8000));
    EXPECT_EQ(move(), Pump::Moved::Refused);
    pump_->make_room(*stream_, kNow);
    EXPECT_FALSE(pump_->has_losses(*stream_));
    EXPECT_EQ(memory_->written_to(5, job_[0], staging_[0]), numbers(1, 8000).size());
}

TEST_F(PumpTest, WritesNoMoreLinesThanAreAllowed) {
    settings_.rate_lines = 3;
    settings_.rate_window = 1'000'000;
    start_logger();
    std::size_t bytes = 0;
    job_writes("1\n2\n");
    EXPECT_EQ(pump_->move(*stream_, kNow, bytes), Pump::Moved::Some);
    job_writes("3\n4\n5\nhal");
    EXPECT_EQ(pump_->move(*stream_, kNow, bytes), Pump::Moved::Some);
    job_writes("f\n7\n");
    EXPECT_EQ(pump_->move(*stream_, kNow, bytes), Pump::Moved::Some);
    EXPECT_EQ(content(), "1\n2\n3\n");
    job_writes("8\n");
    EXPECT_EQ(pump_->move(*stream_, kNow + 1'000'000, bytes), Pump::Moved::Some);
    EXPECT_EQ(content(), "1\n2\n3\n[procsupd: 4 lines lost, " + std::string(kAtNow) + "8\n");
}

TEST_F(PumpTest, RunsAreToldApartInOneBatch) {
    start_logger(LogFormat::Stamped);
    const auto begin_run = [&](std::int64_t time) {
        memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), time});
    };
    begin_run(1);
    job_writes("one\nno end");
    begin_run(2);
    begin_run(3);
    job_writes("three\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    begin_run(4);
    pump_->note_runs(*stream_);
    EXPECT_EQ(memory_->streams[5].marks_seen, 4u);
    EXPECT_EQ(last_lines(*stream_, 3), (Lines{"one", "no end"}));
    EXPECT_EQ(last_lines(*stream_, 2), Lines());
    EXPECT_EQ(last_lines(*stream_, 1), Lines{"three"});
    EXPECT_EQ(last_lines(*stream_, 0), Lines());
    EXPECT_EQ(last_lines(*stream_, 4), Lines()) << "a run that is not known";
    const auto stamp = std::string("1970-01-01T00:00:00.000000Z ");
    EXPECT_EQ(content(), stamp + "one\n" + stamp + "no end\n" + stamp + "three\n");
}

TEST_F(PumpTest, TheEndOfARunIsToldAndLeavesTheFileAsItIs) {
    start_logger(LogFormat::Stamped);
    job_writes("part");
    EXPECT_EQ(move(), Pump::Moved::Some);
    const auto before = content();
    pump_->let_line_end(*stream_);
    EXPECT_EQ(move(), Pump::Moved::Nothing);
    EXPECT_EQ(lines_ended_, 1);
    EXPECT_EQ(content(), before);
}

TEST_F(PumpTest, ARunIsNotTheRestOfALostLine) {
    settings_.rate_lines = 1;
    settings_.rate_window = 1'000'000;
    start_logger();
    std::size_t bytes = 0;
    job_writes("one\ntwo");
    EXPECT_EQ(pump_->move(*stream_, kNow, bytes), Pump::Moved::Some);
    memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), 2});
    job_writes("first of the next\n");
    EXPECT_EQ(pump_->move(*stream_, kNow + 2'000'000, bytes), Pump::Moved::Some);
    EXPECT_EQ(content(), "one\n[procsupd: 1 line lost, " + std::string(kAtNow) + "first of the next\n");
}

TEST_F(PumpTest, ALossThatCannotBeToldOfIsAProblem) {
    settings_.rate_lines = 1;
    settings_.rate_window = 1'000'000;
    start_logger();
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{10, before.rlim_max};
    std::size_t bytes = 0;
    job_writes("one\ntwo\n");
    EXPECT_EQ(pump_->move(*stream_, kNow, bytes), Pump::Moved::Some);
    setrlimit(RLIMIT_FSIZE, &small);
    EXPECT_EQ(pump_->settle_losses(*stream_, kNow), Pump::Moved::Refused);
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_NE(stream_->problem, "");
    EXPECT_EQ(content(), "one\n");
    EXPECT_EQ(pump_->retry(*stream_, kNow), Pump::Moved::Some);
    EXPECT_EQ(content(), "one\n[procsupd: 1 line lost, " + std::string(kAtNow));
}

TEST_F(PumpTest, KnowsRunsOfALoggerBefore) {
    memory_->streams[5].marks.add({0, 1});
    job_writes("one\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    start_logger();
    memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), 2});
    job_writes("two\n");
    EXPECT_EQ(move(), Pump::Moved::Some);
    EXPECT_EQ(last_lines(*stream_, 1), Lines{"one"});
    EXPECT_EQ(last_lines(*stream_, 0), Lines{"two"});
}

TEST_F(PumpTest, CountsWhatIsBetweenThePipes) {
    job_writes("12345");
    batch().begin = 0;
    EXPECT_EQ(stage(), 5u);
    job_writes("678");
    EXPECT_EQ(memory_->written_to(5, job_[0], staging_[0]), 8u);
    EXPECT_EQ(memory_->written_to(6, job_[0], staging_[0]), 3u) << "what is staged is another's";
    batch().size = 5;
    batch().enter(Phase::Reading);
    ASSERT_EQ(read(staging_[0], batch().data, 4), 4);
    EXPECT_EQ(memory_->written_to(5, job_[0], staging_[0]), 8u) << "in the middle of reading";
    memory_->streams[5].taken = 5;
    EXPECT_EQ(memory_->written_to(5, job_[0], staging_[0]), 8u) << "and at the end of it";
}

TEST_F(PumpTest, LastLinesAreFew) {
    memory_->streams[5].marks.add({0, 1});
    for (int i = 1; i <= 5000; ++i) job_writes(std::to_string(i) + "\n");
    while (move() == Pump::Moved::Some) continue;
    const auto lines = last_lines(*stream_, 0);
    ASSERT_EQ(lines.size(), kTailLines);
    EXPECT_EQ(lines.front(), "4991");
    EXPECT_EQ(lines.back(), "5000");
}

}  // namespace
}  // namespace procsup::logger
