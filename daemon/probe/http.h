#pragma once

#include "daemon/probe/command_line.h"
#include "daemon/probe/connection.h"

namespace procsup::probe {

/// One request and the status of its answer, of which at most 4 KiB are read.
class Http {
public:
    Http(const CommandLine& line, const Called& called, Attempt& attempt, Connection& connection)
        : line_(line), called_(called), attempt_(attempt), connection_(connection) {}

    /// Whether it was answered with a status from 200 to 399; else there is a reason.
    bool ask();

private:
    bool send_request();
    bool read_status();
    void let_end();
    long receive();
    bool judge();
    bool fail(const char* what, long errno_value = 0);
    bool give_up();

    const CommandLine& line_;
    const Called& called_;
    Attempt& attempt_;
    Connection& connection_;
    static constexpr long kStatusSize = 13;  ///< of "HTTP/1.1 200 ", behind which a reason may follow
    char status_[kStatusSize];
    long received_ = 0;
    bool at_end_ = false;  ///< of what the peer sends
};

}  // namespace procsup::probe
