// Values: numbers that processes share.
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "ctl/broker.h"
#include "ctl/handlers.h"
#include "ctl/table.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::string_view kValue = "io.procsupd.Value";

std::string method(std::string_view name) { return std::string(kValue) + "." + std::string(name); }

template <typename Number>
bool read_number(std::string_view word, Number& out) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
    return error == std::errc() && end == word.data() + word.size();
}

/// The operands behind the name, as the broker takes them: integers are kept exact as far as there are such.
struct Numbers {
    std::vector<std::int64_t> ints;
    std::vector<double> reals;
    std::string wrong;        ///< a word that is no number
    bool is_natural = false;  ///< one is above INT64_MAX

    static Numbers of(std::span<const std::string_view> words) {
        Numbers numbers;
        bool whole = true;
        for (const auto word : words) {
            std::int64_t integer = 0;
            std::uint64_t natural = 0;
            double real = 0;
            if (!read_number(word, real) || !std::isfinite(real)) numbers.wrong = word;
            const bool is_signed = read_number(word, integer);
            const bool is_natural = !is_signed && read_number(word, natural);
            whole = whole && (is_signed || is_natural);
            numbers.is_natural = numbers.is_natural || is_natural;
            numbers.ints.push_back(is_signed ? integer : static_cast<std::int64_t>(natural));
            numbers.reals.push_back(real);
        }
        numbers.is_natural = numbers.is_natural && whole;
        (whole ? numbers.reals.clear() : numbers.ints.clear());
        return numbers;
    }

    void write(json::Writer& writer, std::string_view key) const {
        writer.key(key).begin_object();
        if (is_natural) writer.member("type", "uint64");
        writer.key(reals.empty() ? "ints" : "reals").begin_array();
        for (const auto number : ints) writer.number(number);
        for (const auto number : reals) writer.real(number);
        writer.end_array().end_object();
    }
};

/// "1 2 3".
std::string text_of(const json::Value* numbers) {
    if (numbers == nullptr) return {};
    const bool natural = numbers->string_or("type", "") == "uint64";
    std::string text;
    for (const auto& number : list_in(*numbers, "ints")) {
        const auto integer = *number.as_int();
        text += (text.empty() ? "" : " ") +
                (natural ? std::to_string(static_cast<std::uint64_t>(integer)) : std::to_string(integer));
    }
    for (const auto& number : list_in(*numbers, "reals")) text += (text.empty() ? "" : " ") + json::to_text(number);
    return text;
}

/// Nothing: it was reported.
std::optional<Numbers> numbers_behind_name(Session& session) {
    const std::span words(session.line().operands);
    auto numbers = Numbers::of(words.subspan(1));
    if (numbers.wrong.empty()) return numbers;
    session.fail(Error{"'" + escaped(numbers.wrong) + "' is no number"});
    return std::nullopt;
}

/// With as many numbers as are to be there, of --type or one that they fit. False: it was reported.
bool make(Session& session, const Numbers& numbers) {
    const auto& line = session.line();
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front());
    const std::string_view fitting = numbers.is_natural ? "uint64" : numbers.reals.empty() ? "int64" : "double";
    writer.member("type", line.number_type.empty() ? fitting : line.number_type);
    writer.member_int("count", static_cast<std::int64_t>(line.at + numbers.ints.size() + numbers.reals.size()));
    const auto reply = session.call_raw(method("Make"), writer.end_object().text());
    if (reply && !reply->error.empty()) session.report(*reply);
    return reply && reply->error.empty();
}

/// Calls Set or Add, and makes the value where it is not there yet.
std::optional<json::Value> change(Session& session, std::string_view what, const std::string& parameters,
                                  const Numbers& numbers) {
    if (!session.line().number_type.empty() && !make(session, numbers)) return std::nullopt;
    auto reply = session.call_raw(method(what), parameters);
    if (reply && reply->error == method("NoSuchValue")) {
        if (!make(session, numbers)) return std::nullopt;
        reply = session.call_raw(method(what), parameters);
    }
    if (!reply) return std::nullopt;
    if (!reply->error.empty()) {
        session.report(*reply);
        return std::nullopt;
    }
    if (session.line().json) session.print_json(reply->parameters);
    return std::move(reply->parameters);
}

json::Writer parameters_of(const CommandLine& line) {
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front());
    if (line.at != 0) writer.member_int("at", line.at);
    return writer;
}

void print_numbers(Session& session, const json::Value& reply) {
    if (!session.line().json) session.out().line(text_of(reply.find("numbers")));
}

}  // namespace

int get_value(Session& session) {
    const Broker broker(session, kValue);
    auto writer = parameters_of(session.line());
    if (session.line().at_given) writer.member_int("count", 1);
    const auto reply = session.call(method("Get"), writer.end_object().text());
    if (!reply) return session.exit_code();
    print_numbers(session, *reply);
    return kSuccess;
}

int set_value(Session& session) {
    const Broker broker(session, kValue);
    const auto numbers = numbers_behind_name(session);
    if (!numbers) return session.exit_code();
    auto writer = parameters_of(session.line());
    numbers->write(writer, "numbers");
    return change(session, "Set", writer.end_object().text(), *numbers) ? kSuccess : session.exit_code();
}

int add_to_value(Session& session) {
    const Broker broker(session, kValue);
    const auto numbers = numbers_behind_name(session);
    if (!numbers) return session.exit_code();
    auto writer = parameters_of(session.line());
    numbers->write(writer, "numbers");
    const auto reply = change(session, "Add", writer.end_object().text(), *numbers);
    if (!reply) return session.exit_code();
    print_numbers(session, *reply);
    return kSuccess;
}

int compare_and_set_value(Session& session) {
    const Broker broker(session, kValue);
    if (!numbers_behind_name(session)) return session.exit_code();
    const std::span words(session.line().operands);
    auto writer = parameters_of(session.line());
    Numbers::of(words.subspan(1, 1)).write(writer, "ifNumbers");
    Numbers::of(words.subspan(2, 1)).write(writer, "numbers");
    return session.call(method("Set"), writer.end_object().text()) ? kSuccess : session.exit_code();
}

int wait_for_value(Session& session) {
    const Broker broker(session, kValue);
    const auto& line = session.line();
    json::Writer writer;
    writer.begin_object().member("name", line.operands.front());
    std::int64_t version = 0;
    if (line.operands.size() > 1 && !read_number(line.operands[1], version))
        return session.fail(Error{"'" + escaped(line.operands[1]) + "' is no version: procsupctl value get --json"});
    if (line.operands.size() == 1) {
        const auto now = session.call_raw(method("Get"), parameters_of(line).end_object().text());
        if (!now) return session.exit_code();
        if (!now->error.empty()) return session.report(*now);
        version = now->parameters.int_or("version", 0);
    }
    writer.member_int("version", version);
    if (line.try_only) writer.member_bool("try", true);
    if (line.timeout) writer.member_int("timeoutUSec", line.timeout->count());
    const auto reply = session.call_raw(method("Wait"), writer.end_object().text());
    if (!reply) return session.exit_code();
    return reply->error.empty() ? get_value(session) : report_refusal(session, *reply);
}

int list_values(Session& session) {
    Broker broker(session, kValue);
    const auto reply = list_named(session, kValue);
    if (!reply) return session.exit_code();
    const auto& values = list_in(*reply, "values");
    if (values.empty()) {
        session.out().note("there are no values");
        return kSuccess;
    }
    Table table;
    table.add("", {"VALUE", "TYPE", "NUMBERS", "WAITS"});
    for (const auto& value : values) {
        const auto count = value.int_or("count", 1);
        const auto* numbers = value.find("numbers");
        const bool cut = numbers != nullptr && static_cast<std::size_t>(count) >
                                                   list_in(*numbers, "ints").size() + list_in(*numbers, "reals").size();
        table.add("", {escaped(value.string_or("name", "")),
                       escaped(value.string_or("type", "")) + (count > 1 ? "[" + std::to_string(count) + "]" : ""),
                       text_of(numbers) + (cut ? " …" : ""), broker.waiters_text(list_in(value, "waiters"))});
    }
    session.out().add(table.text());
    return kSuccess;
}

int remove_value(Session& session) {
    const Broker broker(session, kValue);
    return call_for_name(session, kValue, "Remove");
}

}  // namespace procsup::ctl
