#pragma once

#include <cstdint>

#include "daemon/probe/address.h"
#include "daemon/probe/attempt.h"

namespace procsup::probe {

/// What a target is called for people.
struct Called {
    const char* scheme = "";
    const char* address = nullptr;  ///< nullptr: only the path
    int port = 0;
    const char* path = "";

    Line& put_into(Line& line) const;
};

/// A socket of one attempt. Nothing that is done with it raises SIGPIPE, or waits longer than it may.
class Connection {
public:
    Connection(Attempt& attempt, std::int64_t until, const Called& called)
        : attempt_(attempt), until_(until), called_(called) {}
    ~Connection() { close(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// False, with the reason: there is none.
    bool open(const Address& address);
    /// It has failed because nobody listens there, or there is no such place.
    bool has_met_nobody() const { return has_met_nobody_; }

    /// Waits for `events` (poll(2)). False: not in time.
    bool await(short events);
    /// The same, and no longer than until then.
    bool await(short events, std::int64_t until);
    int fd() const { return fd_; }

private:
    long connect(int type, const Address& address);
    bool is_with_itself() const;
    void refuse(long errno_value);
    void close();

    Attempt& attempt_;
    std::int64_t until_;
    const Called& called_;
    int fd_ = -1;
    bool has_met_nobody_ = false;
};

}  // namespace procsup::probe
