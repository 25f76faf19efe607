#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/log_file.h"
#include "ctl/fake_daemon.h"

namespace procsup::ctl {

/// "2026-03-03T10:11:SS.000000Z text\n".
std::string stamped(int second, std::string_view text);
/// As zstd(1) would write it.
std::string compressed(std::string_view bytes);
/// A file in memory with these bytes.
Fd file_of(std::string_view bytes);

LogFile plain_file(const std::string& instance, std::uint64_t number, LogFormat format = LogFormat::Stamped);
LogFile current_file(const std::string& instance, std::uint64_t number, std::size_t size,
                     LogFormat format = LogFormat::Stamped);
LogFile compressed_file(const std::string& instance, std::uint64_t number, LogFormat format = LogFormat::Stamped);

/// procsupd and procsup-logger as a reader sees them. What goes over each connection is said before: a test does not wait. A
/// connection with `follow` stays open after that, unless the test ends it.
class FakeLogger {
public:
    FakeLogger();

    void offer(const LogFile& file, std::string_view bytes);
    void packet(std::string_view text);
    void listed() { packet(log_reading::listed_packet()); }
    /// What is said from now on goes over the next connection; this one is closed.
    void next_connection() { connections_.emplace_back(); }
    /// So many loggers, each with a connection of its own.
    void writers(int count) { writers_ = count; }

    /// procsupctl logs --color never WORDS.
    Printed logs(std::vector<std::string> words);
    /// The same with --follow, until all was printed.
    Printed follow(std::vector<std::string> words);
    std::vector<std::string> calls() const { return daemon_.calls(); }

private:
    struct Packet {
        std::string text;
        Fd fd;
    };
    std::vector<std::string> open(bool follow);

    std::vector<std::vector<Packet>> connections_{1};
    std::size_t opened_ = 0;
    int writers_ = 1;
    Fd kept_;
    FakeDaemon daemon_;
};

}  // namespace procsup::ctl
