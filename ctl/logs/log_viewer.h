#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctl/deadline.h"
#include "ctl/logs/feed.h"
#include "ctl/logs/log_query.h"
#include "ctl/logs/merge.h"
#include "ctl/logs/print.h"

namespace procsup::ctl {

class Session;

/// One `procsupctl logs`: asks procsupd for a connection to the logger, takes the files it offers, and prints what is wanted
/// of them; then, with --follow, what is added. When the logger is started anew it asks again and goes on where it was, as it
/// keeps the files that it has begun to read.
class LogViewer {
public:
    LogViewer(Session& session, LogQuery query);

    /// The exit code.
    int run();

private:
    enum class Listing { Complete, Cut, TimedOut };

    std::optional<LogFeed> open();
    std::optional<LogFeed> open_again();
    Listing list(LogFeed& feed);
    void show_present();
    void show_changes();
    void print_all();
    int follow(LogFeed feed);
    bool drain(LogFeed& feed);
    int outcome();
    void tell(const std::string& text);
    std::size_t block_size() const;

    Session& session_;
    const LogQuery query_;
    const Wanted wanted_;
    const std::string parameters_;
    const Deadline deadline_;
    LogStreams streams_;
    std::vector<std::unique_ptr<Source>> sources_;  // by LogStream::place
    Merge merge_;
    std::uint64_t skip_ = 0;  // of the lines that come first
    LogPrinter printer_;
};

}  // namespace procsup::ctl
