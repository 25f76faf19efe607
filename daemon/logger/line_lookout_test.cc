#include "daemon/logger/line_lookout.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <random>
#include <vector>

namespace procsup::logger {
namespace {

using namespace std::literals;

constexpr std::uint32_t kSlot = 5;

/// A stream, and loggers that look out for lines of it.
class LineLookoutTest : public testing::Test {
protected:
    LineLookoutTest() {
        auto file = Memory::create();
        memory_ = *Memory::map(*file);
        start_logger();
    }
    ~LineLookoutTest() override { munmap(memory_, sizeof(Memory)); }

    void start_logger() {
        lookout_ = std::make_unique<LineLookout>(
            *memory_, LineLookout::Hooks{[this](std::uint32_t slot, std::uint64_t run) {
                                             EXPECT_EQ(slot, kSlot);
                                             seen_.push_back(run);
                                         },
                                         [this](std::uint32_t, std::uint64_t, const std::string& fault) {
                                             faults_.push_back(fault);
                                         }});
    }
    void await(std::uint64_t run, std::string_view expression, std::uint64_t from) {
        auto& awaited = memory_->awaited[kSlot];
        awaited.from = from;
        awaited.expression_size = static_cast<std::uint32_t>(expression.copy(awaited.expression_text, 2048));
        memory_->streams[kSlot].awaited = run;
    }
    void look(std::uint64_t begin, std::string_view data) {
        lookout_->begin_round();
        while (!lookout_->look(kSlot, begin, data)) lookout_->begin_round();
    }
    /// The next bytes of the stream.
    void writes(std::string_view data) {
        look(written_, data);
        written_ += data.size();
    }
    std::uint64_t state() const { return memory_->streams[kSlot].awaited; }

    using Runs = std::vector<std::uint64_t>;
    Memory* memory_ = nullptr;
    std::unique_ptr<LineLookout> lookout_;
    std::uint64_t written_ = 0;
    Runs seen_;
    std::vector<std::string> faults_;
};

TEST_F(LineLookoutTest, TellsOnceOfTheLineThatMatches) {
    await(7, "ready|up", 0);
    writes("starting\nalmost rea\n");
    EXPECT_EQ(seen_, Runs());
    writes("now ready\nready\n");
    writes("ready\n");
    EXPECT_EQ(seen_, Runs{7});
    EXPECT_EQ(state(), 7 | kLineSeen);
    start_logger();
    writes("ready\n");
    EXPECT_EQ(seen_, Runs{7}) << "the one that follows knows of it";
}

TEST_F(LineLookoutTest, ALineIsPutTogetherOfItsParts) {
    for (const char* expression : {"now ready$", "now ready"}) {
        seen_.clear();
        await(written_ + 1, expression, written_);
        for (const char c : "not ready\nnow read"s) writes({&c, 1});
        EXPECT_EQ(seen_, Runs());
        writes("y");
        EXPECT_EQ(seen_, Runs()) << "before its end it may be another one";
        writes("\nfurther");
        EXPECT_EQ(seen_.size(), 1u) << expression;
    }
}

TEST_F(LineLookoutTest, WhatARunBeforeHasWrittenDoesNotCount) {
    await(8, "half ready", 25);
    look(0, "half ready\nhalf ready\nhalf ");
    look(27, "ready\n");
    EXPECT_EQ(seen_, Runs()) << "its first line is 'f ready' without what comes before";
    look(33, "half ready\n");
    EXPECT_EQ(seen_, Runs{8});
}

TEST_F(LineLookoutTest, TheNextRunIsAwaitedAnew) {
    await(1, "ready", 0);
    writes("ready\nrea");
    EXPECT_EQ(seen_, Runs{1});
    await(2, "ready", written_);
    writes("dy\n");
    EXPECT_EQ(seen_, Runs{1}) << "its line begins with it";
    memory_->streams[kSlot].awaited = 0;
    writes("ready\n");
    EXPECT_EQ(seen_, Runs{1}) << "nobody asks";
    await(3, "other", written_);
    writes("ready\nother\n");
    EXPECT_EQ(seen_, (Runs{1, 3}));
}

TEST_F(LineLookoutTest, ALoggerGoesOnWhereTheOneBeforeItWas) {
    await(1, "^now ready$", 0);
    writes("first\nnow r");
    start_logger();
    writes("ea");
    start_logger();
    look(written_ - 2, "ea");
    EXPECT_EQ(memory_->awaited[kSlot].place().length, 7u) << "what it looks at again counts once";
    writes("dy\n");
    EXPECT_EQ(seen_, Runs{1});
}

TEST_F(LineLookoutTest, OfALongLineTheFirstBytesCount) {
    for (const auto part : {4096u, 100'000u, 5000u}) {
        SCOPED_TRACE(part);
        const auto in_parts = [&](const std::string& text) {
            for (std::size_t at = 0; at < text.size(); at += part) writes(std::string_view(text).substr(at, part));
        };
        const std::string filler(AwaitedLine::kMost - 5, 'x');
        for (const char* expression : {"ready", "r[e]ady"}) {
            seen_.clear();
            await(written_ + 1, expression, written_);
            in_parts(filler + "xready" + filler + filler + "ready\n");
            EXPECT_EQ(seen_, Runs());
            in_parts(filler + "ready");
            EXPECT_EQ(seen_.size(), 1u) << "which are there, whether it ends or not";
            in_parts("\n");
        }
    }
}

TEST_F(LineLookoutTest, BytesAreBytes) {
    await(1, "re\\x00dy", 0);
    writes("\0\0\n\xff\xfe re\0dy\n"sv);
    EXPECT_EQ(seen_, Runs{1});
    await(2, "^$", written_);
    writes("x\n");
    EXPECT_EQ(seen_, Runs{1});
    writes("\n");
    EXPECT_EQ(seen_, (Runs{1, 2}));
}

TEST_F(LineLookoutTest, AnExpressionThatIsNoneIsToldOfOnce) {
    await(1, "a(b", 0);
    writes("a(b\n");
    writes("a(b\n");
    ASSERT_EQ(faults_.size(), 1u);
    EXPECT_NE(faults_[0].find("missing closing parenthesis"), std::string::npos) << faults_[0];
    EXPECT_EQ(seen_, Runs());
}

TEST_F(LineLookoutTest, MayTakeOnlySoMuchOfARound) {
    await(1, "(a+)+$", 0);
    const auto lines = std::string(16'000, 'a') + "b\n";
    lookout_->begin_round();
    int turns = 1;
    for (; !lookout_->look(kSlot, 0, lines); ++turns) {
        if (lookout_->has_time()) continue;
        EXPECT_FALSE(lookout_->look(kSlot, 0, lines)) << "nothing more in this round";
        lookout_->begin_round();
    }
    EXPECT_GT(turns, 3);
    EXPECT_EQ(faults_.size(), 1u);
    look(lines.size(), "aaa\n");
    EXPECT_EQ(seen_, Runs{1});
}

TEST_F(LineLookoutTest, AgreesWithALookAtAllAtOnce) {
    std::mt19937 random(4711);
    const auto one_of = [&](std::size_t count) { return random() % count; };
    for (int round = 0; round < 400; ++round) {
        const char* const expression = std::vector{"ab", "^ab", "a[b]$", "b.*a"}[one_of(4)];
        std::string text(1 + one_of(60), ' ');
        for (auto& c : text) c = "ab\n"[one_of(3)];
        const auto from = one_of(text.size());
        auto compiled = LineSearch::compile(expression);
        SearchRoom room;
        bool expected = false;
        for (auto at = from, end = text.find('\n', at); end != std::string::npos;
             at = end + 1, end = text.find('\n', at)) {
            SearchTurn turn(1'000'000);
            const auto line = std::string_view(text).substr(at, end - at);
            expected = expected || compiled->search(line, at, room, turn) == LineSearch::Found::Yes;
        }
        seen_.clear();
        await(static_cast<std::uint64_t>(round) + 1, expression, written_ + from);
        for (std::size_t at = 0; at < text.size();) {
            const auto size = std::min(text.size() - at, 1 + one_of(8));
            if (one_of(4) == 0) start_logger();
            writes(std::string_view(text).substr(at, size));
            at += size;
        }
        ASSERT_EQ(!seen_.empty(), expected) << expression << " from " << from << " in '" << text << "'";
    }
}

}  // namespace
}  // namespace procsup::logger
