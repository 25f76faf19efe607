#include "ctl/logs/log_fixture.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zstd.h>

#include <array>

#include "common/send_fds.h"

namespace procsup::ctl {
namespace {

LogFile file(const std::string& instance, std::uint64_t number, LogFormat format) {
    LogFile made;
    // "web@0/stderr" is another stream than "web@0".
    const auto slash = instance.find('/');
    made.instance = instance.substr(0, slash);
    made.stream_name = slash == std::string::npos ? "stdout" : instance.substr(slash + 1);
    made.job = instance.substr(0, instance.find('@'));
    for (const char c : instance) made.stream = made.stream * 31 + static_cast<unsigned char>(c);
    made.stream &= 0xffff;
    made.number = number;
    made.format = format;
    return made;
}

}  // namespace

std::string stamped(int second, std::string_view text) {
    const std::string digits = std::to_string(100 + second).substr(1);
    return "2026-03-03T10:11:" + digits + ".000000Z " + std::string(text) + "\n";
}

std::string compressed(std::string_view bytes) {
    std::string result(ZSTD_compressBound(bytes.size()), '\0');
    result.resize(ZSTD_compress(result.data(), result.size(), bytes.data(), bytes.size(), 1));
    return result;
}

Fd file_of(std::string_view bytes) {
    Fd made(::memfd_create("log", MFD_CLOEXEC));
    EXPECT_EQ(::write(made.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    return made;
}

LogFile plain_file(const std::string& instance, std::uint64_t number, LogFormat format) {
    return file(instance, number, format);
}

LogFile current_file(const std::string& instance, std::uint64_t number, std::size_t size, LogFormat format) {
    auto made = file(instance, number, format);
    made.current = true;
    made.size = size;
    return made;
}

LogFile compressed_file(const std::string& instance, std::uint64_t number, LogFormat format) {
    auto made = file(instance, number, format);
    made.compressed = true;
    return made;
}

FakeLogger::FakeLogger()
    : daemon_([this](const varlink::Call& call, const std::vector<Fd>&) {
          if (call.method != "io.procsupd.Log.Open") return std::vector<std::string>{varlink::reply_message("")};
          return open(call.parameters.bool_or("follow", false));
      }) {
    ::setenv("TZ", "UTC", 1);
}

void FakeLogger::offer(const LogFile& file, std::string_view bytes) {
    auto offered = file;
    if (!offered.current) offered.size = bytes.size();
    connections_.back().push_back({log_reading::file_packet(offered), file_of(bytes)});
}

void FakeLogger::packet(std::string_view text) { connections_.back().push_back({std::string(text), Fd()}); }

std::vector<std::string> FakeLogger::open(bool follow) {
    if (opened_ == connections_.size()) {
        return {varlink::error_message("io.procsupd.Log.NotCaptured", R"({"message":"no job's output is captured"})")};
    }
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return {};
    daemon_.attach(Fd(ends[1]));
    kept_ = Fd(ends[0]);
    for (const auto& packet : connections_[opened_]) {
        const int number = packet.fd.get();
        const auto with = packet.fd ? std::span<const int>(&number, 1) : std::span<const int>();
        (void)send_with_fds(kept_.get(), packet.text, with, MSG_NOSIGNAL);
    }
    ++opened_;
    if (!follow || opened_ < connections_.size()) kept_.reset();
    return {varlink::reply_message(R"({"writers":)" + std::to_string(writers_) + "}")};
}

Printed FakeLogger::logs(std::vector<std::string> words) {
    words.insert(words.begin(), {"logs", "--color", "never"});
    return run_procsupctl(daemon_, std::move(words));
}

Printed FakeLogger::follow(std::vector<std::string> words) {
    // The time is over only when nothing is left to be done.
    words.insert(words.begin(), {"--follow", "--timeout", "50ms"});
    return logs(std::move(words));
}

}  // namespace procsup::ctl
