#include "daemon/logger/protocol.h"

namespace procsup::logger {
namespace {

void write_slots(json::Writer& writer, const std::vector<std::uint32_t>& slots) {
    writer.key("slots").begin_array();
    for (const auto slot : slots) writer.number(slot);
    writer.end_array();
}

void write_names(json::Writer& writer, const std::vector<std::string>& names) {
    writer.key("names").begin_array();
    for (const auto& name : names) writer.string(name);
    writer.end_array();
}

std::vector<std::string> names_of(const json::Value& member) {
    std::vector<std::string> names;
    const auto* list = member.find("names");
    if (list == nullptr || list->as_array() == nullptr) return names;
    for (const auto& name : *list->as_array()) {
        // One that leads elsewhere is not one of procsupd's.
        const auto* text = name.as_string();
        if (text != nullptr && !text->empty() && text->find('/') == std::string::npos) names.push_back(*text);
    }
    return names;
}

/// {"stored": {"id": 5, "error": ""}} and the like.
std::string done_packet(std::string_view what, std::int64_t id, std::string_view error) {
    json::Writer writer;
    writer.begin_object().key(what).begin_object().member_int("id", id).member("error", error);
    return writer.end_object().end_object().take();
}

}  // namespace

std::string stream_packet(const CapturedStream& stream) {
    json::Writer writer;
    writer.begin_object().key("stream").begin_object().member_int("slot", stream.slot);
    writer.member("job", stream.job).member("instance", stream.instance).member("name", stream.name);
    writer.member_int("to", static_cast<std::int64_t>(stream.to));
    writer.member("dir", stream.dir).member("format", kLogFormatNames[static_cast<std::size_t>(stream.format)]);
    const auto& retention = stream.retention;
    writer.member_int("maxSize", static_cast<std::int64_t>(retention.max_size)).member_int("keep", retention.keep);
    writer.member_int("totalSize", static_cast<std::int64_t>(retention.total_size));
    writer.member_int("maxAge", retention.max_age).member_bool("compress", retention.compress);
    writer.member_int("onFull", static_cast<std::int64_t>(stream.on_full));
    writer.member_int("rateLines", stream.rate_lines).member_int("rateWindow", stream.rate_window);
    writer.member_int("sync", stream.sync).member_bool("mirror", stream.mirror);
    if (stream.group) writer.member_int("group", *stream.group);
    return writer.end_object().end_object().take();
}

CapturedStream stream_of(const json::Value& member) {
    CapturedStream stream;
    stream.slot = static_cast<std::uint32_t>(member.int_or("slot", 0));
    stream.job = member.string_or("job", "");
    stream.instance = member.string_or("instance", "");
    stream.name = member.string_or("name", "");
    const auto to = member.int_or("to", 0);
    if (to >= 0 && to <= static_cast<std::int64_t>(Destination::Output)) stream.to = static_cast<Destination>(to);
    stream.dir = member.string_or("dir", "");
    stream.format = parse_log_format(member.string_or("format", "")).value_or(LogFormat::Raw);
    stream.retention.max_size = static_cast<std::uint64_t>(member.int_or("maxSize", 0));
    stream.retention.keep = static_cast<std::uint32_t>(member.int_or("keep", 0));
    stream.retention.total_size = static_cast<std::uint64_t>(member.int_or("totalSize", 0));
    stream.retention.max_age = member.int_or("maxAge", 0);
    stream.retention.compress = member.bool_or("compress", false);
    stream.on_full = static_cast<OnFull>(member.int_or("onFull", 0));
    stream.rate_lines = static_cast<std::uint32_t>(member.int_or("rateLines", 0));
    stream.rate_window = member.int_or("rateWindow", 0);
    stream.sync = member.int_or("sync", -1);
    stream.mirror = member.bool_or("mirror", false);
    if (member.find("group") != nullptr) stream.group = static_cast<gid_t>(member.int_or("group", 0));
    return stream;
}

std::string slot_packet(std::string_view what, std::uint32_t slot) {
    json::Writer writer;
    writer.begin_object().key(what).begin_object().member_int("slot", slot);
    return writer.end_object().end_object().take();
}

std::string read_packet(const std::vector<std::uint32_t>& slots, bool follow) {
    json::Writer writer;
    writer.begin_object().key("read").begin_object();
    write_slots(writer, slots);
    return writer.member_bool("follow", follow).end_object().end_object().take();
}

std::string rotate_packet(const std::vector<std::uint32_t>& slots) {
    json::Writer writer;
    writer.begin_object().key("rotate").begin_object();
    write_slots(writer, slots);
    return writer.end_object().end_object().take();
}

std::vector<std::uint32_t> slots_of(const json::Value& member) {
    std::vector<std::uint32_t> slots;
    const auto* list = member.find("slots");
    if (list == nullptr || list->as_array() == nullptr) return slots;
    for (const auto& slot : *list->as_array()) {
        if (const auto* number = slot.as_int()) slots.push_back(static_cast<std::uint32_t>(*number));
    }
    return slots;
}

std::string tail_packet(std::uint32_t slot, std::uint32_t run) {
    json::Writer writer;
    writer.begin_object().key("tail").begin_object().member_int("slot", slot).member_int("run", run);
    return writer.end_object().end_object().take();
}

std::string tail_packet(std::uint32_t slot, std::uint32_t run, const std::vector<std::string>& lines) {
    json::Writer writer;
    writer.begin_object().key("tail").begin_object().member_int("slot", slot).member_int("run", run);
    writer.key("lines").begin_array();
    for (const auto& line : lines) writer.string(line);
    return writer.end_array().end_object().end_object().take();
}

std::string state_packet(const StateFile& file) {
    json::Writer writer;
    writer.begin_object().key("state").begin_object().member_int("id", file.id);
    writer.member("dir", file.dir).member("name", file.name);
    if (file.content) writer.member("content", *file.content);
    return writer.end_object().end_object().take();
}

StateFile state_of(const json::Value& member) {
    StateFile file;
    file.id = member.int_or("id", 0);
    file.dir = member.string_or("dir", "");
    file.name = member.string_or("name", "");
    if (member.find("content") != nullptr) file.content = member.string_or("content", "");
    return file;
}

std::string stored_packet(std::int64_t id, std::string_view error) { return done_packet("stored", id, error); }

std::string records_packet(const Records& records) {
    json::Writer writer;
    writer.begin_object().key("records").begin_object().member_int("id", records.id).member("dir", records.dir);
    writer.member("name", records.name).member("lines", records.lines);
    return writer.end_object().end_object().take();
}

std::string line_packet(std::uint32_t slot, std::uint64_t run, std::string_view fault) {
    json::Writer writer;
    writer.begin_object().key("line").begin_object().member_int("slot", slot);
    writer.member_int("run", static_cast<std::int64_t>(run)).member("fault", fault);
    return writer.end_object().end_object().take();
}

Records records_of(const json::Value& member) {
    Records records;
    records.id = member.int_or("id", 0);
    records.dir = member.string_or("dir", "");
    records.name = member.string_or("name", "");
    records.lines = member.string_or("lines", "");
    return records;
}

std::string recorded_packet(std::int64_t id, std::string_view error) { return done_packet("recorded", id, error); }

std::string used_packet(const UsedRecords& used) {
    json::Writer writer;
    writer.begin_object().key("used").begin_object().member("dir", used.dir);
    write_names(writer, used.names);
    return writer.member_bool("more", used.more).end_object().end_object().take();
}

UsedRecords used_of(const json::Value& member) {
    return {std::string(member.string_or("dir", "")), names_of(member), member.bool_or("more", false)};
}

std::string history_packet(const WantedRecords& wanted) {
    json::Writer writer;
    writer.begin_object().key("history").begin_object().member("dir", wanted.dir);
    write_names(writer, wanted.names);
    return writer.end_object().end_object().take();
}

WantedRecords wanted_of(const json::Value& member) {
    return {std::string(member.string_or("dir", "")), names_of(member)};
}

std::string problem_packet(std::uint32_t slot, std::string_view text) {
    json::Writer writer;
    writer.begin_object().key("problem").begin_object().member_int("slot", slot).member("text", text);
    return writer.end_object().end_object().take();
}

}  // namespace procsup::logger
