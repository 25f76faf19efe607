#include "common/log_file.h"

#include <algorithm>

namespace procsup {

std::optional<LogFormat> parse_log_format(std::string_view name) {
    for (std::size_t i = 0; i < std::size(kLogFormatNames); ++i) {
        if (kLogFormatNames[i] == name) return static_cast<LogFormat>(i);
    }
    return std::nullopt;
}

namespace log_reading {

std::string file_packet(const LogFile& file) {
    json::Writer writer;
    writer.begin_object().key("file").begin_object();
    writer.member_int("stream", file.stream);
    writer.member("job", file.job).member("instance", file.instance).member("name", file.stream_name);
    writer.member("format", kLogFormatNames[static_cast<std::size_t>(file.format)]);
    writer.member_int("number", static_cast<std::int64_t>(file.number));
    writer.member_bool("compressed", file.compressed).member_bool("current", file.current);
    writer.member_int("size", static_cast<std::int64_t>(file.size));
    return writer.end_object().end_object().take();
}

std::optional<LogFile> file_of(const json::Value& packet) {
    const auto* member = packet.find("file");
    if (member == nullptr) return std::nullopt;
    const auto format = parse_log_format(member->string_or("format", ""));
    if (!format) return std::nullopt;
    LogFile file;
    file.stream = static_cast<std::uint32_t>(member->int_or("stream", 0));
    file.job = member->string_or("job", "");
    file.instance = member->string_or("instance", "");
    file.stream_name = member->string_or("name", "");
    file.format = *format;
    file.number = static_cast<std::uint64_t>(member->int_or("number", 0));
    file.compressed = member->bool_or("compressed", false);
    file.current = member->bool_or("current", false);
    file.size = static_cast<std::uint64_t>(member->int_or("size", 0));
    return file;
}

std::string runs_packet(std::uint32_t stream, std::span<const LogRun> runs) {
    json::Writer writer;
    writer.begin_object().key("runs").begin_object().member_int("stream", stream).key("runs").begin_array();
    for (const auto& run : runs.last(std::min(runs.size(), kMostRuns))) {
        writer.begin_array().number(run.time).number(static_cast<std::int64_t>(run.number));
        writer.number(static_cast<std::int64_t>(run.offset)).end_array();
    }
    return writer.end_array().end_object().end_object().take();
}

std::vector<LogRun> runs_of(const json::Value& member) {
    std::vector<LogRun> runs;
    const auto* list = member.find("runs");
    if (list == nullptr || list->as_array() == nullptr) return runs;
    for (const auto& entry : *list->as_array()) {
        const auto* parts = entry.as_array();
        if (parts == nullptr || parts->size() != 3) continue;
        const auto part = [&](std::size_t at) {
            const auto* number = (*parts)[at].as_int();
            return number != nullptr ? *number : 0;
        };
        runs.push_back({part(0), static_cast<std::uint64_t>(part(1)), static_cast<std::uint64_t>(part(2))});
    }
    return runs;
}

std::string grown_packet(std::uint32_t stream, std::uint64_t number, std::uint64_t size) {
    json::Writer writer;
    writer.begin_object().key("grown").begin_object().member_int("stream", stream);
    writer.member_int("number", static_cast<std::int64_t>(number)).member_int("size", static_cast<std::int64_t>(size));
    return writer.end_object().end_object().take();
}

std::string missed_packet(std::uint32_t stream, std::uint64_t files) {
    json::Writer writer;
    writer.begin_object().key("missed").begin_object().member_int("stream", stream);
    return writer.member_int("files", static_cast<std::int64_t>(files)).end_object().end_object().take();
}

std::string records_packet(std::string_view name, bool older) {
    json::Writer writer;
    writer.begin_object().key("records").begin_object().member("name", name).member_bool("older", older);
    return writer.end_object().end_object().take();
}

std::string problem_packet(std::string_view of, std::string_view text) {
    json::Writer writer;
    writer.begin_object().key("problem").begin_object().member("of", of).member("text", text);
    return writer.end_object().end_object().take();
}

std::string listed_packet() { return R"({"listed":true})"; }

}  // namespace log_reading
}  // namespace procsup
