#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <array>
#include <charconv>
#include <iterator>

#include "common/json.h"
#include "common/utf8.h"

namespace procsup::json {
namespace {

/// Builds a Value from the reader's events. Finished values of open containers wait in two flat stacks, so that each
/// container is allocated once and at its final size. Text is checked here and not by the reader, which lets a lone
/// low surrogate (\udc00) pass.
class Builder {
public:
    bool Null() {
        if (depth_ == 0 || in_object_[depth_ - 1]) return true;  // the place is null already
        elements_.emplace_back();
        return count();
    }
    bool Bool(bool value) { return add(value); }
    bool String(const char* text, rapidjson::SizeType length, bool) {
        if (!is_utf8({text, length})) return refuse("a string is not UTF-8");
        return add(std::string(text, length));
    }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
        const std::string_view number(text, length);
        const char* const end = text + length;
        if (number.find_first_of(".eE") != std::string_view::npos) {
            double value = 0;
            // Out of range happens only towards zero: the reader itself refuses what is too large.
            std::from_chars(text, end, value);
            return add(value);
        }
        std::int64_t value = 0;
        const auto [rest, error] = std::from_chars(text, end, value);
        if (error != std::errc() || rest != end) return refuse("an integer is beyond 64 bits");
        return add(value);
    }
    bool Key(const char* text, rapidjson::SizeType length, bool) {
        if (!is_utf8({text, length})) return refuse("a name is not UTF-8");
        members_.emplace_back(std::string(text, length), Value());
        return count();
    }
    bool StartObject() { return open(true); }
    bool StartArray() { return open(false); }
    bool EndObject(rapidjson::SizeType count) {
        const auto first = members_.end() - static_cast<std::ptrdiff_t>(count);
        Value::Object object(std::make_move_iterator(first), std::make_move_iterator(members_.end()));
        members_.erase(first, members_.end());
        --depth_;
        return add(std::move(object));
    }
    bool EndArray(rapidjson::SizeType count) {
        const auto first = elements_.end() - static_cast<std::ptrdiff_t>(count);
        Value::Array array(std::make_move_iterator(first), std::make_move_iterator(elements_.end()));
        elements_.erase(first, elements_.end());
        --depth_;
        return add(std::move(array));
    }
    // Never called: numbers come as text.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }

    Value take() { return std::move(root_); }
    /// Why a callback has ended the reading; empty when none has.
    std::string_view refusal() const { return refusal_; }

private:
    bool refuse(std::string_view why) {
        refusal_ = why;
        return false;
    }
    /// Of every member and every element.
    bool count() { return ++count_ <= kMaxValues || refuse("too many values"); }
    bool open(bool object) {
        if (depth_ == kMaxDepth) return refuse("more than 32 levels deep");
        in_object_[depth_++] = object;
        return true;
    }
    template <typename T>
    bool add(T content) {
        if (depth_ > 0 && !in_object_[depth_ - 1]) {
            elements_.emplace_back(std::move(content));
            return count();
        }
        (depth_ == 0 ? root_ : members_.back().second) = Value(std::move(content));
        return true;
    }

    Value root_;
    std::vector<Value::Member> members_;
    std::vector<Value> elements_;
    std::array<bool, kMaxDepth> in_object_{};
    std::size_t depth_ = 0;
    std::size_t count_ = 0;
    std::string_view refusal_;
};

// Iterative: a deeply nested text must not use up the stack before the depth is refused.
constexpr unsigned kReaderFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

Error not_json(std::size_t position, std::string_view why) {
    return Error{"cannot read JSON at byte " + std::to_string(position) + ": " + std::string(why)};
}

}  // namespace

Result<Value> parse(std::string_view text) {
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::Reader reader;
    Builder builder;
    const auto outcome = reader.Parse<kReaderFlags>(stream, builder);
    if (!builder.refusal().empty()) return not_json(stream.Tell(), builder.refusal());
    if (outcome.IsError()) return not_json(outcome.Offset(), rapidjson::GetParseError_En(outcome.Code()));
    // The reader takes a NUL byte for the end.
    if (stream.Tell() != text.size()) return not_json(stream.Tell(), "bytes after the value");
    return builder.take();
}

}  // namespace procsup::json
