#include "ctl/logs/source.h"

#include <gtest/gtest.h>

#include "ctl/logs/log_fixture.h"
#include "ctl/logs/merge.h"

namespace procsup::ctl {
namespace {

LogStream stream_with(std::vector<std::pair<LogFile, std::string>> files) {
    LogStream stream;
    for (auto& [file, bytes] : files) {
        file.size = bytes.size();
        stream.files.push_back({file, file_of(bytes)});
    }
    return stream;
}

std::vector<std::string> texts(LogStream& stream, std::size_t block, const Wanted& wanted = {}) {
    Source source(stream, wanted, Range(), block, [](const std::string&) {});
    source.finish();
    std::vector<std::string> result;
    std::string room;
    while (source.next()) result.emplace_back(text_of(source.line(), room));
    return result;
}

TEST(LogSource, GivesTheSameLinesWhateverTheBlocks) {
    std::string bytes;
    for (int i = 0; i < 60; ++i) bytes += stamped(i, std::string(static_cast<std::size_t>(i), 'x'));
    auto stream = stream_with({{compressed_file("a@0", 1), compressed(bytes)}, {plain_file("a@0", 2), bytes}});
    const auto expected = texts(stream, 1u << 20);
    EXPECT_EQ(expected.size(), 120u);
    for (const std::size_t block : {1u, 7u, 64u, 333u}) EXPECT_EQ(texts(stream, block), expected) << block;
}

TEST(LogSource, FindsTheSameLinesWhateverTheBlocks) {
    std::string bytes;
    for (int i = 0; i < 60; ++i) bytes += stamped(i, "line " + std::to_string(i));
    auto stream = stream_with({{plain_file("a@0", 1), bytes}});
    const auto grep = Grep::compile("line .*[37]$");
    const Wanted wanted{INT64_MIN, INT64_MAX, &*grep};
    const auto expected = texts(stream, 1u << 20, wanted);
    EXPECT_EQ(expected.size(), 12u);
    for (const std::size_t block : {7u, 64u, 333u}) EXPECT_EQ(texts(stream, block, wanted), expected) << block;
}

TEST(LogSource, UnpacksABigFileInAThread) {
    std::string bytes;
    std::uint64_t noise = 1;
    for (int i = 0; i < 100000; ++i) {
        noise = noise * 6364136223846793005u + 1442695040888963407u;
        bytes += stamped(i % 60, std::to_string(noise));
    }
    auto stream = stream_with({{compressed_file("a@0", 1), compressed(bytes)}, {plain_file("a@0", 2), bytes}});
    ASSERT_GT(stream.files[0].file.size, 256u << 10);
    const auto lines = texts(stream, 256u << 10);
    ASSERT_EQ(lines.size(), 200000u);
    EXPECT_TRUE(std::equal(lines.begin(), lines.begin() + 100000, lines.begin() + 100000));
}

TEST(LogSource, NeverGoesBackInTime) {
    auto stream = stream_with({{plain_file("a@0", 1), stamped(5, "a") + stamped(1, "b") + stamped(6, "c")}});
    Source source(stream, {}, Range(), 4096, [](const std::string&) {});
    std::int64_t last = INT64_MIN;
    while (source.next()) {
        EXPECT_GE(source.key(), last);
        last = source.key();
    }
}

}  // namespace
}  // namespace procsup::ctl
