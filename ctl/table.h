#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace procsup::ctl {

/// Columns of text, aligned left, two spaces between them; the last is not padded. Cells are escaped text, perhaps
/// with colours, whose width is given.
class Table {
public:
    struct Cell {
        std::string text;
        std::size_t width = 0;

        Cell(std::string plain);
        Cell(const char* plain) : Cell(std::string(plain)) {}
        Cell(std::string colored, std::size_t shown) : text(std::move(colored)), width(shown) {}
    };

    /// `lead` stands before the first column, without padding: "* ".
    void add(std::string lead, std::vector<Cell> cells);
    std::string text() const;

private:
    struct Row {
        std::string lead;
        std::vector<Cell> cells;
    };
    std::vector<Row> rows_;
    std::vector<std::size_t> widths_;
};

}  // namespace procsup::ctl
