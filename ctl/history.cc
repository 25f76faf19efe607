#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/log_file.h"
#include "ctl/clock.h"
#include "ctl/deadline.h"
#include "ctl/handlers.h"
#include "ctl/logs/feed.h"
#include "ctl/past_run.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::uint64_t kRuns = 20;
/// Files are far smaller.
constexpr off_t kMostOfFile = off_t{1} << 20;
/// Without a word from the logger, which opens files: it waits for a disk.
constexpr auto kPatience = std::chrono::seconds(3);
/// While a logger that was killed is on its way back.
constexpr int kAttempts = 8;
constexpr int kPauseMs = 100;

/// The end of the file; `cut`: it was longer than is looked at.
Result<std::string> content_of(const Fd& file, bool& cut) {
    struct stat status {};
    if (fstat(file.get(), &status) < 0) return os_failure("look at a file of the history", errno);
    off_t at = std::max<off_t>(status.st_size - kMostOfFile, 0);
    cut = at > 0;
    std::string content(static_cast<std::size_t>(status.st_size - at), '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        const auto count = pread(file.get(), content.data() + size, content.size() - size, at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os_failure("read a file of the history", errno);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
        at += count;
    }
    content.resize(size);
    return content;
}

/// One invocation of the verb.
class History {
public:
    explicit History(Session& session)
        : session_(session),
          deadline_(session.line().timeout),
          most_(static_cast<std::size_t>(session.line().logs.lines.value_or(kRuns))) {}

    int run() {
        for (std::int64_t from = 0; from >= 0;) {
            const auto next = gather(from);
            if (!next) return session_.exit_code();
            from = *next;
        }
        if (!nothing_kept_.empty() && past_.empty() && live_.empty()) return tell_nothing_kept();
        print();
        return !nothing_kept_.empty() ? tell_nothing_kept() : incomplete_ ? kFailed : kSuccess;
    }

private:
    enum class Read { All, Silent, Cut, TimedOut };

    /// The runs of as many jobs as come at once; where the next ones begin, or -1. Nothing: it has failed, and was reported.
    std::optional<std::int64_t> gather(std::int64_t from) {
        for (int attempt = 0;; ++attempt) {
            auto reply = session_.call_raw(
                "io.procsupd.Job.History",
                names_parameters(session_.line(), 0, [&](json::Writer& writer) { writer.member_int("from", from); }));
            if (!reply) return std::nullopt;
            if (!reply->error.empty()) {
                session_.report(*reply);
                return std::nullopt;
            }
            problems_.clear();
            std::vector<PastRun> live;
            auto jobs = jobs_of(reply->parameters, live);
            const auto read = reply->fd ? read_files(LogFeed(std::move(reply->fd), ""), jobs) : Read::All;
            if (read == Read::TimedOut) {
                session_.report_transport(os_failure("get the files", ETIMEDOUT));
                return std::nullopt;
            }
            if (read == Read::Cut && attempt < kAttempts) {
                ::poll(nullptr, 0, kPauseMs);
                continue;
            }
            take(reply->parameters, std::move(jobs), std::move(live), read);
            return reply->parameters.int_or("next", -1);
        }
    }

    using Jobs = std::map<std::string, JobRuns, std::less<>>;

    int tell_nothing_kept() {
        for (const auto& text : nothing_kept_) session_.out().error(text + ", and no run of one is kept");
        return kStatusUnknown;
    }

    Jobs jobs_of(json::Value& reply, std::vector<PastRun>& live) {
        Jobs jobs;
        const auto* asked = reply.find("jobs");
        for (const auto& job : asked != nullptr && asked->as_array() ? *asked->as_array() : json::Value::Array()) {
            std::optional<std::vector<std::string>> instances;
            if (const auto* names = job.find("instances"); names != nullptr && names->as_array() != nullptr) {
                instances.emplace();
                for (const auto& name : *names->as_array()) {
                    if (name.as_string() != nullptr) instances->push_back(*name.as_string());
                }
            }
            if (const auto text = job.string_or("former", ""); !text.empty()) {
                former_[std::string(job.string_or("job", ""))] = escaped(text);
            }
            jobs.emplace(job.string_or("job", ""), JobRuns(most_, std::move(instances)));
        }
        auto runs = reply.take("runs");
        const auto* list = runs.as_array();
        for (std::size_t i = list != nullptr ? list->size() : 0; i-- > 0;) {
            auto run = PastRun::of((*list)[i]);
            if (!run) continue;
            const auto job = jobs.find(run->job);
            if (run->goes_on()) {
                live.push_back(std::move(*run));
            } else if (job != jobs.end()) {
                job->second.add(std::move(*run));
            }
        }
        return jobs;
    }

    Read read_files(LogFeed feed, Jobs& jobs) {
        for (;;) {
            switch (feed.receive()) {
                case LogFeed::Read::Packet:
                    if (take_packet(feed, jobs)) return Read::All;
                    break;
                case LogFeed::Read::End: return Read::Cut;
                case LogFeed::Read::Nothing: {
                    std::array<pollfd, 1> watched{{{feed.fd(), POLLIN, 0}}};
                    if (deadline_.within(kPatience).poll(watched)) break;
                    return deadline_.passed() ? Read::TimedOut : Read::Silent;
                }
            }
        }
    }

    /// True: that was all.
    bool take_packet(LogFeed& feed, Jobs& jobs) {
        const auto packet = json::parse(feed.packet());
        if (!packet) return false;
        if (const auto* problem = packet->find("problem")) {
            problems_.push_back(escaped(problem->string_or("text", "")));
        } else if (const auto* records = packet->find("records")) {
            const auto file = feed.take_fd();
            const auto job = jobs.find(records->string_or("name", ""));
            if (job == jobs.end() || job->second.complete()) return false;
            bool cut = false;
            const auto content = content_of(file, cut);
            if (content) {
                job->second.add_lines(*content, cut);
            } else {
                problems_.push_back(escaped(job->first) + ": " + content.error().message);
            }
        } else {
            return packet->bool_or("listed", false);
        }
        return false;
    }

    void take(const json::Value& reply, Jobs jobs, std::vector<PastRun> live, Read read) {
        for (auto& [name, runs] : jobs) {
            unreadable_ += runs.unreadable();
            auto past = runs.take();
            // Of files that were not seen, or not all, nothing is known.
            const bool known = read == Read::All && reply.string_or("problem", "").empty();
            if (const auto former = former_.find(name); known && past.empty() && former != former_.end()) {
                nothing_kept_.push_back(former->second);
            } else {
                past_.push_back(std::move(past));
            }
        }
        live_.insert(live_.end(), std::make_move_iterator(live.begin()), std::make_move_iterator(live.end()));
        const auto where = escaped(reply.string_or("directory", ""));
        if (read == Read::Silent) {
            problems_.push_back("the files in " + where + " are not shown: their file system does not answer");
        } else if (read == Read::Cut) {
            problems_.push_back("not all files in " + where +
                                " are shown: procsup-logger has ended meanwhile; try again");
        }
        for (const auto& problem : problems_) session_.out().warning(problem);
        incomplete_ = incomplete_ || !problems_.empty();
        if (const auto problem = reply.string_or("problem", "");
            !problem.empty() && told_.insert(std::string(problem)).second) {
            session_.out().warning("what is new is only in procsupd's memory, as far as there is room: " +
                                   escaped(problem));
        }
    }

    void print() {
        auto runs = merged(std::move(past_), most_);
        std::int64_t lost = 0;
        for (const auto& run : runs) lost += run.lost;
        std::sort(live_.begin(), live_.end(),
                  [](const PastRun& a, const PastRun& b) { return a.started_usec < b.started_usec; });
        std::move(live_.begin(), live_.end(), std::back_inserter(runs));
        Output& out = session_.out();
        if (lost > 0)
            out.warning(std::to_string(lost) + (lost == 1 ? " run is" : " runs are") +
                        " missing that could not be written at the time");
        if (unreadable_ > 0) {
            out.warning(std::to_string(unreadable_) +
                        (unreadable_ == 1 ? " line of the files is" : " lines of the files are") +
                        " not readable and left out: perhaps of a power failure, or of a full disk");
        }
        if (session_.line().json) {
            print_json(runs);
        } else if (runs.empty()) {
            out.note(most_ == 0 ? "no run goes on" : "no run is known yet");
        } else {
            out.add(runs_table(runs, realtime_usec(), out));
        }
    }

    void print_json(const std::vector<PastRun>& runs) {
        json::Writer writer;
        writer.begin_object().key("runs").begin_array();
        for (const auto& run : runs) write_snake_case(run.as_it_came, writer);
        writer.end_array().member_int("unreadable", static_cast<std::int64_t>(unreadable_));
        session_.out().line(writer.end_object().take());
    }

    Session& session_;
    Deadline deadline_;
    std::size_t most_;
    std::vector<std::vector<PastRun>> past_;
    std::map<std::string, std::string, std::less<>>
        former_;  ///< jobs that are no more, and what to say of a name that is none
    std::vector<std::string> nothing_kept_;
    std::vector<PastRun> live_;
    std::vector<std::string> problems_;
    std::set<std::string> told_;
    std::size_t unreadable_ = 0;
    bool incomplete_ = false;
};

}  // namespace

int history(Session& session) { return History(session).run(); }

}  // namespace procsup::ctl
