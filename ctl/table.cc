#include "ctl/table.h"

#include <algorithm>

#include "ctl/text.h"

namespace procsup::ctl {

Table::Cell::Cell(std::string plain) : text(std::move(plain)), width(display_width(text)) {}

void Table::add(std::string lead, std::vector<Cell> cells) {
    widths_.resize(std::max(widths_.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].width);
    rows_.push_back({std::move(lead), std::move(cells)});
}

std::string Table::text() const {
    std::string result;
    for (const Row& row : rows_) {
        result += row.lead;
        std::size_t blanks = 0;  // owed, and written only before something that is seen
        for (std::size_t i = 0; i < row.cells.size(); ++i) {
            if (row.cells[i].width > 0) {
                result.append(blanks, ' ').append(row.cells[i].text);
                blanks = 0;
            }
            blanks += widths_[i] - row.cells[i].width + 2;
        }
        result += '\n';
    }
    return result;
}

}  // namespace procsup::ctl
