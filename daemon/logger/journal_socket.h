#pragma once

#include <string>

#include "common/fd.h"
#include "daemon/logger/sink.h"

namespace procsup::logger {

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

/// journald, by its native protocol: each append() is a datagram, and an entry of the journal. Never waits: EAGAIN while journald's
/// queue is full. One for all streams. What was sent cannot be asked for: who is killed between sending a datagram and
/// noting that sends it again.
class JournalSocket final : public Sink {
public:
    explicit JournalSocket(std::string path = kJournalSocket) : path_(std::move(path)) {}

    Result<void> look(std::int64_t now) override;
    Result<std::size_t> append(std::string_view datagram) override;
    std::string_view place() const override { return "the journal"; }

private:
    std::string path_;
    Fd fd_;
};

}  // namespace procsup::logger
