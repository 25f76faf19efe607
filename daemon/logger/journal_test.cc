#include <endian.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "daemon/logger/stream_fixture.h"

namespace procsup::logger {
namespace {

using Entry = std::map<std::string, std::string>;
using Messages = std::vector<std::string>;

/// As systemd.io/JOURNAL_NATIVE_PROTOCOL describes it.
Entry parse(std::string_view datagram) {
    Entry entry;
    while (!datagram.empty()) {
        const auto line = datagram.substr(0, datagram.find('\n'));
        const auto name = std::string(line.substr(0, line.find('=')));
        datagram.remove_prefix(line.size() + 1);
        if (name.size() < line.size()) {
            entry[name] = line.substr(name.size() + 1);
            continue;
        }
        std::uint64_t size = 0;
        memcpy(&size, datagram.data(), sizeof(size));
        size = le64toh(size);
        entry[name] = datagram.substr(sizeof(size), size);
        datagram.remove_prefix(sizeof(size) + size + 1);
    }
    return entry;
}

/// And a journal.
class JournalTest : public StreamFixture {
protected:
    JournalTest() : StreamFixture(Destination::Journal, "web@0") {
        begin_journal();
        start_logger();
    }

    void begin_journal() {
        end_journal();
        received_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_un address{AF_UNIX, {}};
        path().copy(address.sun_path, sizeof(address.sun_path) - 1);
        ASSERT_EQ(bind(received_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    }
    void end_journal() {
        received_.reset();
        unlink(path().c_str());
    }
    std::string path() const { return root_ + "/socket"; }

    std::vector<Entry> entries() {
        std::vector<Entry> all;
        std::string datagram(1 << 17, '\0');
        for (ssize_t size = 0; (size = recv(received_.get(), datagram.data(), datagram.size(), 0)) > 0;)
            all.push_back(parse({datagram.data(), static_cast<std::size_t>(size)}));
        return all;
    }
    Messages messages() {
        Messages all;
        for (const auto& entry : entries()) all.push_back(entry.at("MESSAGE"));
        return all;
    }

    Fd received_;
};

TEST_F(JournalTest, GetsAnEntryForEachLineWithItsFields) {
    job_logs("one\ntwo\n");
    const Entry one{{"MESSAGE", "one"},           {"PRIORITY", "6"},
                    {"PROCSUP_JOB", "web"},       {"PROCSUP_INSTANCE", "web@0"},
                    {"PROCSUP_STREAM", "stdout"}, {"SYSLOG_IDENTIFIER", "web@0"}};
    const auto all = entries();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0], one);
    EXPECT_EQ(all[1].at("MESSAGE"), "two");
}

TEST_F(JournalTest, TakesThePriorityFromTheLineElseFromTheStream) {
    settings_.name = "stderr";
    start_logger();
    job_logs("bad\n<0>first\n<7>last\n<8>none\n<4\n<");
    job_logs("5>in two\n");
    std::vector<std::pair<std::string, std::string>> got;
    for (const auto& entry : entries()) got.emplace_back(entry.at("PRIORITY"), entry.at("MESSAGE"));
    EXPECT_EQ(got, (std::vector<std::pair<std::string, std::string>>{
                       {"3", "bad"}, {"0", "first"}, {"7", "last"}, {"3", "<8>none"}, {"3", "<4"}, {"5", "in two"}}));
}

TEST_F(JournalTest, TakesAnyBytesAndForgesNoFields) {
    const std::string strange("\0PRIORITY=0\xff\x1b[1m", 16);
    job_logs(strange + "\n");
    EXPECT_EQ(messages(), Messages{strange});
}

TEST_F(JournalTest, LeavesOutWhatIsEmptyAndWhiteSpaceAtTheEnd) {
    job_logs("\n \t\n<3>\n  one \r\n\n");
    EXPECT_EQ(messages(), Messages{"  one"});
}

TEST_F(JournalTest, GetsALineThatCameInPartsWhenItIsWhole) {
    job_logs("one, ");
    job_logs("two, ");
    EXPECT_EQ(messages(), Messages());
    restart_logger();
    job_logs("three\nfour");
    EXPECT_EQ(messages(), Messages{"one, two, three"});
}

TEST_F(JournalTest, GetsALongLineInPieces) {
    const std::string piece(BegunLine::kMost - 3, 'x');
    job_logs("<4>" + piece + "more\n");
    job_logs(piece);
    job_logs("<3>yz\n");
    std::vector<std::pair<std::string, std::string>> got;
    for (const auto& entry : entries()) got.emplace_back(entry.at("PRIORITY"), entry.at("MESSAGE"));
    const std::vector<std::pair<std::string, std::string>> wanted{
        {"4", piece}, {"4", "more"}, {"6", piece + "<3>"}, {"6", "yz"}};
    EXPECT_TRUE(got == wanted);
}

TEST_F(JournalTest, GetsALineOfTheGreatestLengthInOnePiece) {
    const std::string longest(BegunLine::kMost, 'x');
    job_logs(longest + "\n");
    job_logs(longest);
    job_logs("\nnext\n");
    EXPECT_TRUE(messages() == (Messages{longest, longest, "next"}));
}

TEST_F(JournalTest, DoesNotGetHalfACharacter) {
    const std::string piece(BegunLine::kMost - 2, 'x');
    job_logs(piece + "\xe2\x82\xac\n");
    EXPECT_TRUE(messages() == (Messages{piece, "\xe2\x82\xac"}));
}

TEST_F(JournalTest, GetsWhatWasNotNotedOnceMore) {
    job_logs("be");
    forget_what_was_handed_on("gun\nnext, ");
    restart_logger();
    job_logs("ended\n");
    EXPECT_EQ(messages(), (Messages{"begun", "next, ended"}));
}

TEST_F(JournalTest, KeepsABeginningThatWasWrittenOverAndNotNoted) {
    job_logs("be");
    forget_what_was_handed_on("gun ");
    memcpy(memory_->begun[5].text + 2, "gun ", 4);
    restart_logger();
    job_logs("and ended\n");
    EXPECT_EQ(messages(), Messages{"begun and ended"});
}

TEST_F(JournalTest, GetsTheLastLineOfARunThatDidNotEndIt) {
    job_logs("one\nno end");
    memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), 1});
    job_logs("next\nbegun");
    EXPECT_EQ(messages(), (Messages{"one", "no end", "next"}));
    EXPECT_EQ(pump_->end_line(*stream_, now_), Pump::Moved::Some);
    EXPECT_EQ(messages(), Messages{"begun"});
    EXPECT_FALSE(std::filesystem::exists(root_ + "/web@0.out.log.runs"));
}

TEST_F(JournalTest, HasLinesThatAreKnownToBeTheLastOfARun) {
    const auto logs = [&](std::string_view text) {
        memory_->streams[5].marks.add({memory_->written_to(5, job_[0], staging_[0]), 1});
        job_logs(text);
    };
    logs("of the run before\n");
    logs("one\n<3>two\nno end");
    EXPECT_EQ(last_lines(*stream_, 0), (Messages{"one", "two", "no end"}));
    EXPECT_EQ(last_lines(*stream_, 1), Messages());
    messages();
    const std::string wide(3000, 'x');
    logs(wide + "\n" + wide + "\n" + wide + "\nlast\n");
    const auto beginning = wide.substr(0, 500);
    EXPECT_EQ(last_lines(*stream_, 0), (Messages{beginning, beginning, "last"}));
}

TEST_F(JournalTest, ThatIsAwayIsAProblemUntilItIsBack) {
    end_journal();
    job_writes("begun");
    EXPECT_EQ(move(), Pump::Moved::Some);
    job_writes(" and ended\nnext\n");
    EXPECT_EQ(move(), Pump::Moved::Refused);
    EXPECT_NE(stream_->problem.find("/socket: No such file or directory"), std::string::npos) << stream_->problem;
    EXPECT_EQ(pump_->retry(*stream_, now_), Pump::Moved::Refused);
    restart_logger();
    begin_journal();
    EXPECT_EQ(pump_->retry(*stream_, now_), Pump::Moved::Some);
    EXPECT_EQ(messages(), (Messages{"begun and ended", "next"}));
}

TEST_F(JournalTest, WithAFullQueueIsAskedAgainAndThenAProblem) {
    std::string wanted = numbers(1, 3000);
    job_writes(wanted);
    ASSERT_EQ(move(), Pump::Moved::HeldUp);
    EXPECT_EQ(stream_->problem, "");
    now_ += 999'999;
    EXPECT_EQ(move(), Pump::Moved::HeldUp);
    now_ += 1;
    EXPECT_EQ(move(), Pump::Moved::Refused);
    EXPECT_NE(stream_->problem, "");
    std::string got;
    const auto take = [&] {
        for (const auto& message : messages()) got += message + "\n";
    };
    take();
    EXPECT_NE(pump_->retry(*stream_, now_), Pump::Moved::Refused) << "something is taken again";
    for (take(); pump_->has_waiting(*stream_); take()) ASSERT_NE(move(), Pump::Moved::Refused);
    EXPECT_TRUE(got == wanted);
}

TEST_F(JournalTest, IsToldOfLinesThatWereDropped) {
    settings_.rate_lines = 1;
    settings_.rate_window = 1'000'000;
    start_logger();
    now_ = 1'772'532'662'000'000;
    job_logs("no");
    job_logs(" end\ntwo\nthree\n");
    now_ += 1'000'000;
    job_logs("four");
    now_ += 1'000'000;
    ASSERT_EQ(pump_->settle_losses(*stream_, now_), Pump::Moved::Some);
    const auto all = entries();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].at("MESSAGE"), "no end");
    EXPECT_EQ(all[1].at("MESSAGE"),
              "[procsupd: 2 lines lost, 2026-03-03T10:11:02.000000Z to 2026-03-03T10:11:02.000000Z]");
    EXPECT_EQ(all[1].at("PRIORITY"), "4");
}

TEST_F(JournalTest, GetsTheBegunLineInFrontOfWhatTellsOfDroppedOnes) {
    settings_.on_full = OnFull::DropNewest;
    start_logger();
    job_logs("begun");
    end_journal();
    job_writes(" and lost\n" + numbers(1, 8000));
    stream_->problem = "away";
    pump_->make_room(*stream_, now_);
    begin_journal();
    EXPECT_EQ(pump_->retry(*stream_, now_), Pump::Moved::Some);
    const auto got = messages();
    ASSERT_EQ(got.size(), 2u);
    EXPECT_EQ(got[0], "begun");
    EXPECT_EQ(got[1].substr(0, 31), "[procsupd: 8001 lines lost, 197");
}

TEST_F(JournalTest, AFileTellsOfABeginningThatCouldNotBeSent) {
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
