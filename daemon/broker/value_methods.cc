#include <algorithm>
#include <utility>

#include "daemon/broker/broker.h"
#include "daemon/broker/calls.h"
#include "daemon/broker/interface_texts.h"
#include "daemon/broker/interfaces.h"
#include "daemon/broker/names.h"

namespace procsup::broker {
namespace {

using varlink::PendingCall;

constexpr std::int64_t kMostNumbers = 65'536;
/// Of numbers in an error's message.
constexpr std::size_t kLongestList = 60;

void reply(PendingCall& call, const Grant& grant) {
    json::Writer writer;
    writer.begin_object().member_int("version", static_cast<std::int64_t>(grant.token)).end_object();
    call.reply(writer.text());
}

constexpr Subject kValues{Kind::Value,
                          "io.procsupd.Value",
                          "value",
                          "NoSuchValue",
                          "it is made when it is set: procsupctl value set",
                          "values stay until they are removed: procsupctl value rm",
                          reply};

std::string quoted(const PendingCall& call, const std::string& full) {
    return "'" + std::string(own_name(full, call.peer().uid)) + "'";
}

void fail_for(PendingCall& call, std::string_view error, const std::string& full, const std::string& message,
              std::string_view hint = {}) {
    fail(kValues, call, error, own_name(full, call.peer().uid), message, hint);
}

// ---- numbers

/// What the call has of this name; empty where it has none.
std::vector<Cell> numbers_in(const PendingCall& call, std::string_view parameter) {
    std::vector<Cell> cells;
    const auto* numbers = call.parameters().find(parameter);
    if (numbers == nullptr) return cells;
    for (const auto* kind : {"ints", "reals"}) {
        const auto* list = numbers->find(kind);
        if (list == nullptr) continue;
        for (const auto& number : *list->as_array()) {
            if (const auto* integer = number.as_int()) {
                cells.emplace_back(*integer);
            } else {
                cells.emplace_back(*number.as_double());
            }
        }
    }
    return cells;
}

void write_numbers(json::Writer& writer, std::string_view key, CellType type, const std::vector<Cell>& cells) {
    writer.key(key)
        .begin_object()
        .member("type", text_of(type))
        .key(type == CellType::Double ? "reals" : "ints")
        .begin_array();
    for (const auto cell : cells) {
        if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
            writer.number(*integer);
        } else {
            writer.real(std::get<double>(cell));
        }
    }
    writer.end_array().end_object();
}

std::string text_of(Cell cell, CellType type) {
    if (type == CellType::Uint64) return std::to_string(static_cast<std::uint64_t>(std::get<std::int64_t>(cell)));
    return std::visit([](auto number) { return json::to_text(json::Value(number)); }, cell);
}

std::vector<Cell> part_of(const Cells& cells, std::size_t at, std::size_t count) {
    std::vector<Cell> part;
    for (std::size_t i = 0; i < count; ++i) part.push_back(cells.get(at + i));
    return part;
}

/// The index `at`; reports what is none.
std::optional<std::size_t> at_in(PendingCall& call) {
    const auto at = call.parameters().int_or("at", 0);
    if (at >= 0) return static_cast<std::size_t>(at);
    call.fail_invalid_parameter("at");
    return std::nullopt;
}

void fail_out_of_bounds(PendingCall& call, const std::string& full, const Resource& value) {
    fail_for(call, "OutOfBounds", full,
             quoted(call, full) + " has " + std::to_string(value.cells.count()) + " in all, counted from 0");
}

// ---- methods

void make(Broker& broker, PendingCall call) {
    const auto full = name_in(kValues, call);
    if (!full) return;
    const auto count = count_in(call, "count");
    if (!count) return;
    if (*count > kMostNumbers) return call.fail_invalid_parameter("count");
    const auto type = *cell_type(call.parameters().string_or("type", text_of(CellType::Int64)));
    switch (broker.coordinator().make_value(*full, call.peer().uid, type, *count)) {
        case Coordinator::Made::Yes: return call.reply(R"({"made":true})");
        case Coordinator::Made::ThereAlready: return call.reply(R"({"made":false})");
        case Coordinator::Made::TooManyNames: return fail_too_many_names(kValues, call, *full);
        case Coordinator::Made::TooManyBytes:
            return fail_for(call, "TooMany", *full, "the values of this user would be too large together",
                            kValues.too_many);
        case Coordinator::Made::Differs: break;
    }
    const auto& there = broker.coordinator().find(Kind::Value, *full)->cells;
    fail_for(call, "Differs", *full,
             "there is a value " + quoted(call, *full) + " of " + std::to_string(there.count()) + " " +
                 std::string(text_of(there.type())) + " already",
             "procsupctl value rm " + std::string(own_name(*full, call.peer().uid)));
}

void get(Broker& broker, PendingCall call) {
    const auto full = name_in(kValues, call);
    if (!full) return;
    const auto* value = broker.coordinator().find(Kind::Value, *full);
    if (value == nullptr) return fail_no_such(kValues, call, own_name(*full, call.peer().uid));
    const auto at = at_in(call);
    if (!at) return;
    const auto& cells = value->cells;
    if (*at >= cells.count()) return fail_out_of_bounds(call, *full, *value);
    const auto count = call.parameters().int_or("count", static_cast<std::int64_t>(cells.count() - *at));
    if (count < 0) return call.fail_invalid_parameter("count");
    if (static_cast<std::size_t>(count) > cells.count() - *at) return fail_out_of_bounds(call, *full, *value);
    json::Writer writer;
    writer.begin_object().member_int("version", static_cast<std::int64_t>(value->version));
    write_numbers(writer, "numbers", cells.type(), part_of(cells, *at, static_cast<std::size_t>(count)));
    call.reply(writer.end_object().text());
}

void fail_changed(PendingCall& call, const std::string& full, const Resource& value, const Changed& changed) {
    json::Writer writer;
    writer.begin_object().member("name", own_name(full, call.peer().uid));
    writer.member_int("version", static_cast<std::int64_t>(changed.version));
    write_numbers(writer, "numbers", value.cells.type(), changed.before);
    std::string there;
    for (const auto cell : changed.before) {
        there += " " + text_of(cell, value.cells.type());
        if (there.size() > kLongestList) break;
    }
    writer.member("message", quoted(call, full) + " has been changed: it is" + there).end_object();
    call.fail_with(std::string(kValues.interface) + ".Changed", writer.text());
}

void change(Broker& broker, PendingCall call, bool adds) {
    const auto full = name_in(kValues, call);
    if (!full) return;
    const auto at = at_in(call);
    if (!at) return;
    Change change;
    change.at = *at;
    change.adds = adds;
    change.cells = numbers_in(call, "numbers");
    change.if_cells = numbers_in(call, "ifNumbers");
    change.type = cell_type(call.parameters().find("numbers")->string_or("type", ""));
    if (change.cells.empty()) return call.fail_invalid_parameter("numbers");
    const bool has_version = call.parameters().find("ifVersion") != nullptr;
    if (has_version) change.if_version = static_cast<Token>(call.parameters().int_or("ifVersion", 0));
    const auto changed = broker.coordinator().change_value(*full, change, broker.now());
    const auto* value = broker.coordinator().find(Kind::Value, *full);
    switch (changed.how) {
        case Changed::How::Done: break;
        case Changed::How::Differs: return fail_changed(call, *full, *value, changed);
        case Changed::How::OutOfBounds: return fail_out_of_bounds(call, *full, *value);
        case Changed::How::OutOfRange:
            return fail_for(call, "OutOfRange", *full,
                            "what " + quoted(call, *full) + " would be does not fit its type, " +
                                std::string(text_of(value->cells.type())));
        case Changed::How::Unknown: return fail_no_such(kValues, call, own_name(*full, call.peer().uid));
    }
    const auto& cells = value->cells;
    json::Writer writer;
    writer.begin_object().member_int("version", static_cast<std::int64_t>(changed.version));
    write_numbers(writer, "before", cells.type(), changed.before);
    if (adds) write_numbers(writer, "numbers", cells.type(), part_of(cells, change.at, change.cells.size()));
    call.reply(writer.end_object().text());
}

void wait(Broker& broker, PendingCall call) {
    const auto name = name_in(kValues, call);
    if (!name) return;
    Request request;
    request.name = *name;
    request.units = 1;
    request.seen = static_cast<Token>(call.parameters().int_or("version", 0));
    acquire(broker, kValues, std::move(call), request);
}

void write_value(json::Writer& writer, Broker& broker, const Resource& value, std::string_view name) {
    constexpr std::size_t kMostShown = 8;
    const auto& cells = value.cells;
    writer.begin_object().member("name", name).member("type", text_of(cells.type()));
    writer.member_int("count", static_cast<std::int64_t>(cells.count()));
    writer.member_int("version", static_cast<std::int64_t>(value.version));
    write_numbers(writer, "numbers", cells.type(), part_of(cells, 0, std::min(cells.count(), kMostShown)));
    writer.key("waiters").begin_array();
    for (const auto& waiter : value.queue) {
        write_claim(writer, broker, waiter.owner, waiter.since);
        writer.end_object();
    }
    writer.end_array().end_object();
}

void list(Broker& broker, PendingCall call) {
    std::vector<std::string> names;
    const auto values = things_in(broker, kValues, call, names);
    json::Writer writer;
    writer.begin_object().key("values").begin_array();
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] == nullptr) return fail_no_such(kValues, call, names[i]);
        write_value(writer, broker, *values[i], names[i]);
    }
    call.reply(writer.end_array().end_object().text());
}

void remove(Broker& broker, PendingCall call) {
    const auto full = name_in(kValues, call);
    if (!full) return;
    if (!broker.coordinator().remove(Kind::Value, *full))
        return fail_no_such(kValues, call, own_name(*full, call.peer().uid));
    call.reply();
}

}  // namespace

varlink::Interface value_interface(Broker& broker) {
    varlink::Interface interface {
        std::string(kValues.interface), std::string(kValueText), {}
    };
    interface.methods["Make"] = [&broker](PendingCall call) { make(broker, std::move(call)); };
    interface.methods["Get"] = [&broker](PendingCall call) { get(broker, std::move(call)); };
    interface.methods["Set"] = [&broker](PendingCall call) { change(broker, std::move(call), false); };
    interface.methods["Add"] = [&broker](PendingCall call) { change(broker, std::move(call), true); };
    interface.methods["Wait"] = [&broker](PendingCall call) { wait(broker, std::move(call)); };
    interface.methods["List"] = [&broker](PendingCall call) { list(broker, std::move(call)); };
    interface.methods["Remove"] = [&broker](PendingCall call) { remove(broker, std::move(call)); };
    return interface;
}

}  // namespace procsup::broker
