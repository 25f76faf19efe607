#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace procsup::broker {

/// The numbers that a value consists of, as C has them.
enum class CellType : std::uint8_t { Int8, Uint8, Int16, Uint16, Int32, Uint32, Int64, Uint64, Double };
inline constexpr std::size_t kCellTypes = 9;

/// "int8" … "double".
std::string_view text_of(CellType type);
std::optional<CellType> cell_type(std::string_view text);
/// Bytes.
std::size_t size_of(CellType type);

/// A number on its way in or out. Of a Uint64 above INT64_MAX the int64 of the same bits.
using Cell = std::variant<std::int64_t, double>;

/// Numbers of one type, each in as many bytes as that has.
class Cells {
public:
    Cells() = default;
    /// All 0.
    Cells(CellType type, std::size_t count) : type_(type), bytes_(count * size_of(type)) {}

    CellType type() const { return type_; }
    std::size_t count() const { return bytes_.size() / size_of(type_); }
    std::size_t size() const { return bytes_.size(); }  ///< bytes

    /// `at` is below count().
    Cell get(std::size_t at) const;
    void set(std::size_t at, Cell cell);
    /// A double is for Double alone, an integer for any that it fits. With `bits` a negative one for Uint64 too.
    bool can_have(Cell cell, bool bits = false) const;
    /// Of what is there and what is added: nothing where the type has no place for the sum. With `bits` a negative `b` is meant as
    /// the Uint64 of the same bits.
    std::optional<Cell> sum(Cell a, Cell b, bool bits = false) const;

private:
    CellType type_ = CellType::Int64;
    std::vector<std::byte> bytes_;
};

}  // namespace procsup::broker
