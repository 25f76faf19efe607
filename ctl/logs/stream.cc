#include "ctl/logs/stream.h"

#include <algorithm>
#include <utility>

#include "ctl/text.h"

namespace procsup::ctl {

namespace {

constexpr std::uint32_t kUnknown = UINT32_MAX;

}  // namespace

void LogStream::keep_run(std::uint64_t runs_after) {
    if (runs_after >= runs.size()) return files.clear();
    const auto at = runs.size() - 1 - static_cast<std::size_t>(runs_after);
    const LogRun begin = runs[at];
    const LogRun end = runs_after > 0 ? runs[at + 1] : LogRun{0, UINT64_MAX, 0};
    std::erase_if(files, [&](const LogInput& input) {
        return input.file.number < begin.number || input.file.number > end.number;
    });
    for (auto& input : files) {
        if (input.file.number == begin.number) input.from = begin.offset;
        if (input.file.number != end.number) continue;
        input.to = end.offset;
        if (!input.file.compressed) input.file.size = std::min(input.file.size, end.offset);
    }
}

bool LogStreams::take(std::string_view packet, Fd fd) {
    const auto value = json::parse(packet);
    if (!value) return false;
    if (auto file = log_reading::file_of(*value)) {
        take_file(std::move(*file), std::move(fd));
    } else if (const auto* runs = value->find("runs")) {
        if (auto* const stream = known_as(runs->int_or("stream", -1))) stream->runs = log_reading::runs_of(*runs);
    } else if (const auto* growth = value->find("grown")) {
        take_growth(*growth);
    } else if (const auto* missed = value->find("missed")) {
        const auto count = missed->int_or("files", 0);
        tell_("-- " + std::to_string(count) + (count == 1 ? " file of " : " files of ") +
              title_of(missed->int_or("stream", -1)) + (count == 1 ? " was" : " were") +
              " written and removed before " + (count == 1 ? "it" : "they") + " could be read --");
    } else if (const auto* problem = value->find("problem")) {
        lacks_ = true;
        tell_("warning: " + escaped(problem->string_or("of", "")) + ": " + escaped(problem->string_or("text", "")));
    } else {
        return value->bool_or("listed", false);
    }
    return false;
}

void LogStreams::begin_again() {
    again_ = true;
    for (auto& stream : streams_) stream->known_as = kUnknown;
}

void LogStreams::take_file(LogFile file, Fd fd) {
    if (!only_name_.empty() && file.stream_name != only_name_) return;
    auto& stream = stream_of(file);
    stream.known_as = file.stream;
    if (!fd) {
        tell_("warning: " + escaped(stream.title()) + ": a file could not be opened here: too many open files?");
        return;
    }
    auto& files = stream.files;
    // A current file with a lower number is the first of a numbering that has begun anew.
    const bool anew = again_ && file.current && !files.empty() && file.number < files.back().file.number;
    if (!anew && !files.empty() && file.number <= files.back().file.number) {
        auto& last = files.back().file;
        if (file.number != last.number) return;
        // What was read of it stays read; once it is compressed nothing will come that is not in the file as we have it.
        last.current = file.current;
        if (!file.compressed) last.size = std::max(last.size, file.size);
    } else {
        if (again_ && !anew && !files.empty() && file.number > files.back().file.number + 1) {
            tell_("-- files of " + escaped(stream.title()) + " were written and removed before they could be read --");
        }
        files.push_back({std::move(file), std::move(fd)});
    }
    stream.changed = true;
}

void LogStreams::take_growth(const json::Value& growth) {
    auto* const stream = known_as(growth.int_or("stream", -1));
    if (stream == nullptr || stream->files.empty()) return;
    auto& last = stream->files.back().file;
    if (growth.int_or("number", -1) != static_cast<std::int64_t>(last.number)) return;
    last.size = std::max(last.size, static_cast<std::uint64_t>(growth.int_or("size", 0)));
    stream->changed = true;
}

LogStream& LogStreams::stream_of(const LogFile& file) {
    const auto is_it = [&](const auto& stream) {
        return stream->instance == file.instance && stream->name == file.stream_name && stream->job == file.job;
    };
    const auto found = std::find_if(streams_.begin(), streams_.end(), is_it);
    if (found != streams_.end()) return **found;
    auto& made = *streams_.emplace_back(std::make_unique<LogStream>());
    made.job = file.job;
    made.instance = file.instance;
    made.name = file.stream_name;
    made.place = streams_.size() - 1;
    return made;
}

LogStream* LogStreams::known_as(std::int64_t number) {
    const auto is_it = [&](const auto& stream) { return stream->known_as == number; };
    const auto found = std::find_if(streams_.begin(), streams_.end(), is_it);
    return found == streams_.end() ? nullptr : found->get();
}

std::string LogStreams::title_of(std::int64_t number) {
    const auto* const stream = known_as(number);
    return stream == nullptr ? "a stream" : escaped(stream->title());
}

}  // namespace procsup::ctl
