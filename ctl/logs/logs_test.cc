#include <gtest/gtest.h>

#include "ctl/logs/log_fixture.h"

namespace procsup::ctl {
namespace {

std::string repeated(int count, std::string_view text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += stamped(i % 60, std::string(text) + std::to_string(i));
    return all;
}

TEST(Logs, PrintsLinesOfAllStreamsByTime) {
    FakeLogger logger;
    logger.offer(plain_file("web@0", 1), stamped(1, "a") + stamped(4, "d"));
    logger.offer(plain_file("web@1/stderr", 1), stamped(2, "b") + stamped(3, "c"));
    logger.listed();
    const auto printed = logger.logs({"web"});
    EXPECT_EQ(printed.out,
              "2026-03-03 10:11:01.000 web@0 out | a\n"
              "2026-03-03 10:11:02.000 web@1 ERR | b\n"
              "2026-03-03 10:11:03.000 web@1 ERR | c\n"
              "2026-03-03 10:11:04.000 web@0 out | d\n");
    EXPECT_EQ(printed.err, "");
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(logger.calls(),
              std::vector<std::string>{R"(io.procsupd.Log.Open {"names":["web"],"follow":false,"writer":0})"});
}

TEST(Logs, KeepsTheOrderOfLinesOfTheSameTime) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1), stamped(1, "1") + stamped(1, "2"));
    logger.offer(plain_file("b@0", 1), stamped(1, "3") + stamped(1, "4"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-o", "cat"}).out, "1\n2\n3\n4\n");
}

TEST(Logs, GoesThroughFilesOfEveryKind) {
    FakeLogger logger;
    logger.offer(compressed_file("web@0", 1), compressed(stamped(1, "a")) + compressed(stamped(2, "b")));
    logger.offer(plain_file("web@0", 2), "");
    logger.offer(
        plain_file("web@0", 3, LogFormat::Json),
        R"({"time":"2026-03-03T10:11:03.000000Z","job":"web","instance":"web@0","stream":"stdout","message":"c\u0009\"")"
        "}\n");
    logger.offer(current_file("web@0", 4, stamped(4, "d").size()), stamped(4, "d") + stamped(5, "not offered"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-o", "cat"}).out, "a\nb\nc\t\"\nd\n");
}

TEST(Logs, JoinsALineThatIsSplitAcrossFiles) {
    FakeLogger logger;
    const auto line = stamped(1, "begins here and ends there");
    logger.offer(compressed_file("web@0", 1), compressed(line.substr(0, 40)));
    logger.offer(plain_file("web@0", 2), line.substr(40) + stamped(2, "next"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-o", "cat"}).out, "begins here and ends there\nnext\n");
    EXPECT_EQ(logger.calls().size(), 1u);
}

TEST(Logs, DoesNotJoinALineThatWasCutOffWithOneThatBegins) {
    FakeLogger logger;
    logger.offer(plain_file("web@0", 1), "2026-03-03T10:11:01.000000Z cut o");
    logger.offer(plain_file("web@0", 2), stamped(2, "next"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-o", "cat"}).out, "cut o\nnext\n");
}

TEST(Logs, PrintsTheLastLinesOverAllStreams) {
    FakeLogger logger;
    logger.offer(compressed_file("a@0", 1), compressed(stamped(1, "1") + stamped(2, "2")));
    logger.offer(plain_file("a@0", 2), stamped(5, "5"));
    logger.offer(plain_file("b@0", 1), stamped(3, "3") + stamped(4, "4"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-n3", "-o", "cat"}).out, "3\n4\n5\n");
}

TEST(Logs, CountsLinesFromTheEndOfABigFile) {
    FakeLogger logger;
    const auto bytes = repeated(50000, "line ");
    logger.offer(current_file("a@0", 1, bytes.size()), bytes);
    logger.listed();
    EXPECT_EQ(logger.logs({"-n", "2", "-o", "cat"}).out, "line 49998\nline 49999\n");
}

TEST(Logs, CountsALineThatIsSplitAcrossFilesOnce) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1), stamped(1, "1") + "2026-03-03T10:11:02.000000Z sec");
    logger.offer(plain_file("a@0", 2), "ond\n" + stamped(3, "3"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-n2", "-o", "cat"}).out, "second\n3\n");
}

TEST(Logs, CountsLinesOfRawFilesThatEndWithALine) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1, LogFormat::Raw), "1\n2\n");
    logger.offer(plain_file("a@0", 2, LogFormat::Raw), "3\n4\n");
    logger.listed();
    EXPECT_EQ(logger.logs({"-n2", "-o", "cat"}).out, "3\n4\n");
    EXPECT_EQ(logger.calls().size(), 1u);
}

TEST(Logs, CountsOnlyLinesThatMatch) {
    FakeLogger logger;
    logger.offer(compressed_file("a@0", 1), compressed(stamped(1, "GET /a") + stamped(2, "GET /b")));
    logger.offer(plain_file("a@0", 2), repeated(3000, "POST ") + stamped(4, "GET /c"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-n2", "--grep", "GET", "-o", "cat"}).out, "GET /b\nGET /c\n");
}

TEST(Logs, FindsLinesByTheirTextOnly) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1), stamped(1, "2026 is here") + stamped(2, "x") + stamped(3, "Zebra T10"));
    logger.listed();
    EXPECT_EQ(logger.logs({"--grep", "2026|T10", "-o", "cat"}).out, "2026 is here\nZebra T10\n");
}

TEST(Logs, FindsTheBeginningOfALine) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1), stamped(1, "b ab") + stamped(2, "ab"));
    logger.listed();
    EXPECT_EQ(logger.logs({"--grep", "^ab$", "-o", "cat"}).out, "ab\n");
}

TEST(Logs, SearchesWhatJsonHasEscaped) {
    FakeLogger logger;
    const std::string begin =
        R"({"time":"2026-03-03T10:11:03.000000Z","job":"a","instance":"a@0","stream":"stdout","message":)";
    logger.offer(plain_file("a@0", 1, LogFormat::Json), begin +
                                                            R"("say \"hi\""})"
                                                            "\n" +
                                                            begin +
                                                            R"("hi"})"
                                                            "\n");
    logger.listed();
    EXPECT_EQ(logger.logs({"--grep", "\"hi", "-o", "cat"}).out, "say \"hi\"\n");
}

TEST(Logs, LeavesOutWhatIsBeforeAndAfter) {
    FakeLogger logger;
    logger.offer(compressed_file("a@0", 1), compressed(stamped(1, "1") + stamped(2, "2")));
    logger.offer(compressed_file("a@0", 2), compressed(stamped(3, "3") + stamped(4, "4")));
    logger.offer(plain_file("a@0", 3), stamped(5, "5") + stamped(6, "6"));
    logger.listed();
    const auto printed =
        logger.logs({"--since", "2026-03-03 10:11:04", "--until", "2026-03-03T10:11:05Z", "-o", "cat"});
    EXPECT_EQ(printed.out, "4\n5\n");
}

TEST(Logs, FindsATimeInABigFile) {
    FakeLogger logger;
    std::string bytes;
    for (int second = 0; second < 60; ++second) {
        for (int i = 0; i < 500; ++i) bytes += stamped(second, std::to_string(second));
    }
    logger.offer(plain_file("a@0", 1), bytes);
    logger.listed();
    const auto printed = logger.logs({"--since", "2026-03-03 10:11:59", "-o", "cat"});
    EXPECT_EQ(printed.out.size(), 500u * 3);
    EXPECT_TRUE(printed.out.starts_with("59\n"));
}

TEST(Logs, PrintsRawFilesWithoutTimes) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1, LogFormat::Raw), "one\ntwo");
    logger.listed();
    EXPECT_EQ(logger.logs({}).out, "a@0 out | one\na@0 out | two\n");
}

TEST(Logs, PrintsRawBytesAsTheyAre) {
    using namespace std::string_literals;
    const auto bytes = "a\0\x1b[31m\xff\r\nlast without newline"s;
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1, LogFormat::Raw), bytes);
    logger.listed();
    EXPECT_EQ(logger.logs({"-o", "raw"}).out, bytes);
}

TEST(Logs, MakesControlCharactersVisibleWithTheirStream) {
    using namespace std::string_literals;
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1, LogFormat::Raw), "a\0\x1b[31m\t\xff\r\n"s);
    logger.listed();
    EXPECT_EQ(logger.logs({}).out, "a@0 out | a\\x00\\x1b[31m\t\\xff\n");
}

TEST(Logs, PrintsObjects) {
    FakeLogger logger;
    logger.offer(plain_file("web@0/stderr", 1), "2026-03-03T10:11:02.123456Z a\"b\n");
    logger.offer(plain_file("web@1", 1, LogFormat::Raw), "later\n");
    logger.listed();
    const std::string expected =
        R"({"time":"2026-03-03T10:11:02.123456Z","job":"web","instance":"web@0","stream":"stderr","message":"a\"b"})"
        "\n"
        R"({"time":null,"job":"web","instance":"web@1","stream":"stdout","message":"later"})"
        "\n";
    EXPECT_EQ(logger.logs({"--json"}).out, expected);
}

TEST(Logs, ShowsOneStream) {
    FakeLogger logger;
    logger.offer(plain_file("web@0/stderr", 1), stamped(1, "bad"));
    logger.offer(plain_file("web@0", 1), stamped(2, "good"));
    logger.listed();
    EXPECT_EQ(logger.logs({"--stream", "stderr", "-o", "cat"}).out, "bad\n");
}

TEST(Logs, PrintsALongLineInPieces) {
    const std::string text((2u << 20) + 5, 'x');
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1), stamped(1, text) + stamped(2, "next"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-o", "cat"}).out, text + "\nnext\n");
}

TEST(Logs, TellsOfAFileThatIsDamagedAndGoesOn) {
    FakeLogger logger;
    logger.offer(compressed_file("a@0", 1), compressed(stamped(1, "lost")).substr(0, 5));
    logger.offer(plain_file("a@0", 2), stamped(2, "next"));
    logger.listed();
    const auto printed = logger.logs({"-o", "cat"});
    EXPECT_EQ(printed.out, "next\n");
    EXPECT_EQ(printed.err, "warning: a@0 stdout: cannot unpack the file: it ends in the middle\n");
}

TEST(Logs, TellsOfAFileThatTheLoggerCouldNotOpen) {
    FakeLogger logger;
    logger.offer(plain_file("a@0", 1), stamped(1, "x"));
    logger.packet(log_reading::problem_packet("b stderr", "cannot open the directory /srv"));
    logger.listed();
    const auto printed = logger.logs({"-o", "cat"});
    EXPECT_EQ(printed.out, "x\n");
    EXPECT_EQ(printed.err, "warning: b stderr: cannot open the directory /srv\n");
    EXPECT_EQ(printed.code, 1);
}

TEST(Logs, ReportsWhatTheSupervisorAnswers) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector{varlink::error_message("io.procsupd.Log.NotCaptured", R"({"message":"nothing"})")};
    });
    const auto printed = run_procsupctl(daemon, {"logs"});
    EXPECT_EQ(printed.err, "error: nothing\n");
    EXPECT_EQ(printed.code, 1);
}

TEST(Logs, OfOneRunLeaveOutTheOthers) {
    for (const auto packed : {false, true}) {
        const auto three = [&](FakeLogger& logger) {
            const auto first = std::string("one\ntwo\n"), second = std::string("three\n");
            if (packed) {
                logger.offer(compressed_file("web", 1, LogFormat::Raw), compressed(first));
            } else {
                logger.offer(plain_file("web", 1, LogFormat::Raw), first);
            }
            logger.offer(current_file("web", 2, second.size(), LogFormat::Raw), second);
            const LogRun runs[] = {{1, 1, 0}, {2, 1, 4}, {3, 2, 0}, {4, 2, 6}};
            logger.packet(log_reading::runs_packet(plain_file("web", 1).stream, runs));
            logger.listed();
        };
        const char* const expected[] = {"", "three\n", "two\n", "one\n", ""};
        for (int run = 0; run < 5; ++run) {
            FakeLogger logger;
            three(logger);
            EXPECT_EQ(logger.logs({"--run", std::to_string(run), "-o", "cat"}).out, expected[run]) << run << packed;
            FakeLogger again;
            three(again);
            EXPECT_EQ(again.logs({"--run", std::to_string(run), "-o", "cat", "-n", "5"}).out, expected[run])
                << run << packed;
        }
    }
}

TEST(Logs, AnswerWithoutADescriptorIsAFailure) {
    FakeDaemon daemon("io.procsupd.Log.Open", "{}");
    EXPECT_EQ(run_procsupctl(daemon, {"logs"}).code, 1);
}

TEST(Logs, WrongOptionsAreErrorsOfUsage) {
    const std::vector<std::vector<std::string>> wrong = {
        {"--grep", "("}, {"--since", "lunch"},     {"-n", "x"},
        {"-o", "xml"},   {"-f", "--until", "now"}, {"--json", "-o", "cat"}};
    for (auto words : wrong) {
        words.insert(words.begin(), "logs");
        const auto printed = run_procsupctl(words);
        EXPECT_EQ(printed.code, 2) << words[1];
        EXPECT_TRUE(printed.err.starts_with("error: option")) << printed.err;
    }
}

TEST(LogsRotate, NamesJobs) {
    FakeDaemon daemon("io.procsupd.Log.Rotate", "{}");
    EXPECT_EQ(run_procsupctl(daemon, {"logs", "rotate", "web"}).code, 0);
    EXPECT_EQ(daemon.only_call(), R"(io.procsupd.Log.Rotate {"names":["web"]})");
}

TEST(Logs, MergesWhatSeveralLoggersOffer) {
    FakeLogger logger;
    logger.writers(2);
    logger.offer(plain_file("web", 1), stamped(1, "a") + stamped(3, "c"));
    logger.listed();
    logger.next_connection();
    logger.offer(plain_file("db", 1), stamped(2, "b"));
    logger.listed();
    EXPECT_EQ(logger.logs({"-o", "cat"}).out, "a\nb\nc\n");
    EXPECT_EQ(logger.calls(),
              (std::vector<std::string>{R"(io.procsupd.Log.Open {"names":[],"follow":false,"writer":0})",
                                        R"(io.procsupd.Log.Open {"names":[],"follow":false,"writer":1})"}));
}

TEST(LogsRotate, LeavesTheNameToJobs) {
    FakeLogger logger;
    logger.listed();
    EXPECT_EQ(logger.logs({"--", "rotate"}).code, 0);
    EXPECT_EQ(logger.calls().front(), R"(io.procsupd.Log.Open {"names":["rotate"],"follow":false,"writer":0})");
}

}  // namespace
}  // namespace procsup::ctl
