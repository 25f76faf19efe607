#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "common/log_file.h"
#include "common/send_fds.h"
#include "ctl/fake_daemon.h"
#include "ctl/logs/log_fixture.h"

namespace procsup::ctl {
namespace {

std::string record(int second, const std::string& job = "web") {
    return R"({"name":")" + job + R"(","job":")" + job + R"(","startedUSec":1000000,"endedUSec":)" +
           std::to_string(second) + R"(000000,"exitCode":)" + std::to_string(second) + R"(,"daemon":7,"sequence":)" +
           std::to_string(second) + "}";
}

/// A supervisor and its logger; what is offered comes with the first answer, or with each one that is begun by again().
class FakeHistory {
public:
    explicit FakeHistory(std::string answer)
        : answer_(std::move(answer)),
          daemon_([this](const varlink::Call&, const std::vector<Fd>&) { return reply(); }) {
        ::setenv("TZ", "UTC", 1);
    }

    void offer(const std::string& job, bool older, std::string_view content) {
        packets_.emplace_back(log_reading::records_packet(job, older), file_of(content));
    }
    void packet(const std::string& text) { packets_.emplace_back(text, Fd()); }
    void listed() { packet(log_reading::listed_packet()); }

    Printed history(std::vector<std::string> words) {
        words.insert(words.begin(), {"history", "--color", "never"});
        return run_procsupctl(daemon_, std::move(words));
    }
    std::string first_call() const { return daemon_.calls().at(0); }
    std::size_t calls() const { return daemon_.calls().size(); }

    bool keeps_open = false;    ///< and says nothing more
    std::size_t cut_first = 0;  ///< so many connections end at once

private:
    std::vector<std::string> reply() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
        daemon_.attach(Fd(ends[1]));
        kept_ = Fd(ends[0]);
        if (cut_first > 0) {
            --cut_first;
        } else {
            for (const auto& [text, file] : packets_) {
                const int number = file.get();
                const auto with = file ? std::span<const int>(&number, 1) : std::span<const int>();
                (void)send_with_fds(kept_.get(), text, with, MSG_NOSIGNAL);
            }
        }
        if (!keeps_open) kept_.reset();
        return {varlink::reply_message(answer_)};
    }

    std::string answer_;
    std::vector<std::pair<std::string, Fd>> packets_;
    Fd kept_;
    FakeDaemon daemon_;
};

const std::string kWeb = R"({"jobs":[{"job":"web"}],"directory":"/d","runs":[]})";

TEST(History, PrintsWhatIsInFilesWhatIsNotYetAndWhatRuns) {
    FakeHistory world(R"({"jobs":[{"job":"web"}],"directory":"/d","runs":[)" + record(3) + "," + record(4) +
                      R"(,{"name":"web","job":"web","state":"running","startedUSec":5000000,"startCause":"wanted"}]})");
    world.offer("web", false, record(2) + "\n" + record(3) + "\n");
    world.offer("web", true, record(1) + "\n");
    world.listed();
    const auto printed = world.history({"web", "--json"});
    EXPECT_EQ(printed.code, 0) << printed.err;
    EXPECT_EQ(world.first_call(), R"(io.procsupd.Job.History {"names":["web"],"from":0})");
    std::string order;
    for (std::size_t at = 0; (at = printed.out.find("\"exit_code\":", at)) != std::string::npos;) {
        order += printed.out[at += 12];
    }
    EXPECT_EQ(order, "1234");
    EXPECT_NE(printed.out.find(R"("state":"running","started_usec":5000000)"), std::string::npos);
    EXPECT_TRUE(printed.out.ends_with(R"(],"unreadable":0})"
                                      "\n"))
        << printed.out;
}

TEST(History, PrintsTheNewestRunsAndAllThatGoOn) {
    FakeHistory world(R"({"jobs":[{"job":"web"}],"directory":"/d","runs":[
        {"name":"web","job":"web","state":"running","startedUSec":5000000,"startCause":"wanted"}]})");
    world.offer("web", false, record(2) + "\n" + record(3) + "\n");
    world.listed();
    const auto printed = world.history({"-n", "1", "web"});
    EXPECT_EQ(printed.out.find("exit 2"), std::string::npos);
    EXPECT_NE(printed.out.find("exit 3"), std::string::npos);
    EXPECT_NE(printed.out.find("running"), std::string::npos);
}

TEST(History, OfNothingSaysSo) {
    FakeHistory world(kWeb);
    world.listed();
    const auto printed = world.history({"web"});
    EXPECT_EQ(printed.out, "no run is known yet\n");
    EXPECT_EQ(printed.code, 0);
}

TEST(History, SaysWhatIsMissingAndWhatIsNotReadable) {
    FakeHistory world(kWeb);
    world.offer("web", false, R"({"lost":3,)" + record(1).substr(1) + "\n{\"na\n" + record(2) + "\n");
    world.listed();
    const auto printed = world.history({"web"});
    EXPECT_EQ(
        printed.err,
        "warning: 3 runs are missing that could not be written at the time\n"
        "warning: 1 line of the files is not readable and left out: perhaps of a power failure, or of a full disk\n");
    EXPECT_EQ(printed.code, 0);
}

TEST(History, SaysWhyNothingIsKeptAtPresent) {
    FakeHistory world(R"({"jobs":[{"job":"web"}],"directory":"/d","problem":"cannot open /d: No","runs":[)" +
                      record(1) + "]}");
    world.listed();
    const auto printed = world.history({"web"});
    EXPECT_EQ(printed.err,
              "warning: what is new is only in procsupd's memory, as far as there is room: cannot open /d: No\n");
    EXPECT_NE(printed.out.find("exit 1"), std::string::npos);
    EXPECT_EQ(printed.code, 0);
}

TEST(History, FailsWhenAFileCannotBeOpened) {
    FakeHistory world(kWeb);
    world.packet(log_reading::problem_packet("web", "cannot open /d/web.jsonl: Permission denied"));
    world.offer("web", true, record(1) + "\n");
    world.listed();
    const auto printed = world.history({"web"});
    EXPECT_EQ(printed.err, "warning: cannot open /d/web.jsonl: Permission denied\n");
    EXPECT_NE(printed.out.find("exit 1"), std::string::npos) << "what there is is shown";
    EXPECT_EQ(printed.code, 1);
}

TEST(History, IsAskedForAgainWhenTheLoggerHasEnded) {
    FakeHistory world(kWeb);
    world.cut_first = 2;
    world.offer("web", false, record(1) + "\n");
    world.listed();
    const auto printed = world.history({"web"});
    EXPECT_EQ(world.calls(), 3u);
    EXPECT_NE(printed.out.find("exit 1"), std::string::npos);
    EXPECT_EQ(printed.code, 0) << printed.err;
}

TEST(History, DoesNotWaitForADiskThatHangs) {
    FakeHistory world(R"({"jobs":[{"job":"web"}],"directory":"/d","runs":[)" + record(1) + "]}");
    world.keeps_open = true;
    const auto printed = world.history({"web"});
    EXPECT_EQ(printed.err, "warning: the files in /d are not shown: their file system does not answer\n");
    EXPECT_NE(printed.out.find("exit 1"), std::string::npos);
    EXPECT_EQ(printed.code, 1);
}

TEST(History, KeepsToTheTimeOfTheCaller) {
    FakeHistory world(kWeb);
    world.keeps_open = true;
    EXPECT_EQ(world.history({"web", "--timeout", "50ms"}).code, 124);
}

TEST(History, OfUnknownJobsIsRefused) {
    FakeDaemon daemon([](const varlink::Call&, const std::vector<Fd>&) {
        return std::vector<std::string>{varlink::error_message("io.procsupd.Job.NoSuchJob", R"({"message":"no job"})")};
    });
    const auto printed = run_procsupctl(daemon, {"history", "web"});
    EXPECT_EQ(printed.code, 4);
    EXPECT_EQ(printed.err, "error: no job\n");
}

}  // namespace
}  // namespace procsup::ctl
