#include "ctl/logs/line.h"

#include <time.h>

namespace procsup::ctl {
namespace {

constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd.ddddddZ";
constexpr std::size_t kMinuteSize = 17;
constexpr std::string_view kJsonTime = R"({"time":")";

bool has_shape(std::string_view text) {
    if (text.size() < kShape.size()) return false;
    for (std::size_t i = 0; i < kShape.size(); ++i) {
        if (kShape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != kShape[i]) return false;
    }
    return true;
}

int number_at(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) value = value * 10 + (text[i] - '0');
    return value;
}

std::int64_t usec_of_minute(std::string_view text) {
    struct tm fields {};
    fields.tm_year = number_at(text, 0, 4) - 1900;
    fields.tm_mon = number_at(text, 5, 2) - 1;
    fields.tm_mday = number_at(text, 8, 2);
    fields.tm_hour = number_at(text, 11, 2);
    fields.tm_min = number_at(text, 14, 2);
    return std::int64_t{timegm(&fields)} * 1'000'000;
}

bool is_stamp(std::string_view text) {
    return has_shape(text) && text.size() > kShape.size() && text[kShape.size()] == ' ';
}

}  // namespace

std::optional<std::int64_t> StampReader::read(std::string_view text) {
    if (!has_shape(text)) return std::nullopt;
    if (text.substr(0, kMinuteSize) != minute_) {
        minute_ = text.substr(0, kMinuteSize);
        minute_usec_ = usec_of_minute(text);
    }
    return minute_usec_ + std::int64_t{1'000'000} * number_at(text, 17, 2) + number_at(text, 20, 6);
}

std::int64_t StampReader::time_of(std::string_view line, LogFormat format) {
    switch (format) {
        case LogFormat::Raw: return kNoTime;
        case LogFormat::Stamped: return read(line).value_or(kNoTime);
        case LogFormat::Json:
            if (!line.starts_with(kJsonTime)) return kNoTime;
            return read(line.substr(kJsonTime.size())).value_or(kNoTime);
    }
    return kNoTime;
}

std::string_view text_of(const LogLine& line, std::string& room) {
    switch (line.format) {
        case LogFormat::Raw: break;
        case LogFormat::Stamped:
            if (is_stamp(line.raw)) return line.raw.substr(kShape.size() + 1);
            break;
        case LogFormat::Json: {
            auto object = json::parse(line.raw);
            if (!object) break;
            const auto* message = object->find("message");
            if (message == nullptr || message->as_string() == nullptr) break;
            room = *message->as_string();
            return room;
        }
    }
    return line.raw;
}

bool begins_line(std::string_view bytes, LogFormat format) {
    switch (format) {
        case LogFormat::Raw: return false;
        case LogFormat::Stamped: return is_stamp(bytes);
        case LogFormat::Json: return bytes.starts_with(kJsonTime);
    }
    return false;
}

}  // namespace procsup::ctl
