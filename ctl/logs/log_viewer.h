#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/varlink/message.h"
#include "ctl/deadline.h"
#include "ctl/logs/feed.h"
#include "ctl/logs/log_query.h"
#include "ctl/logs/merge.h"
#include "ctl/logs/print.h"

namespace procsup::ctl {

class Session;

/// One `procsupctl logs`: asks procsupd for a connection to each logger, takes the files they offer, and prints what is wanted
/// of them; then, with --follow, what is added. When a logger is started anew it asks again and goes on where it was, as it
/// keeps the files that it has begun to read. A logger that does not answer is told of and left out.
class LogViewer {
public:
    LogViewer(Session& session, LogQuery query);

    /// The exit code.
    int run();

private:
    enum class Listing { Complete, Cut, Silent, TimedOut };
    using Call = std::function<std::optional<varlink::Reply>(const std::string& parameters)>;

    bool gather(const Call& call);
    bool open();
    bool open_again();
    Listing list_all();
    Listing list(LogFeed& feed);
    void show_present();
    void show_changes();
    void print_all();
    int follow();
    bool take_changes();
    bool drain(LogFeed& feed);
    bool wait_for_changes(bool& broken);
    int outcome();
    void tell(const std::string& text);
    std::size_t block_size() const;

    Session& session_;
    const LogQuery query_;
    const Wanted wanted_;
    const Deadline deadline_;
    std::vector<LogFeed> feeds_;
    bool left_out_ = false;  // files of a logger that does not answer
    LogStreams streams_;
    std::vector<std::unique_ptr<Source>> sources_;  // by LogStream::place
    Merge merge_;
    std::uint64_t skip_ = 0;  // of the lines that come first
    LogPrinter printer_;
};

}  // namespace procsup::ctl
