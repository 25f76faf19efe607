#include "conf/problems.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/utf8.h"

namespace procsup {
namespace {

/// The column in bytes of what toml++ calls the column in code points.
std::uint32_t byte_column(const std::string& text, Position at) {
    std::size_t start = 0;
    for (std::uint32_t line = 1; line < at.line; ++line) {
        const auto end = text.find('\n', start);
        if (end == std::string::npos) return at.column;
        start = end + 1;
    }
    std::size_t offset = start;
    for (std::uint32_t column = 1; column < at.column && offset < text.size(); ++column) {
        offset += std::max<std::size_t>(1, utf8_sequence(std::string_view(text).substr(offset, 4)));
    }
    return static_cast<std::uint32_t>(offset - start + 1);
}

}  // namespace

void Problems::add(const Place& place, std::string message, bool warning) {
    if (problems_.size() >= kMostProblems) return;
    Problem problem{place.file->name, place.at.line, place.at.column, std::move(message), warning};
    if (!place.file->text.empty() && place.at.line > 0) {
        problem.column = byte_column(place.file->text, place.at);
    }
    if (seen_.insert(to_text(problem)).second) problems_.push_back(std::move(problem));
}

std::vector<Problem> Problems::take() {
    const auto order = [](const Problem& problem) { return std::tie(problem.file, problem.line, problem.column); };
    std::stable_sort(problems_.begin(), problems_.end(),
                     [&](const Problem& a, const Problem& b) { return order(a) < order(b); });
    seen_.clear();
    return std::exchange(problems_, {});
}

std::string to_text(const Problem& problem) {
    std::string text = problem.file;
    if (problem.line > 0) {
        text.append(":").append(std::to_string(problem.line)).append(":").append(std::to_string(problem.column));
    }
    return text.append(problem.warning ? ": warning: " : ": error: ").append(problem.message);
}

}  // namespace procsup
