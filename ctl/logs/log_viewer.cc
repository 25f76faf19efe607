#include "ctl/logs/log_viewer.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "ctl/logs/start.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::size_t kLeastBlock = 16u << 10;
constexpr std::size_t kMostBlock = 256u << 10;
constexpr std::size_t kAllBlocks = 4u << 20;
/// Packets that are taken before what they tell is printed.
constexpr int kPacketsAtOnce = 256;
constexpr int kAttempts = 20;
constexpr int kPauseMs = 250;
/// Without a word from a logger: it lists files, and waits for a disk.
constexpr auto kPatience = std::chrono::seconds(3);

std::string parameters_of(const CommandLine& line, std::size_t number) {
    return names_parameters(line, 0, [&](json::Writer& writer) {
        writer.member_bool("follow", line.follow).member_int("writer", static_cast<std::int64_t>(number));
    });
}

}  // namespace

LogViewer::LogViewer(Session& session, LogQuery query)
    : session_(session),
      query_(std::move(query)),
      wanted_(query_.wanted()),
      deadline_(session.line().timeout),
      streams_(std::string(session.line().logs.stream),
               [this](const std::string& text) {
                   // What was written before what is told of now.
                   if (!sources_.empty()) show_changes();
                   tell(text);
               }),
      printer_(query_.output, session.out().shows_colors(), session.out().to_terminal()) {}

int LogViewer::run() {
    if (!open()) return session_.exit_code();
    // What was offered is shown also when the rest never comes.
    const auto listing = list_all();
    if (listing == Listing::TimedOut) return session_.report_transport(os_failure("get the files", ETIMEDOUT));
    show_present();
    if (listing == Listing::Cut && !query_.follow) {
        printer_.finish();
        return session_.fail(
            Error{"cannot read all of the logs: the logger has ended the connection; it may have ended, or "
                  "have too many readers"});
    }
    if (query_.follow && !printer_.broken()) return follow();
    printer_.finish();
    return outcome();
}

void LogViewer::tell(const std::string& text) {
    printer_.flush();
    session_.out().message(text);
}

/// One connection for each logger that writes some of the files; false: what was answered is no connection.
bool LogViewer::gather(const Call& call) {
    std::int64_t writers = 0;
    for (std::int64_t number = 0; number == 0 || number < writers; ++number) {
        if (number == 0) feeds_.clear();
        auto reply = call(parameters_of(session_.line(), static_cast<std::size_t>(number)));
        if (!reply || !reply->error.empty() || !reply->fd) return false;
        const auto now = reply->parameters.int_or("writers", 1);
        // There is one more: they are numbered anew.
        if (std::exchange(writers, now) != now && number > 0) {
            number = -1;
            continue;
        }
        feeds_.emplace_back(std::move(reply->fd), std::string(reply->parameters.string_or("fileSystem", "")));
    }
    return true;
}

bool LogViewer::open() {
    return gather([&](const std::string& parameters) {
        auto reply = session_.call_raw("io.procsupd.Log.Open", parameters);
        if (reply && !reply->error.empty()) {
            session_.report(*reply);
        } else if (reply && !reply->fd) {
            session_.fail(Error{"cannot read the logs: the supervisor has answered without a descriptor"});
        }
        return reply;
    });
}

/// After a logger or the supervisor has ended: one of them may be on its way back.
bool LogViewer::open_again() {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (attempt > 0) ::poll(nullptr, 0, kPauseMs);
        auto client = session_.another_client();
        if (!client) continue;
        const bool opened = gather([&](const std::string& parameters) -> std::optional<varlink::Reply> {
            auto reply = client->call("io.procsupd.Log.Open", parameters);
            if (!reply) return std::nullopt;
            return std::move(*reply);
        });
        if (opened) return true;
    }
    session_.fail(Error{"cannot follow any longer: the logger has ended, and no other was started"});
    return false;
}

/// What is left of feeds_ are those that can be followed.
LogViewer::Listing LogViewer::list_all() {
    auto worst = Listing::Complete;
    for (auto feed = feeds_.begin(); feed != feeds_.end();) {
        const auto listing = list(*feed);
        if (listing == Listing::TimedOut) return listing;
        if (listing == Listing::Cut) worst = listing;
        if (listing != Listing::Silent) {
            ++feed;
            continue;
        }
        tell("warning: files on " + escaped(feed->disk()) + " are not shown: the file system does not answer");
        left_out_ = true;
        feed = feeds_.erase(feed);
    }
    return worst;
}

LogViewer::Listing LogViewer::list(LogFeed& feed) {
    for (;;) {
        switch (feed.receive()) {
            case LogFeed::Read::Packet:
                if (streams_.take(feed.packet(), feed.take_fd())) return Listing::Complete;
                break;
            case LogFeed::Read::End: return Listing::Cut;
            case LogFeed::Read::Nothing: {
                std::array<pollfd, 1> watched{{{feed.fd(), POLLIN, 0}}};
                if (deadline_.within(kPatience).poll(watched)) break;
                return deadline_.passed() ? Listing::TimedOut : Listing::Silent;
            }
        }
    }
}

std::size_t LogViewer::block_size() const {
    const auto count = std::max<std::size_t>(streams_.all().size(), 1);
    return std::clamp(kAllBlocks / count, kLeastBlock, kMostBlock);
}

void LogViewer::show_present() {
    std::uint64_t found = 0;
    for (const auto& stream : streams_.all()) {
        if (query_.run) stream->keep_run(*query_.run);
        auto range = range_of(*stream, wanted_);
        if (query_.lines) {
            const auto tail = tail_of(*stream, wanted_, range, *query_.lines, query_.follow);
            range = tail.range;
            found += tail.lines;
        }
        sources_.push_back(std::make_unique<Source>(*stream, wanted_, range, block_size(),
                                                    [this](const std::string& text) { tell(text); }));
        sources_.back()->close_files_behind();
        if (!query_.follow) sources_.back()->finish();
        stream->changed = false;
    }
    if (query_.lines && found > *query_.lines) skip_ = found - *query_.lines;
    for (const auto& source : sources_) merge_.add(*source);
    print_all();
    skip_ = 0;
}

void LogViewer::print_all() {
    while (auto* const source = merge_.next()) {
        if (skip_ > 0) {
            --skip_;
        } else {
            printer_.print(source->stream(), source->line());
        }
        if (printer_.broken()) return;
    }
}

void LogViewer::show_changes() {
    for (const auto& stream : streams_.all()) {
        if (!std::exchange(stream->changed, false)) continue;
        if (stream->place == sources_.size()) {
            sources_.push_back(std::make_unique<Source>(*stream, wanted_, Range(), block_size(),
                                                        [this](const std::string& text) { tell(text); }));
            sources_.back()->close_files_behind();
        }
        merge_.add(*sources_[stream->place]);
    }
    print_all();
}

/// Takes what has come; false: the connection has ended.
bool LogViewer::drain(LogFeed& feed) {
    for (int i = 0; i < kPacketsAtOnce; ++i) {
        const auto read = feed.receive();
        if (read == LogFeed::Read::Nothing) return true;
        if (read == LogFeed::Read::End) return false;
        streams_.take(feed.packet(), feed.take_fd());
    }
    return true;
}

/// False: one of the connections has ended.
bool LogViewer::take_changes() {
    bool connected = true;
    for (auto& feed : feeds_) connected = drain(feed) && connected;
    show_changes();
    return connected;
}

/// False: the time is over. `broken`: nobody reads what is printed.
bool LogViewer::wait_for_changes(bool& broken) {
    std::vector<pollfd> watched{{STDOUT_FILENO, 0, 0}};
    for (const auto& feed : feeds_) watched.push_back({feed.fd(), POLLIN, 0});
    if (!deadline_.poll(watched)) return false;
    broken = (watched.front().revents & (POLLERR | POLLHUP)) != 0;
    return true;
}

int LogViewer::follow() {
    int cuts = 0;
    while (!feeds_.empty()) {
        const bool connected = take_changes();
        if (!printer_.flush()) return outcome();
        if (!connected) {
            if (!open_again()) return session_.exit_code();
            streams_.begin_again();
            const auto listing = list_all();
            if (listing == Listing::TimedOut) return kTimedOut;
            cuts = listing == Listing::Cut ? cuts + 1 : 0;
            if (cuts == kAttempts)
                return session_.fail(Error{"cannot follow any longer: the logger ends each connection"});
            // A logger that ends at once, again and again, must not keep a processor busy.
            ::poll(nullptr, 0, kPauseMs);
            continue;
        }
        bool broken = false;
        if (!wait_for_changes(broken)) return kTimedOut;
        if (broken) return kSuccess;
    }
    return outcome();
}

int LogViewer::outcome() {
    if (!printer_.broken() || printer_.failure() == EPIPE)
        return left_out_ || streams_.lacks_files() ? kFailed : kSuccess;
    session_.out().error("cannot write to standard output: " + std::string(strerror(printer_.failure())));
    return kFailed;
}

}  // namespace procsup::ctl
