#include "ctl/logs/log_viewer.h"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "ctl/logs/start.h"
#include "ctl/session.h"

namespace procsup::ctl {
namespace {

constexpr std::size_t kLeastBlock = 16u << 10;
constexpr std::size_t kMostBlock = 256u << 10;
constexpr std::size_t kAllBlocks = 4u << 20;
/// Packets that are taken before what they tell is printed.
constexpr int kPacketsAtOnce = 256;
constexpr int kAttempts = 20;
constexpr int kPauseMs = 250;

std::string parameters_of(const CommandLine& line) {
    return names_parameters(line, 0, [&](json::Writer& writer) { writer.member_bool("follow", line.follow); });
}

}  // namespace

LogViewer::LogViewer(Session& session, LogQuery query)
    : session_(session),
      query_(std::move(query)),
      wanted_(query_.wanted()),
      parameters_(parameters_of(session.line())),
      deadline_(session.line().timeout),
      streams_(std::string(session.line().logs.stream),
               [this](const std::string& text) {
                   // What was written before what is told of now.
                   if (!sources_.empty()) show_changes();
                   tell(text);
               }),
      printer_(query_.output, session.out().shows_colors(), session.out().to_terminal()) {}

int LogViewer::run() {
    auto feed = open();
    if (!feed) return session_.exit_code();
    // What was offered is shown also when the rest never comes.
    const auto listing = list(*feed);
    if (listing == Listing::TimedOut) return session_.report_transport(os_failure("get the files", ETIMEDOUT));
    show_present();
    if (listing == Listing::Cut && !query_.follow) {
        printer_.finish();
        return session_.fail(
            Error{"cannot read all of the logs: the logger has ended the connection; it may have ended, or "
                  "have too many readers"});
    }
    if (query_.follow && !printer_.broken()) return follow(std::move(*feed));
    printer_.finish();
    return outcome();
}

void LogViewer::tell(const std::string& text) {
    printer_.flush();
    session_.out().message(text);
}

std::optional<LogFeed> LogViewer::open() {
    auto reply = session_.call_raw("io.procsupd.Log.Open", parameters_);
    if (!reply) return std::nullopt;
    if (!reply->error.empty()) {
        session_.report(*reply);
        return std::nullopt;
    }
    if (reply->fd) return LogFeed(std::move(reply->fd));
    session_.fail(Error{"cannot read the logs: the supervisor has answered without a descriptor"});
    return std::nullopt;
}

/// After the logger or the supervisor has ended: one of them may be on its way back.
std::optional<LogFeed> LogViewer::open_again() {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (attempt > 0) ::poll(nullptr, 0, kPauseMs);
        auto client = session_.another_client();
        if (!client) continue;
        auto reply = client->call("io.procsupd.Log.Open", parameters_);
        if (reply && reply->error.empty() && reply->fd) return LogFeed(std::move(reply->fd));
    }
    session_.fail(Error{"cannot follow any longer: the logger has ended, and no other was started"});
    return std::nullopt;
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
                if (!deadline_.poll(watched)) return Listing::TimedOut;
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

int LogViewer::follow(LogFeed feed) {
    int cuts = 0;
    for (;;) {
        const bool connected = drain(feed);
        show_changes();
        if (!printer_.flush()) return outcome();
        if (!connected) {
            auto another = open_again();
            if (!another) return session_.exit_code();
            feed = std::move(*another);
            streams_.begin_again();
            const auto listing = list(feed);
            if (listing == Listing::TimedOut) return kTimedOut;
            cuts = listing == Listing::Cut ? cuts + 1 : 0;
            if (cuts == kAttempts)
                return session_.fail(Error{"cannot follow any longer: the logger ends each connection"});
            // A logger that ends at once, again and again, must not keep a processor busy.
            ::poll(nullptr, 0, kPauseMs);
            continue;
        }
        std::array<pollfd, 2> watched{{{feed.fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
        if (!deadline_.poll(watched)) return kTimedOut;
        if ((watched[1].revents & (POLLERR | POLLHUP)) != 0) return kSuccess;
    }
}

int LogViewer::outcome() {
    if (!printer_.broken() || printer_.failure() == EPIPE) return kSuccess;
    session_.out().error("cannot write to standard output: " + std::string(strerror(printer_.failure())));
    return kFailed;
}

}  // namespace procsup::ctl
