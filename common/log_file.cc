#include "common/log_file.h"

#include <array>

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

std::string problem_packet(std::uint32_t stream, std::string_view text) {
    json::Writer writer;
    writer.begin_object().key("problem").begin_object().member_int("stream", stream).member("text", text);
    return writer.end_object().end_object().take();
}

std::string listed_packet() { return R"({"listed":true})"; }

}  // namespace log_reading
}  // namespace procsup
