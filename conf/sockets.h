#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/units.h"

/// Sockets that procsupd listens on for a job, and hands to each of its runs (sd_listen_fds(3)).
namespace procsup {

inline constexpr std::size_t kMostSockets = 64;  ///< of a job
/// The first descriptor that is handed over (SD_LISTEN_FDS_START).
inline constexpr int kFirstSocketFd = 3;
/// What sockaddr_un has room for, and its NUL.
inline constexpr std::size_t kLongestSocketPath = 107;
/// systemd's default is 0666. A program that makes its socket itself leaves others out unless it says otherwise, and so does this.
inline constexpr mode_t kSocketMode = 0660;
/// As many as systemd serves at a time where nothing is said.
inline constexpr std::uint32_t kMaxConnections = 64;
/// Its connections are counted several times in it.
inline constexpr Duration kLeastIdleTimeout = std::chrono::milliseconds(100);
/// Each has a process.
inline constexpr std::uint32_t kMostConnections = 10000;

struct ListeningSocket {
    std::string name;    ///< in LISTEN_FDNAMES
    std::string listen;  ///< what parse_listen() takes, for expand_job()
    // Of the file of a socket that has one.
    mode_t mode = kSocketMode;
    uid_t uid = 0;
    gid_t gid = 0;
    bool accept = false;     ///< each connection is served by a run of its own, whose standard input and output it is
    bool on_demand = false;  ///< the job is started when something comes to it
    std::uint32_t max_connections = kMaxConnections;  ///< of `accept`; others wait
    Duration idle_timeout = kForever;  ///< of `on_demand`: after so long without a connection the run is ended

    friend bool operator==(const ListeningSocket&, const ListeningSocket&) = default;
};

/// What `listen` says, once nothing in it is a placeholder.
struct ListenAddress {
    enum class Kind { Tcp, Udp, Path, DatagramPath, Abstract, Inherited };
    Kind kind = Kind::Tcp;
    std::string host{};  ///< of Tcp and Udp: numbers, or "*", which is all addresses of both kinds
    std::uint16_t port = 0;
    std::string path{};  ///< of Path and DatagramPath; of Abstract what follows the '@'

    bool is_internet() const { return kind == Kind::Tcp || kind == Kind::Udp; }
    bool has_path() const { return kind == Kind::Path || kind == Kind::DatagramPath; }
};

/// The Error says what is wrong with `text`, and what to write instead.
Result<ListenAddress> parse_listen(std::string_view text);

/// The same for the same address, however it is written: "127.0.0.1:80", "udp:[::1]:53", "/run/web", "unix-dgram:/run/log", "@web".
std::string to_text(const ListenAddress& address);

/// Whether it has a file, whose mode and owner count.
bool has_path(const ListeningSocket& socket);

/// "http at 127.0.0.1:8080", with what `listen` says once nothing in it is a placeholder.
std::string place_text(const std::string& name, const std::string& listen);

/// LISTEN_FDNAMES
std::string names_of(const std::vector<ListeningSocket>& sockets);

}  // namespace procsup
