#include "daemon/broker/core/cells.h"

#include <gtest/gtest.h>

#include <limits>

namespace procsup::broker {
namespace {

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();

std::int64_t kept(CellType type, std::int64_t number) {
    Cells cells(type, 3);
    cells.set(1, number);
    EXPECT_EQ(cells.get(0), Cell(std::int64_t{0})) << "its neighbours are left alone";
    EXPECT_EQ(cells.get(2), Cell(std::int64_t{0}));
    return std::get<std::int64_t>(cells.get(1));
}

TEST(Cells, KeepWhatTheirTypeHolds) {
    const struct {
        CellType type;
        std::int64_t least, most;
    } all[] = {{CellType::Int8, -128, 127},
               {CellType::Uint8, 0, 255},
               {CellType::Int16, -32768, 32767},
               {CellType::Uint16, 0, 65535},
               {CellType::Int32, -2147483648LL, 2147483647},
               {CellType::Uint32, 0, 4294967295},
               {CellType::Int64, kLeast, kMost}};
    for (const auto& [type, least, most] : all) {
        const Cells cells(type, 1);
        EXPECT_EQ(kept(type, least), least) << text_of(type);
        EXPECT_EQ(kept(type, most), most) << text_of(type);
        if (type == CellType::Int64) continue;
        EXPECT_TRUE(cells.can_have(most) && cells.can_have(least)) << text_of(type);
        EXPECT_FALSE(cells.can_have(most + 1) || cells.can_have(least - 1)) << text_of(type);
        EXPECT_FALSE(cells.sum(most, std::int64_t{1}) || cells.sum(least, std::int64_t{-1})) << text_of(type);
    }
    EXPECT_EQ(kept(CellType::Uint64, -1), -1) << "its bits";
}

TEST(Cells, AddUpToWhatTheirTypeHolds) {
    const Cells integers(CellType::Int64, 1), naturals(CellType::Uint64, 1), reals(CellType::Double, 1);
    EXPECT_EQ(integers.sum(std::int64_t{40}, std::int64_t{2}), Cell(std::int64_t{42}));
    EXPECT_EQ(integers.sum(kMost, std::int64_t{1}), std::nullopt);
    EXPECT_EQ(naturals.sum(kMost, std::int64_t{1}), Cell(kLeast)) << "2^63";
    EXPECT_EQ(naturals.sum(std::int64_t{-1}, std::int64_t{1}), std::nullopt) << "2^64";
    EXPECT_EQ(naturals.sum(std::int64_t{5}, std::int64_t{-5}), Cell(std::int64_t{0}));
    EXPECT_EQ(naturals.sum(std::int64_t{5}, std::int64_t{-6}), std::nullopt);
    EXPECT_EQ(naturals.sum(std::int64_t{5}, std::int64_t{-6}, true), Cell(std::int64_t{-1})) << "2^64 - 6 was added";
    EXPECT_EQ(naturals.sum(std::int64_t{6}, std::int64_t{-6}, true), std::nullopt);
    EXPECT_FALSE(naturals.can_have(std::int64_t{-1}));
    EXPECT_TRUE(naturals.can_have(std::int64_t{-1}, true));
    EXPECT_EQ(reals.sum(1e308, 1e308), std::nullopt) << "infinity";
    EXPECT_EQ(integers.sum(std::int64_t{1}, 0.5), std::nullopt);
    EXPECT_EQ(reals.sum(0.5, std::int64_t{2}), Cell(2.5));
}

TEST(Cells, OfDoublesTakeIntegersToo) {
    Cells cells(CellType::Double, 1);
    cells.set(0, std::int64_t{3});
    EXPECT_EQ(cells.get(0), Cell(3.0));
    EXPECT_FALSE(Cells(CellType::Int32, 1).can_have(0.5));
}

TEST(Cells, HaveTypesByName) {
    EXPECT_EQ(cell_type("uint16"), CellType::Uint16);
    EXPECT_EQ(cell_type("double"), CellType::Double);
    EXPECT_EQ(cell_type("long"), std::nullopt);
    EXPECT_EQ(size_of(CellType::Uint16), 2u);
}

}  // namespace
}  // namespace procsup::broker
