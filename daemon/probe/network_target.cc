#include "daemon/probe/network_target.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/raw_syscall.h"
#include "daemon/probe/connection.h"
#include "daemon/probe/http.h"

namespace procsup::probe {
namespace {

Called called(const CommandLine& line) {
    switch (line.what) {
        case CommandLine::What::Http: return {"http://", line.address, line.port, line.path};
        case CommandLine::What::Tcp: return {"", line.address, line.port, ""};
        case CommandLine::What::Wrong:
        case CommandLine::What::Unix:
        case CommandLine::What::File:
        case CommandLine::What::Exec: break;
    }
    return {"", nullptr, 0, line.path};
}

enum class Outcome { Good, Bad, MetNobody };

Outcome try_address(const CommandLine& line, const Address& address, Attempt& attempt, std::int64_t until) {
    const Called name = called(line);
    Connection connection(attempt, until, name);
    if (!connection.open(address)) return connection.has_met_nobody() ? Outcome::MetNobody : Outcome::Bad;
    if (line.what != CommandLine::What::Http) return Outcome::Good;
    return Http(line, name, attempt, connection).ask() ? Outcome::Good : Outcome::Bad;
}

/// A failure of the first place is the one to tell, unless there was nobody and there is somebody at the second.
Verdict try_localhost(const CommandLine& line, Attempt& attempt) {
    Address address;
    parse_address("127.0.0.1", line.port, address);
    // Who does not answer at the one is not to take the time of the other.
    const auto outcome = try_address(line, address, attempt, attempt.begun + (attempt.deadline - attempt.begun) / 2);
    if (outcome == Outcome::Good) return Verdict::Ready;
    if (attempt.cut_short) return Verdict::NotReady;
    const Line first = attempt.reason;
    parse_address("::1", line.port, address);
    const auto second = try_address(line, address, attempt, attempt.deadline);
    if (second == Outcome::Good) return Verdict::Ready;
    if (outcome == Outcome::Bad || second == Outcome::MetNobody) {
        attempt.cut_short = false;
        attempt.reason = first;
    }
    return Verdict::NotReady;
}

}  // namespace

Verdict try_network(const CommandLine& line, Attempt& attempt) {
    if (line.what != CommandLine::What::Unix && is(line.address, kLocalhost)) return try_localhost(line, attempt);
    Address address;
    if (line.what == CommandLine::What::Unix) {
        set_unix_path(line.path, address);
    } else {
        parse_address(line.address, line.port, address);
    }
    return try_address(line, address, attempt, attempt.deadline) == Outcome::Good ? Verdict::Ready : Verdict::NotReady;
}

Verdict try_file(const CommandLine& line, Attempt& attempt) {
    struct stat unused;
    const long result = raw_syscall(SYS_newfstatat, AT_FDCWD, line.path, &unused, 0);
    if (result == 0) return Verdict::Ready;
    (attempt.reason << "cannot find ").name(line.path).cause(-result);
    return Verdict::NotReady;
}

}  // namespace procsup::probe
