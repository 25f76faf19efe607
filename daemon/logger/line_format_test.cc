#include "daemon/logger/line_format.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "common/json.h"

namespace procsup::logger {
namespace {

constexpr std::int64_t kTime = 1'772'532'662'123'456;  // 2026-03-03T10:11:02.123456Z
constexpr std::string_view kStamp = "2026-03-03T10:11:02.123456Z ";

/// The files that these batches become.
std::vector<std::string> files_of(LogFormat form, std::uint64_t max_size, const std::vector<std::string>& batches) {
    LineFormat format(form, max_size, {"web", "web@0", "stdout"});
    format.set_time(kTime);
    std::vector<std::string> files(1);
    LineState line;
    for (const std::string_view batch : batches) {
        for (std::size_t used = 0; used < batch.size();) {
            const auto step = format.next(batch.substr(used), line, files.back().size());
            EXPECT_TRUE(step.consumed > 0 || step.rotate) << "makes no progress";
            files.back().append(step.bytes);
            used += step.consumed;
            line = step.after;
            if (step.rotate) files.emplace_back();
        }
    }
    return files;
}

std::string joined(const std::vector<std::string>& files) {
    std::string all;
    for (const auto& file : files) all += file;
    return all;
}

TEST(LineFormat, StampsHaveSixDigits) {
    EXPECT_EQ(time_stamp(kTime), "2026-03-03T10:11:02.123456Z");
    EXPECT_EQ(time_stamp(0), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(time_stamp(951'782'400'000'001), "2000-02-29T00:00:00.000001Z");
}

TEST(LineFormat, RawIsWhatCame) {
    const std::string bytes("a\0b\n\xff\n\nlast", 11);
    EXPECT_EQ(files_of(LogFormat::Raw, 0, {bytes}), std::vector<std::string>{bytes});
}

TEST(LineFormat, StampsEachLineOnce) {
    const std::string stamp(kStamp);
    EXPECT_EQ(files_of(LogFormat::Stamped, 0, {"one\ntw", "o\n", "\nthr"}),
              std::vector<std::string>{stamp + "one\n" + stamp + "two\n" + stamp + "\n" + stamp + "thr"});
}

TEST(LineFormat, WritesAnObjectALine) {
    const auto files = files_of(LogFormat::Json, 0, {"say \"hi\"\t\x01\n\xc3", "\xa4\xff\xe2\x82\n"});
    EXPECT_EQ(files[0], R"({"time":"2026-03-03T10:11:02.123456Z","job":"web","instance":"web@0","stream":"stdout",)"
                        R"("message":"say \"hi\"\t\u0001"})"
                        "\n"
                        R"({"time":"2026-03-03T10:11:02.123456Z","job":"web","instance":"web@0","stream":"stdout",)"
                        "\"message\":\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}\n");
}

TEST(LineFormat, RotatesBetweenLines) {
    EXPECT_EQ(files_of(LogFormat::Raw, 10, {"12345\n678\nabc\nd"}),
              (std::vector<std::string>{"12345\n678\n", "abc\nd"}));
    EXPECT_EQ(files_of(LogFormat::Raw, 10, {"12345\n", "6789\n", "abc\n"}),
              (std::vector<std::string>{"12345\n", "6789\nabc\n"}));
    EXPECT_EQ(files_of(LogFormat::Stamped, 70, {"one\ntwo\nthree\n"}),
              (std::vector<std::string>{std::string(kStamp) + "one\n" + std::string(kStamp) + "two\n",
                                        std::string(kStamp) + "three\n"}));
}

TEST(LineFormat, ALineThatIsBegunIsEndedInItsFile) {
    EXPECT_EQ(files_of(LogFormat::Raw, 10, {"1234\nabc", "defghi\nnext\n"}),
              (std::vector<std::string>{"1234\nabcdefghi\n", "next\n"}));
}

TEST(LineFormat, ALineLongerThanAFileIsCut) {
    EXPECT_EQ(files_of(LogFormat::Raw, 10, {"1234567890abcde\nx\n"}),
              (std::vector<std::string>{"1234567890", "abcde\nx\n"}));
    const auto files = files_of(LogFormat::Stamped, 50, {std::string(60, 'x') + "\n"});
    ASSERT_GE(files.size(), 2u);
    EXPECT_TRUE(files[0].ends_with("x\n"));
    EXPECT_TRUE(files[1].starts_with(std::string(kStamp) + "[continued] x"));
    const auto object = json::parse(files_of(LogFormat::Json, 200, {std::string(600, 'x') + "\n"})[0]);
    ASSERT_TRUE(object);
    EXPECT_TRUE(object->bool_or("cut", false));
}

TEST(LineFormat, TellsOfLossesInItsOwnForm) {
    LineFormat format(LogFormat::Json, 0, {"web", "web@0", "stderr"});
    format.set_time(kTime);
    LineState begun;
    begun.length = 5;
    begun.format = 1 + static_cast<std::uint32_t>(LogFormat::Json);
    EXPECT_EQ(
        format.note_loss(1, kTime, kTime + 1, begun).bytes,
        "\"}\n"
        R"({"time":"2026-03-03T10:11:02.123456Z","job":"web","instance":"web@0","stream":"stderr",)"
        R"("message":"[procsupd: 1 line lost, 2026-03-03T10:11:02.123456Z to 2026-03-03T10:11:02.123457Z]","lost":1})"
        "\n");
}

TEST(LineFormat, ALineThatWasBegunInAnotherFormatStaysInItsFile) {
    const std::string stamp(kStamp);
    const auto goes_on = [](LogFormat first, LogFormat then) {
        LineFormat before(first, 0, {"web", "web", "stdout"}), after(then, 0, {"web", "web", "stdout"});
        before.set_time(kTime);
        after.set_time(kTime);
        std::vector<std::string> files(1);
        const auto begun = before.next("beg\xc3", {}, 0);
        files.back().append(begun.bytes);
        const auto left = after.next("un\n", begun.after, files.back().size());
        EXPECT_EQ(left.consumed, 0u);
        EXPECT_TRUE(left.rotate);
        files.back().append(left.bytes);
        files.emplace_back(after.next("un\n", left.after, 0).bytes);
        return files;
    };
    EXPECT_EQ(goes_on(LogFormat::Raw, LogFormat::Stamped),
              (std::vector<std::string>{"beg\xc3", stamp + "[continued] un\n"}));
    EXPECT_EQ(goes_on(LogFormat::Stamped, LogFormat::Raw), (std::vector<std::string>{stamp + "beg\xc3\n", "un\n"}));
    const auto files = goes_on(LogFormat::Json, LogFormat::Raw);
    EXPECT_TRUE(files[0].ends_with("\"message\":\"beg\xef\xbf\xbd\",\"cut\":true}\n")) << files[0];
    EXPECT_EQ(files[1], "un\n");
}

/// However the bytes are divided into batches, the same lines come out, in files that are not larger than one line allows.
TEST(LineFormat, DoesNotDependOnBatches) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::string all;
        std::vector<std::string> batches(1 + random() % 20);
        for (auto& batch : batches) {
            for (auto size = random() % 200; size > 0; --size)
                batch += random() % 12 == 0 ? '\n' : static_cast<char>(random());
            all += batch;
        }
        EXPECT_EQ(joined(files_of(LogFormat::Raw, 64, batches)), all);
        EXPECT_EQ(files_of(LogFormat::Stamped, 0, batches), files_of(LogFormat::Stamped, 0, {all}));
        EXPECT_EQ(files_of(LogFormat::Json, 0, batches), files_of(LogFormat::Json, 0, {all}));
        for (const auto& file : files_of(LogFormat::Raw, 64, batches)) EXPECT_LT(file.size(), 129u);
    }
}

}  // namespace
}  // namespace procsup::logger
