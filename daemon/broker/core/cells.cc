#include "daemon/broker/core/cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace procsup::broker {
namespace {

struct TypeFacts {
    std::string_view text;
    std::size_t size;
    std::int64_t least, most;
};

template <typename T>
constexpr TypeFacts of(std::string_view text) {
    // Uint64 has its own bounds: its bits are what is kept.
    constexpr bool whole = sizeof(T) == sizeof(std::int64_t);
    using Bounds = std::numeric_limits<std::int64_t>;
    return {text, sizeof(T), whole ? Bounds::min() : static_cast<std::int64_t>(std::numeric_limits<T>::min()),
            whole ? Bounds::max() : static_cast<std::int64_t>(std::numeric_limits<T>::max())};
}

/// In the order of CellType.
constexpr std::array<TypeFacts, kCellTypes> kFacts{
    of<std::int8_t>("int8"),     of<std::uint8_t>("uint8"),   of<std::int16_t>("int16"),
    of<std::uint16_t>("uint16"), of<std::int32_t>("int32"),   of<std::uint32_t>("uint32"),
    of<std::int64_t>("int64"),   of<std::uint64_t>("uint64"), {"double", sizeof(double), 0, 0}};

const TypeFacts& facts(CellType type) { return kFacts[static_cast<std::size_t>(type)]; }

bool is_signed(CellType type) { return facts(type).least < 0 && type != CellType::Uint64; }

}  // namespace

std::string_view text_of(CellType type) { return facts(type).text; }

std::size_t size_of(CellType type) { return facts(type).size; }

std::optional<CellType> cell_type(std::string_view text) {
    const auto* found = std::find_if(kFacts.begin(), kFacts.end(), [&](const auto& one) { return one.text == text; });
    if (found == kFacts.end()) return std::nullopt;
    return static_cast<CellType>(found - kFacts.begin());
}

Cell Cells::get(std::size_t at) const {
    const auto* from = &bytes_[at * size_of(type_)];
    if (type_ == CellType::Double) {
        double number = 0;
        memcpy(&number, from, sizeof(number));
        return number;
    }
    // The low bytes come first on all machines that this runs on.
    std::uint64_t number = 0;
    memcpy(&number, from, size_of(type_));
    const auto unused = 64 - 8 * size_of(type_);
    if (is_signed(type_)) return static_cast<std::int64_t>(number << unused) >> unused;
    return static_cast<std::int64_t>(number);
}

void Cells::set(std::size_t at, Cell cell) {
    auto* to = &bytes_[at * size_of(type_)];
    if (type_ == CellType::Double) {
        const auto* integer = std::get_if<std::int64_t>(&cell);
        const double number = integer != nullptr ? static_cast<double>(*integer) : std::get<double>(cell);
        memcpy(to, &number, sizeof(number));
    } else {
        memcpy(to, &std::get<std::int64_t>(cell), size_of(type_));
    }
}

bool Cells::can_have(Cell cell, bool bits) const {
    if (type_ == CellType::Double) return true;
    const auto* number = std::get_if<std::int64_t>(&cell);
    if (number == nullptr) return false;
    if (type_ == CellType::Uint64) return *number >= 0 || bits;
    return *number >= facts(type_).least && *number <= facts(type_).most;
}

std::optional<Cell> Cells::sum(Cell a, Cell b, bool bits) const {
    if (type_ == CellType::Double) {
        const auto real = [](Cell cell) {
            return std::visit([](auto number) { return static_cast<double>(number); }, cell);
        };
        const double total = real(a) + real(b);
        // JSON has no infinity.
        return std::isfinite(total) ? std::optional<Cell>(total) : std::nullopt;
    }
    if (!std::holds_alternative<std::int64_t>(b)) return std::nullopt;
    const auto x = std::get<std::int64_t>(a), y = std::get<std::int64_t>(b);
    if (type_ == CellType::Uint64) {
        const auto there = static_cast<std::uint64_t>(x), total = there + static_cast<std::uint64_t>(y);
        const bool shrinks = y < 0 && !bits;
        const bool fits = shrinks ? total < there : total >= there;
        return fits ? std::optional<Cell>(static_cast<std::int64_t>(total)) : std::nullopt;
    }
    std::int64_t total = 0;
    if (__builtin_add_overflow(x, y, &total) || !can_have(total)) return std::nullopt;
    return total;
}

}  // namespace procsup::broker
