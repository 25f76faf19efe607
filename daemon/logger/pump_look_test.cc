#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/logger/stream_fixture.h"

namespace procsup::logger {
namespace {

namespace fs = std::filesystem;
using Runs = std::vector<std::uint64_t>;

class PumpLookTest : public StreamFixture {
protected:
    PumpLookTest() : StreamFixture(Destination::Files, "web") { begin(LogFormat::Stamped); }

    void begin(LogFormat format) {
        settings_.format = format;
        settings_.retention.keep = 100;
        start_logger();
    }
    std::string content() const {
        std::stringstream text;
        text << std::ifstream(root_ + "/web.out.log").rdbuf();
        return text.str();
    }
    /// In as many rounds as it takes. How many that were.
    int move_all() {
        for (int rounds = 1;; ++rounds) {
            lookout_->begin_round();
            const auto moved = move();
            if (moved == Pump::Moved::Nothing || moved == Pump::Moved::Refused) return rounds;
        }
    }
    /// So that room is made.
    bool is_half_full() const {
        int waiting = 0;
        ioctl(job_[0], FIONREAD, &waiting);
        return waiting >= fcntl(job_[0], F_GETPIPE_SZ) / 2;
    }
    /// As a logger that is killed when it has taken what is there, and nothing more.
    void take_and_be_killed(Phase phase) {
        batch().slot = 5;
        batch().begin = memory_->streams[5].taken;
        batch().enter(Phase::Filling);
        batch().size =
            static_cast<std::uint32_t>(splice(job_[0], nullptr, staging_[1], nullptr, 65536, SPLICE_F_NONBLOCK));
        if (phase >= Phase::Reading) batch().enter(Phase::Reading);
        if (phase >= Phase::Looking) {
            ASSERT_EQ(read(staging_[0], batch().data, batch().size), static_cast<ssize_t>(batch().size));
            memory_->streams[5].taken = batch().begin + batch().size;
            batch().set_progress({0, memory_->streams[5].line, 0, 0});
            batch().enter(phase);
        }
        restart_logger();
    }
};

TEST_F(PumpLookTest, SeesTheLineInWhateverFormItIsKept) {
    std::uint64_t run = 0;
    for (const auto format : {LogFormat::Raw, LogFormat::Stamped, LogFormat::Json}) {
        begin(format);
        await_line(++run, "^now ready$");
        job_writes("starting\nnow re");
        move_all();
        EXPECT_EQ(seen_.size(), run - 1);
        job_writes("ady\n");
        move_all();
        EXPECT_EQ(seen_.size(), run);
    }
}

TEST_F(PumpLookTest, SeesItWherePartsWereTakenByOneThatWasKilled) {
    std::uint64_t run = 0;
    for (const auto phase : {Phase::Filling, Phase::Reading, Phase::Looking}) {
        await_line(++run, "^now ready$");
        job_writes("now re");
        take_and_be_killed(phase);
        job_writes("ady\n");
        take_and_be_killed(phase);
        EXPECT_EQ(seen_.size(), run);
        restart_logger();
        job_writes("now ready\n");
        move_all();
        EXPECT_EQ(seen_.size(), run) << "once";
    }
}

TEST_F(PumpLookTest, ALineThatIsNotKeptBecauseOfTheRateWasWritten) {
    settings_.rate_lines = 1;
    settings_.rate_window = 1'000'000;
    begin(LogFormat::Raw);
    await_line(1, "ready");
    job_writes("one\ntwo\nready\n");
    move_all();
    EXPECT_EQ(seen_, Runs{1});
    EXPECT_EQ(content(), "one\n");
}

TEST_F(PumpLookTest, ALineThatIsDroppedBecauseNothingCanBeKeptWasWritten) {
    for (const auto on_full : {OnFull::DropNewest, OnFull::DropOldest}) {
        seen_.clear();
        fs::remove(root_ + "/web.out.log");
        settings_.on_full = on_full;
        begin(LogFormat::Raw);
        fs::create_directory(root_ + "/web.out.log");
        await_line(1, "re[a]dy");
        EXPECT_EQ(move(), Pump::Moved::Refused);
        for (int i = 0; i < 6; ++i) {
            job_writes(numbers(1, 2000) + "ready\n" + numbers(2000, 4000));
            // What is looked at takes as many rounds as the machine needs.
            do {
                lookout_->begin_round();
                pump_->make_room(*stream_, now_);
            } while (is_half_full());
        }
        EXPECT_TRUE(pump_->has_losses(*stream_));
        EXPECT_EQ(seen_, Runs{1});
        fs::remove(root_ + "/web.out.log");
        EXPECT_EQ(pump_->retry(*stream_, now_), Pump::Moved::Some);
        move_all();
    }
}

TEST_F(PumpLookTest, WhatIsLookedThroughSlowlyIsKeptAllTheSame) {
    settings_.rate_lines = 3;
    settings_.rate_window = 1'000'000;
    begin(LogFormat::Raw);
    await_line(1, "(a+)+$");
    const auto line = std::string(8000, 'a') + "b\n";
    job_writes(line + line + "more\n" + "dropped\n" + "aaa\n");
    EXPECT_GT(move_all(), 3);
    EXPECT_EQ(seen_, Runs{1});
    EXPECT_EQ(content(), line + line + "more\n");
    EXPECT_TRUE(pump_->has_losses(*stream_));
}

TEST_F(PumpLookTest, IsNotLookedForAgainInWhatWaits) {
    await_line(1, "ready");
    job_writes("ready\n");
    take_and_be_killed(Phase::Writing);
    EXPECT_EQ(seen_, Runs());
}

TEST_F(PumpLookTest, TakesNothingWhenThereIsNoTimeToLook) {
    await_line(1, "(a+)+$");
    job_writes(std::string(8000, 'a') + "b\n");
    EXPECT_EQ(move(), Pump::Moved::HeldUp);
    while (lookout_->has_time()) EXPECT_EQ(move(), Pump::Moved::HeldUp);
    EXPECT_TRUE(pump_->has_waiting(*stream_));
    await_line(2, "x");
    lookout_->begin_round();
    EXPECT_EQ(move(), Pump::Moved::Some) << "what nobody asks for any more does not hold it up";
    EXPECT_FALSE(pump_->has_waiting(*stream_));
}

TEST_F(PumpLookTest, CostsNoMemoryWhereNothingIsAwaited) {
    const auto is_there = [&] {
        const auto page = sysconf(_SC_PAGESIZE);
        std::vector<unsigned char> pages(sizeof(AwaitedLine) / static_cast<std::size_t>(page));
        EXPECT_EQ(mincore(&memory_->awaited[5], sizeof(AwaitedLine), pages.data()), 0);
        return std::count_if(pages.begin(), pages.end(), [](unsigned char one) { return (one & 1) != 0; });
    };
    job_writes("a line and no");
    move_all();
    EXPECT_EQ(is_there(), 0);
    await_line(1, "x");
    job_writes(" end");
    move_all();
    EXPECT_EQ(is_there(), 2) << "the expression, and the line";
}

}  // namespace
}  // namespace procsup::logger
