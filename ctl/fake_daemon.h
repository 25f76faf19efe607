#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/fd.h"
#include "common/varlink/message.h"
#include "ctl/socket_path.h"

namespace procsup::ctl {

/// A supervisor for tests: serves a socket in a directory of its own, notes every call, and answers with what the
/// test says. One thread serves all connections.
class FakeDaemon {
public:
    /// Gives the messages that answer a call (see reply_message); none: the call stays unanswered; an
    /// empty one: hang up. `fds` came along.
    using Answer = std::function<std::vector<std::string>(const varlink::Call& call, const std::vector<Fd>& fds)>;

    explicit FakeDaemon(Answer answer);
    /// Answers every call of `method` with these parameters.
    FakeDaemon(std::string method, std::string parameters);
    ~FakeDaemon();
    FakeDaemon(const FakeDaemon&) = delete;
    FakeDaemon& operator=(const FakeDaemon&) = delete;

    const std::string& directory() const { return directory_; }
    std::string socket() const { return directory_ + "/io.procsupd"; }
    /// "io.procsupd.Job.Start {"names":["web"]}" of every call so far.
    std::vector<std::string> calls() const;
    /// What calls() holds in the end, when the test expects one.
    std::string only_call() const;
    /// Sends `message` on the oldest open connection.
    void send_to_first(const std::string& message);
    /// Called by answers: makes `fd` go with the first message of the answer.
    void attach(Fd fd) { attached_ = std::move(fd); }
    /// Closes the next connections unread, as one does that is just ending.
    void hang_up_on(int connections) { hang_ups_ = connections; }

private:
    struct Connection {
        Fd socket;
        std::string received;
        std::vector<Fd> fds;
    };

    void serve();
    bool read_from(Connection& connection);

    Answer answer_;
    std::string directory_;
    Fd listener_;
    Fd stop_;
    mutable std::mutex mutex_;
    std::vector<Connection> connections_;
    std::vector<std::string> calls_;
    Fd attached_;
    std::atomic<int> hang_ups_ = 0;
    std::thread thread_;
};

/// What one invocation printed, and its exit code.
struct Printed {
    int code = 0;
    std::string out;
    std::string err;
};

/// procsupctl with these words, in this process, its output caught; in surroundings without any supervisor.
Printed run_procsupctl(const std::vector<std::string>& words);
/// The same in other surroundings.
Printed run_procsupctl(const std::vector<std::string>& words, const Surroundings& surroundings);
/// The same, with --socket of `daemon`.
Printed run_procsupctl(const FakeDaemon& daemon, std::vector<std::string> words);

}  // namespace procsup::ctl
