#include "daemon/logger/record_readers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/log_file.h"
#include "common/packet_socket.h"
#include "common/varlink/test_loop.h"

namespace procsup::logger {
namespace {

namespace fs = std::filesystem;

struct RecordReading : testing::Test {
    RecordReading() : readers(loop) {
        std::string name = (fs::temp_directory_path() / "recordsXXXXXX").string();
        root = mkdtemp(name.data());
    }
    ~RecordReading() override { fs::remove_all(root); }

    void put(const std::string& file, std::string_view text) { std::ofstream(root + "/" + file) << text; }
    void ask(std::vector<std::string> names, const std::string& below = "") {
        auto ends = packet_socket_pair();
        ASSERT_TRUE(ends);
        socket = std::move(ends->first);
        readers.add(std::move(ends->second), {root + below, std::move(names)});
    }
    /// The next packet, and what is in the file that came along.
    std::pair<std::string, std::string> next() {
        Packet packet;
        const auto received = receive_packet(socket.get(), packet);
        if (received != Received::Packet) return {received == Received::End ? "end" : "nothing", ""};
        std::string content(100, '\0');
        const auto size = packet.fds.empty() ? 0 : ::read(packet.fds[0].get(), content.data(), content.size());
        content.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        return {packet.text, content};
    }
    using Told = std::pair<std::string, std::string>;

    TestLoop loop;
    RecordReaders readers;
    std::string root;
    Fd socket;
};

TEST_F(RecordReading, OffersBothFilesOfEachNameAndEnds) {
    put("web.jsonl", "new");
    put("web.jsonl.1", "old");
    put("db.jsonl", "db");
    ask({"web", "none", "db"});
    EXPECT_EQ(next(), Told(log_reading::records_packet("web", false), "new"));
    EXPECT_EQ(next(), Told(log_reading::records_packet("web", true), "old"));
    EXPECT_EQ(next(), Told(log_reading::records_packet("db", false), "db"));
    EXPECT_EQ(next(), Told(log_reading::listed_packet(), ""));
    EXPECT_EQ(next().first, "end");
}

TEST_F(RecordReading, WithoutADirectoryThereIsNothing) {
    ask({"web"}, "/none");
    EXPECT_EQ(next().first, log_reading::listed_packet());
}

TEST_F(RecordReading, SaysWhatCannotBeOpenedAndGoesOn) {
    fs::create_directory(root + "/web.jsonl");
    put("web.jsonl.1", "old");
    ask({"web"});
    EXPECT_EQ(next().first,
              log_reading::problem_packet("web", "cannot open " + root + "/web.jsonl: it is no regular file"));
    EXPECT_EQ(next().second, "old");
}

TEST_F(RecordReading, WaitsForAReaderThatHasNoRoom) {
    std::vector<std::string> names;
    for (int i = 0; i < 2000; ++i) {
        names.push_back("job" + std::to_string(i));
        put(names.back() + ".jsonl", names.back());
    }
    ask(names);
    for (const auto& name : names) {
        auto told = next();
        if (told.first == "nothing") {
            loop.run_while_busy(1);
            told = next();
        }
        ASSERT_EQ(told.second, name);
    }
    EXPECT_EQ(next().first, log_reading::listed_packet());
}

}  // namespace
}  // namespace procsup::logger
