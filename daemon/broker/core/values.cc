// Values: numbers that everybody may change who may know of them, and that can be waited for.
#include <algorithm>

#include "daemon/broker/core/coordinator.h"

namespace procsup::broker {
namespace {

std::vector<Cell> part_of(const Cells& cells, std::size_t at, std::size_t count) {
    std::vector<Cell> part;
    part.reserve(count);
    for (std::size_t i = 0; i < count; ++i) part.push_back(cells.get(at + i));
    return part;
}

/// What would be there afterwards; empty: a number does not fit.
std::vector<Cell> after(const Cells& cells, const Change& change, const std::vector<Cell>& before) {
    if (change.type && *change.type != cells.type()) return {};
    const bool bits = change.type == CellType::Uint64;
    std::vector<Cell> result;
    for (std::size_t i = 0; i < change.cells.size(); ++i) {
        const auto cell = change.cells[i];
        const auto made = change.adds ? cells.sum(before[i], cell, bits) : std::optional(cell);
        const bool fits = made && (change.adds || cells.can_have(cell, bits));
        if (!fits) return {};
        result.push_back(*made);
    }
    return result;
}

bool is_same(const std::vector<Cell>& there, const std::vector<Cell>& expected, const Cells& cells) {
    return std::equal(there.begin(), there.end(), expected.begin(), expected.end(), [&](Cell a, Cell b) {
        // What a client expects of a double may be written as an integer.
        const auto* integer = std::get_if<std::int64_t>(&b);
        if (cells.type() == CellType::Double && integer != nullptr) b = static_cast<double>(*integer);
        return a == b;
    });
}

}  // namespace

Coordinator::Made Coordinator::make_value(std::string_view name, std::uint64_t account, CellType type,
                                          std::size_t count) {
    if (const auto* there = known(Kind::Value, name)) {
        const bool same = there->cells.type() == type && there->cells.count() == count;
        return same ? Made::ThereAlready : Made::Differs;
    }
    const auto bytes = count * size_of(type);
    const auto has = accounts_.find(account);
    if (bytes > most_bytes_ - (has != accounts_.end() ? has->second.bytes : 0)) return Made::TooManyBytes;
    auto* made = make(Kind::Value, name, account);
    if (made == nullptr) return Made::TooManyNames;
    accounts_.at(account).bytes += bytes;
    made->cells = Cells(type, count);
    made->version = ++last_token_;
    return Made::Yes;
}

Changed Coordinator::change_value(std::string_view name, const Change& change, TimePoint now) {
    using How = Changed::How;
    auto* value = known(Kind::Value, name);
    if (value == nullptr) return {How::Unknown, 0, {}};
    auto& cells = value->cells;
    const auto count = std::max(change.cells.size(), change.if_cells.size());
    if (change.at > cells.count() || count > cells.count() - change.at) return {How::OutOfBounds, value->version, {}};
    auto before = part_of(cells, change.at, count);
    const bool differs = (change.if_version && *change.if_version != value->version) ||
                         (!change.if_cells.empty() && !is_same(before, change.if_cells, cells));
    if (differs) return {How::Differs, value->version, std::move(before)};
    const auto then = after(cells, change, before);
    if (then.size() != change.cells.size()) return {How::OutOfRange, value->version, {}};
    for (std::size_t i = 0; i < then.size(); ++i) cells.set(change.at + i, then[i]);
    value->version = ++last_token_;
    value->is_set = true;
    serve(*value, now);
    value->is_set = false;
    return {How::Done, value->version, std::move(before)};
}

}  // namespace procsup::broker
