#include "daemon/host/log_capture.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "common/units.h"
#include "daemon/host/kept_pipe.h"
#include "daemon/logger/memory.h"

namespace procsup {
namespace {

/// Where journald listens. As no job's files are there, a disk that hangs does not hold up the journal.
constexpr const char* kJournal = "/run/systemd/journal";

/// Where no job's files are either, for procsupd's own output.
constexpr const char* kOutput = "/dev";

bool is_captured(const JobSpec& spec, bool error) { return spec.output(error).kind == Stream::Kind::Capture; }
bool is_for_journal(const JobSpec& spec, bool error) { return spec.output(error).kind == Stream::Kind::Journal; }
bool is_forwarded(const JobSpec& spec, bool error) { return spec.output(error).kind == Stream::Kind::Forward; }

/// Why there is nothing to read of them.
Error nothing_kept(const std::vector<const Instance*>& instances, const std::string& fault) {
    std::string matches;
    std::set<std::string> jobs;
    bool forwarded = false;
    for (const auto* instance : instances) {
        const auto& spec = instance->spec();
        if ((is_for_journal(spec, false) || is_for_journal(spec, true)) && jobs.insert(spec.name).second)
            matches += " PROCSUP_JOB=" + spec.name;
        forwarded = forwarded || spec.writes_to(Stream::Kind::Forward);
    }
    if (forwarded) {
        auto text = std::string("what it writes is in procsupd's own output");
        if (!matches.empty()) text += ", or in the journal: journalctl" + matches;
        if (matches.empty() && !fault.empty()) text += "; it is not kept: " + fault;
        return Error{text};
    }
    if (matches.empty() && !fault.empty()) return Error{"what it writes is not kept: " + fault};
    if (matches.empty()) return Error{"what it writes is not kept: write stdout = \"capture\" in its [log]"};
    return Error{"what it writes is in the journal: journalctl" + matches};
}

/// With each run, as a reload can have given it another user: so that the job may open /dev/stdout. Refused, it still has the end
/// that it is given.
void make_ready(const Fd& pipe, const JobSpec& spec) {
    if (spec.identity) (void)!fchown(pipe.get(), spec.identity->uid, spec.identity->gid);
}

}  // namespace

// ---- streams

logger::CapturedStream LogCapture::wanted_stream(const JobSpec& spec, const InstanceName& name, bool error) const {
    logger::CapturedStream stream;
    stream.job = name.job;
    stream.instance = name.instance;
    stream.name = error ? "stderr" : "stdout";
    // In the same order.
    stream.on_full = static_cast<logger::OnFull>(spec.log.on_full);
    stream.rate_lines = spec.log.rate_limit.count;
    stream.rate_window = spec.log.rate_limit.window.count();
    stream.mirror = spec.log.mirror.value_or(mirror_);
    if (is_for_journal(spec, error)) {
        stream.to = logger::Destination::Journal;
        stream.dir = kJournal;
        return stream;
    }
    if (is_forwarded(spec, error)) {
        stream.to = logger::Destination::Output;
        stream.dir = kOutput;
        stream.mirror = false;
        return stream;
    }
    stream.dir = spec.log.dir.empty() ? dir_ : expand_job(spec.log.dir, name);
    stream.format = spec.log.format;
    stream.retention.max_size = spec.log.max_size;
    stream.retention.keep = spec.log.keep;
    stream.retention.total_size = spec.log.total_size;
    stream.retention.max_age = spec.log.max_age == kForever ? 0 : spec.log.max_age.count();
    stream.retention.compress = spec.log.compress == Compress::Zstd;
    stream.sync = spec.log.sync == kForever ? -1 : spec.log.sync.count();
    if (spec.identity) stream.group = spec.identity->gid;
    return stream;
}

Result<std::array<int, 2>> LogCapture::pipes_of(InstanceId id, const JobSpec& spec, const InstanceName& name,
                                                bool begins_run) {
    std::array<int, 2> pipes{-1, -1};
    for (const bool error : {false, true}) {
        if (!is_captured(spec, error) && !is_for_journal(spec, error) && !is_forwarded(spec, error)) {
            if (begins_run) leave(id, error);
            continue;
        }
        const auto kept = stream_of(id, wanted_stream(spec, name, error), spec);
        if (!kept) return kept.error();
        if (begins_run) mark_run(**kept);
        pipes[error ? 1 : 0] = (*kept)->pipe.get();
    }
    return pipes;
}

/// It writes elsewhere now.
void LogCapture::leave(InstanceId id, bool error) {
    const auto found = of_instance_.find(id);
    if (found == of_instance_.end() || found->second[error ? 1 : 0] == nullptr) return;
    let_go(*std::exchange(found->second[error ? 1 : 0], nullptr));
}

void LogCapture::mark_run(const Kept& stream) {
    const auto slot = stream.settings.slot;
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    auto& memory = stream.logger->memory();
    const auto at = memory.written_to(slot, stream.pipe.get(), stream.logger->staging());
    memory.streams[slot].marks.add({at, now.time_since_epoch().count()});
}

Result<LogCapture::Kept*> LogCapture::stream_of(InstanceId id, const logger::CapturedStream& wanted,
                                                const JobSpec& spec) {
    auto& logger = loggers_.for_dir(wanted.dir);
    if (auto ready = logger.prepare(); !ready) return ready.error();
    auto& known = of_instance_[id][wanted.name == "stderr" ? 1 : 0];
    if (known != nullptr && known->logger != &logger) {
        // Its directory is another one now, whose files another logger writes.
        let_go(*known);
        known = nullptr;
    }
    if (known == nullptr) return new_stream(id, wanted, spec);
    Kept& stream = *known;
    make_ready(stream.pipe, spec);
    auto settings = wanted;
    settings.slot = stream.settings.slot;
    if (std::exchange(stream.settings, settings) != settings) logger.tell(logger::stream_packet(settings));
    return &stream;
}

Result<LogCapture::Kept*> LogCapture::new_stream(InstanceId id, const logger::CapturedStream& wanted,
                                                 const JobSpec& spec) {
    auto& place = of_instance_[id][wanted.name == "stderr" ? 1 : 0];
    if (Kept* const before = taken_back(wanted)) {
        place = before;
        make_ready(before->pipe, spec);
        // With its pipe: perhaps the logger has forgotten it by now.
        before->logger->tell_lending(logger::stream_packet(before->settings), before->pipe.get());
        return before;
    }
    if (streams_.size() >= logger::kMostStreams) return os_failure("capture more streams", EMFILE);
    auto pipe = make_kept_pipe();
    if (!pipe) return pipe.error();
    const auto slot = free_slot();
    Kept& stream = streams_[slot];
    stream.logger = &loggers_.for_dir(wanted.dir);
    stream.settings = wanted;
    stream.settings.slot = slot;
    stream.pipe = std::move(*pipe);
    place = &stream;
    make_ready(stream.pipe, spec);
    stream.logger->tell_lending(logger::stream_packet(stream.settings), stream.pipe.get());
    return &stream;
}

/// A job that was removed and is there again goes on with what it had, as long as the logger has not written all of that: no two
/// streams have the same file.
LogCapture::Kept* LogCapture::taken_back(const logger::CapturedStream& wanted) {
    const auto found = std::find_if(removing_.begin(), removing_.end(), [&](std::uint32_t slot) {
        const auto& settings = streams_.at(slot).settings;
        return settings.dir == wanted.dir && settings.file_name() == wanted.file_name();
    });
    if (found == removing_.end()) return nullptr;
    auto& stream = streams_.at(*found);
    stream.settings = wanted;
    stream.settings.slot = *found;
    removing_.erase(found);
    return &stream;
}

std::uint32_t LogCapture::free_slot() {
    if (free_slots_.empty()) return static_cast<std::uint32_t>(streams_.size());
    const auto slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
}

void LogCapture::let_go(Kept& stream) {
    forget_line(stream);
    removing_.insert(stream.settings.slot);
    stream.logger->tell(logger::slot_packet("remove", stream.settings.slot));
}

void LogCapture::forget(InstanceId id) {
    for (Kept* const stream : streams_of(id)) let_go(*stream);
    of_instance_.erase(id);
}

std::vector<LogCapture::Kept*> LogCapture::streams_of(InstanceId id) const {
    std::vector<Kept*> streams;
    const auto found = of_instance_.find(id);
    if (found == of_instance_.end()) return streams;
    std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(streams), std::identity());
    return streams;
}

Result<std::map<LoggerProcess*, LogCapture::Slots>> LogCapture::slots_of(
    const std::vector<const Instance*>& instances) {
    std::map<LoggerProcess*, Slots> slots;
    for (const auto* instance : instances) {
        for (const bool error : {false, true}) {
            const auto& spec = instance->spec();
            if (!is_captured(spec, error)) continue;
            const Kept* stream = of_instance_[instance->id()][error ? 1 : 0];
            if (stream == nullptr) {
                const auto wanted = wanted_stream(spec, instance->name(), error);
                if (auto ready = loggers_.for_dir(wanted.dir).prepare(); !ready) return ready.error();
                const auto made = new_stream(instance->id(), wanted, spec);
                if (!made) return made.error();
                stream = *made;
            }
            slots[stream->logger].push_back(stream->settings.slot);
        }
    }
    if (slots.empty()) return nothing_kept(instances, fault_);
    return slots;
}

void LogCapture::run_ended(InstanceId id) {
    for (const Kept* const stream : streams_of(id)) {
        const bool shown = stream->settings.to != logger::Destination::Files || stream->settings.mirror;
        if (shown && !stream->logger->overdue())
            stream->logger->tell(logger::slot_packet("ended", stream->settings.slot));
    }
}

void LogCapture::keep_last_lines(InstanceId id) {
    for (Kept* const stream : streams_of(id)) {
        const auto slot = stream->settings.slot;
        const auto runs = stream->logger->memory().streams[slot].marks.count();
        stream->last_lines.clear();
        stream->failed_run = runs - 1;
        if (runs > 0 && !stream->logger->overdue()) stream->logger->tell(logger::tail_packet(slot, runs - 1));
    }
}

std::shared_ptr<void> LogCapture::find_newest_lines(InstanceId id, LinesFound found) {
    auto asked = std::make_shared<LinesAsked>();
    for (const Kept* const stream : streams_of(id)) {
        const auto slot = stream->settings.slot;
        const auto runs = stream->logger->memory().streams[slot].marks.count();
        if (runs == 0 || stream->logger->overdue()) continue;
        asked->open.emplace_back(slot, runs - 1);
        stream->logger->tell(logger::tail_packet(slot, runs - 1));
    }
    if (asked->open.empty()) {
        found({});
        return nullptr;
    }
    asked->found = std::move(found);
    std::erase_if(lines_asked_, [](const auto& other) { return other.expired(); });
    lines_asked_.push_back(asked);
    return asked;
}

CapturedOutput LogCapture::output_of(InstanceId id) const {
    CapturedOutput output;
    for (const Kept* stream : streams_of(id)) {
        const auto stuck = stream->logger->stuck();
        if (!stream->problem.empty()) {
            output.problem = stream->problem;
        } else if (stuck > Duration::zero()) {
            output.problem = fmt::format("its file system ({}) does not answer: procsup-logger has waited for {}",
                                         stream->logger->disk(), to_text(stuck));
        }
        if (!stream->last_lines.empty()) output.last_lines.push_back({stream->settings.name, stream->last_lines});
    }
    return output;
}

Result<LogReading> LogCapture::open_reading(const std::vector<const Instance*>& instances, bool follow,
                                            std::size_t writer) {
    const auto slots = slots_of(instances);
    if (!slots) return slots.error();
    if (writer >= slots->size()) return os_failure("read what that many loggers write", EINVAL);
    const auto& [asked, its_slots] = *std::next(slots->begin(), static_cast<std::ptrdiff_t>(writer));
    auto ends = packet_socket_pair();
    if (!ends) return ends.error();
    const auto told = asked->tell_giving(logger::read_packet(its_slots, follow), std::move(ends->second));
    if (!told) return told.error();
    return LogReading{std::move(ends->first), slots->size(), asked->disk()};
}

Result<void> LogCapture::rotate(const std::vector<const Instance*>& instances) {
    const auto slots = slots_of(instances);
    if (!slots) return slots.error();
    for (const auto* instance : instances) {
        const auto problem = output_of(instance->id()).problem;
        if (!problem.empty()) return Error{"what waits has to be written first: " + problem, EBUSY};
    }
    for (const auto& [logger, its_slots] : *slots) logger->tell(logger::rotate_packet(its_slots));
    return {};
}

}  // namespace procsup
