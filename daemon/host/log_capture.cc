#include "daemon/host/log_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <utility>

#include "daemon/host/own_programs.h"
#include "daemon/host/processes.h"
#include "daemon/logger/memory.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

/// Who wants to read while the logger takes nothing holds a descriptor here.
constexpr std::ptrdiff_t kMostWaitingReaders = 64;

constexpr auto kLongestPause = std::chrono::milliseconds(250);

bool is_captured(const JobSpec& spec, bool error) {
    return (error ? spec.stderr_stream : spec.stdout_stream).kind == Stream::Kind::Capture;
}

/// For the next run, whatever became of the pipe in the one before.
void make_ready(const Fd& writing, const JobSpec& spec) {
    // That it does not block is the pipe's, not the process's.
    fcntl(writing.get(), F_SETFL, 0);
    // So that the job may open /dev/stdout.
    if (spec.credentials) (void)fchown(writing.get(), spec.credentials->uid, spec.credentials->gid);
}

Fd kept(int number) {
    Fd low(number);
    return Fd(fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstKeptFd));
}

}  // namespace

LogCapture::LogCapture(EventLoop& loop, Processes& processes, Told told)
    : loop_(loop), processes_(processes), told_(std::move(told)), program_(find_own_program("procsup-logger")) {}

LogCapture::~LogCapture() = default;

// ---- streams

logger::CapturedStream LogCapture::wanted_stream(const JobSpec& spec, const InstanceName& name, bool error) const {
    logger::CapturedStream stream;
    stream.job = name.job;
    stream.instance = name.instance;
    stream.name = error ? "stderr" : "stdout";
    stream.dir = spec.log.dir.empty() ? dir_ : expand_job(spec.log.dir, name);
    stream.format = spec.log.format;
    stream.retention.max_size = spec.log.max_size;
    stream.retention.keep = spec.log.keep;
    stream.retention.total_size = spec.log.total_size;
    stream.retention.max_age = spec.log.max_age == kForever ? 0 : spec.log.max_age.count();
    stream.retention.compress = spec.log.compress == Compress::Zstd;
    // In the same order.
    stream.on_full = static_cast<logger::OnFull>(spec.log.on_full);
    stream.rate_lines = spec.log.rate_limit.count;
    stream.rate_window = spec.log.rate_limit.window.count();
    stream.sync = spec.log.sync == kForever ? -1 : spec.log.sync.count();
    stream.mirror = spec.log.mirror;
    if (spec.credentials) stream.group = spec.credentials->gid;
    return stream;
}

Result<std::array<int, 2>> LogCapture::lend(InstanceId id, const JobSpec& spec, const InstanceName& name,
                                            bool begins_run) {
    std::array<int, 2> ends{-1, -1};
    for (const bool error : {false, true}) {
        if (!is_captured(spec, error)) continue;
        const auto kept = stream_of(id, wanted_stream(spec, name, error), spec);
        if (!kept) return kept.error();
        if (begins_run) mark_run(**kept);
        ends[error ? 1 : 0] = (*kept)->writing.get();
    }
    return ends;
}

void LogCapture::mark_run(const Kept& stream) {
    const auto slot = stream.settings.slot;
    const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto at = memory_->written_to(slot, stream.reading.get(), staging_out_.get());
    memory_->streams[slot].marks.add({at, now.time_since_epoch().count()});
}

Result<LogCapture::Kept*> LogCapture::stream_of(InstanceId id, const logger::CapturedStream& wanted,
                                                const JobSpec& spec) {
    if (auto ready = prepare(); !ready) return ready.error();
    Kept* const known = of_instance_[id][wanted.name == "stderr" ? 1 : 0];
    if (known == nullptr) return new_stream(id, wanted, spec);
    Kept& stream = *known;
    make_ready(stream.writing, spec);
    auto settings = wanted;
    settings.slot = stream.settings.slot;
    if (std::exchange(stream.settings, settings) != settings) tell_stream(stream, false);
    return &stream;
}

Result<LogCapture::Kept*> LogCapture::new_stream(InstanceId id, const logger::CapturedStream& wanted,
                                                 const JobSpec& spec) {
    if (Kept* const before = taken_back(wanted)) {
        of_instance_[id][wanted.name == "stderr" ? 1 : 0] = before;
        make_ready(before->writing, spec);
        // With its pipe: perhaps the logger has forgotten it by now.
        if (running_) tell_stream(*before, true);
        return before;
    }
    if (streams_.size() >= logger::kMostStreams) return os_failure("capture more streams", EMFILE);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
    const auto slot = free_slot();
    Kept& stream = streams_[slot];
    stream.settings = wanted;
    stream.settings.slot = slot;
    stream.reading = kept(ends[0]);
    stream.writing = kept(ends[1]);
    if (!stream.reading || !stream.writing) {
        streams_.erase(slot);
        free_slots_.push_back(slot);
        return os_failure("keep a pipe", EMFILE);
    }
    of_instance_[id][wanted.name == "stderr" ? 1 : 0] = &stream;
    make_ready(stream.writing, spec);
    if (running_) tell_stream(stream, true);
    return &stream;
}

/// A job that was removed and is there again goes on with what it had, as long as the logger has not written all of that: no two
/// streams have the same file.
LogCapture::Kept* LogCapture::taken_back(const logger::CapturedStream& wanted) {
    for (auto& [slot, stream] : streams_) {
        const bool same = stream.settings.dir == wanted.dir && stream.settings.file_name() == wanted.file_name();
        if (!stream.removing || !same) continue;
        stream.removing = false;
        stream.settings = wanted;
        stream.settings.slot = slot;
        return &stream;
    }
    return nullptr;
}

std::uint32_t LogCapture::free_slot() {
    if (free_slots_.empty()) return static_cast<std::uint32_t>(streams_.size());
    const auto slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
}

void LogCapture::forget(InstanceId id) {
    for (Kept* const stream : streams_of(id)) {
        stream->removing = true;
        if (running_) tell({logger::slot_packet("remove", stream->settings.slot), {}, Fd()});
    }
    of_instance_.erase(id);
}

std::vector<LogCapture::Kept*> LogCapture::streams_of(InstanceId id) const {
    std::vector<Kept*> streams;
    const auto found = of_instance_.find(id);
    if (found == of_instance_.end()) return streams;
    std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(streams), std::identity());
    return streams;
}

Result<std::vector<std::uint32_t>> LogCapture::slots_of(const std::vector<const Instance*>& instances) {
    std::vector<std::uint32_t> slots;
    for (const auto* instance : instances) {
        for (const bool error : {false, true}) {
            const auto& spec = instance->spec();
            if (!is_captured(spec, error)) continue;
            const Kept* stream = of_instance_[instance->id()][error ? 1 : 0];
            if (stream == nullptr) {
                if (auto ready = prepare(); !ready) return ready.error();
                const auto made = new_stream(instance->id(), wanted_stream(spec, instance->name(), error), spec);
                if (!made) return made.error();
                stream = *made;
            }
            slots.push_back(stream->settings.slot);
        }
    }
    if (slots.empty()) return Error{"what it writes is not kept: write stdout = \"capture\" in its [log]"};
    return slots;
}

void LogCapture::keep_last_lines(InstanceId id) {
    for (Kept* const stream : streams_of(id)) {
        const auto slot = stream->settings.slot;
        const auto runs = memory_->streams[slot].marks.count();
        stream->last_lines.clear();
        if (runs > 0) tell({logger::tail_packet(slot, runs - 1), {}, Fd()});
    }
}

CapturedOutput LogCapture::output_of(InstanceId id) const {
    CapturedOutput output;
    for (const Kept* stream : streams_of(id)) {
        if (!stream->problem.empty()) output.problem = stream->problem;
        if (!stream->last_lines.empty()) output.last_lines.push_back({stream->settings.name, stream->last_lines});
    }
    return output;
}

Result<Fd> LogCapture::open_reading(const std::vector<const Instance*>& instances, bool follow) {
    const auto slots = slots_of(instances);
    if (!slots) return slots.error();
    const auto waiting =
        std::count_if(untold_.begin(), untold_.end(), [](const Message& message) { return bool(message.owned); });
    if (waiting >= kMostWaitingReaders) return Error{"procsup-logger does not answer: it may wait for a disk", EBUSY};
    auto ends = packet_socket_pair();
    if (!ends) return ends.error();
    tell({logger::read_packet(*slots, follow), {}, std::move(ends->second)});
    return std::move(ends->first);
}

Result<void> LogCapture::rotate(const std::vector<const Instance*>& instances) {
    const auto slots = slots_of(instances);
    if (!slots) return slots.error();
    for (const auto slot : *slots) {
        const auto& problem = streams_.at(slot).problem;
        if (!problem.empty()) return Error{"what waits has to be written first: " + problem, EBUSY};
    }
    tell({logger::rotate_packet(*slots), {}, Fd()});
    return {};
}

// ---- the logger

Result<void> LogCapture::prepare() {
    if (memory_ == nullptr) {
        auto file = logger::Memory::create();
        if (!file) return file.error();
        auto memory = logger::Memory::map(*file);
        if (!memory) return memory.error();
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
        fcntl(ends[0], F_SETPIPE_SZ, logger::Batch::kSize);
        staging_in_ = kept(ends[1]);
        staging_out_ = kept(ends[0]);
        memory_file_ = kept(file->release());
        memory_ = *memory;
    }
    if (!running_ && !again_) start();
    return {};
}

void LogCapture::start() {
    auto ends = packet_socket_pair();
    if (!ends) return ended(ends.error().message);
    socket_ = kept(ends->first.release());
    running_ = true;
    started_ = loop_.now();
    untold_.clear();
    tell({std::string(logger::kBeginPacket), {memory_file_.get(), staging_in_.get(), staging_out_.get()}, Fd()});
    for (const auto& [slot, stream] : streams_) tell_stream(stream, true);
    tell({std::string(logger::kWorkPacket), {}, Fd()});
    for (const auto& [slot, stream] : streams_) {
        if (stream.removing) tell({logger::slot_packet("remove", slot), {}, Fd()});
    }
    if (finishing_) tell({std::string(logger::kEndPacket), {}, Fd()});
    JobSpec spec;
    spec.name = "procsup-logger";
    spec.command = {"procsup-logger"};
    spec.program = program_;
    spec.working_dir = "/";
    processes_.run_lasting_helper(std::move(spec), {std::move(ends->second), Fd(), Fd()},
                                  [this](const Result<ExitStatus>& end) {
                                      if (end && end->success() && finishing_) {
                                          running_ = false;
                                          watch_.reset();
                                          return;
                                      }
                                      ended(end ? to_text(*end) : end.error().message);
                                  });
    flush();
}

void LogCapture::ended(const std::string& how) {
    running_ = false;
    watch_.reset();
    socket_.reset();
    told_("", "procsup-logger: " + how + "; it is started again, what jobs write waits in their pipes");
    const bool lived = loop_.now() - started_ > std::chrono::seconds(1);
    pause_ = lived ? 0ms : std::min<std::chrono::milliseconds>(pause_ * 2 + 5ms, kLongestPause);
    again_ = loop_.call_at(loop_.now() + pause_, [this] {
        again_.reset();
        start();
    });
}

void LogCapture::tell_stream(const Kept& stream, bool with_pipe) {
    Message message{logger::stream_packet(stream.settings), {}, Fd()};
    if (with_pipe) message.lent.push_back(stream.reading.get());
    tell(std::move(message));
}

void LogCapture::tell(Message message) {
    untold_.push_back(std::move(message));
    flush();
}

void LogCapture::flush() {
    if (!running_ || !socket_) return;
    while (!untold_.empty()) {
        auto& message = untold_.front();
        if (message.owned) message.lent = {message.owned.get()};
        if (send_packet(socket_.get(), message.text, message.lent) == Sent::Later) break;
        untold_.pop_front();
    }
    const std::uint32_t events = untold_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (watch_) {
        watch_->set_events(events);
    } else {
        watch_ = loop_.watch_fd(socket_.get(), events, Priority::Client, [this](std::uint32_t) { hear(); });
    }
}

void LogCapture::hear() {
    Packet packet;
    for (;;) {
        const auto received = receive_packet(socket_.get(), packet);
        if (received == Received::Nothing) break;
        if (received == Received::End) {
            // What follows is told by its end.
            watch_.reset();
            socket_.reset();
            return;
        }
        if (const auto value = json::parse(packet.text)) heard(*value);
    }
    flush();
}

void LogCapture::heard(const json::Value& packet) {
    if (const auto* removed = packet.find("removed")) {
        const auto found = streams_.find(static_cast<std::uint32_t>(removed->int_or("slot", 0)));
        if (found == streams_.end() || !found->second.removing) return;
        free_slots_.push_back(found->first);
        streams_.erase(found);
        return;
    }
    if (const auto* tail = packet.find("tail")) return keep_tail(*tail);
    const auto* problem = packet.find("problem");
    if (problem == nullptr) return;
    const auto found = streams_.find(static_cast<std::uint32_t>(problem->int_or("slot", 0)));
    if (found == streams_.end()) return;
    auto& stream = found->second;
    const std::string text(problem->string_or("text", ""));
    if (text == stream.problem) return;
    stream.problem = text;
    const auto what = stream.settings.instance + ": its " + stream.settings.name;
    told_(stream.settings.job, text.empty() ? what + " is written again" : what + " waits: " + text);
}

void LogCapture::keep_tail(const json::Value& tail) {
    const auto found = streams_.find(static_cast<std::uint32_t>(tail.int_or("slot", 0)));
    const auto* lines = tail.find("lines");
    if (found == streams_.end() || lines == nullptr || lines->as_array() == nullptr) return;
    auto& kept_lines = found->second.last_lines;
    kept_lines.clear();
    for (const auto& line : *lines->as_array()) {
        if (const auto* text = line.as_string()) kept_lines.push_back(*text);
    }
}

void LogCapture::finish() {
    if (std::exchange(finishing_, true)) return;
    if (running_) tell({std::string(logger::kEndPacket), {}, Fd()});
}

}  // namespace procsup
