#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "conf/load.h"
#include "conf/toml_doc.h"

namespace procsup {

/// A file that settings come from. Lives as long as any Place in it.
struct SourceFile {
    std::string name;      ///< as shown to people
    std::string folder;    ///< absolute: what relative paths of a project file start from
    bool project = false;  ///< relative paths are allowed
    std::string text;      ///< kept only when not all ASCII: code points must be counted to say a column in bytes
};

struct Place {
    const SourceFile* file = nullptr;
    Position at;
};

/// Collects what is wrong, each problem once (a bad default concerns every job), at most kMostProblems.
class Problems {
public:
    static constexpr std::size_t kMostProblems = 1000;

    void add(const Place& place, std::string message, bool warning = false);
    bool empty() const { return problems_.empty(); }
    /// All of them by file, line and column.
    std::vector<Problem> take();

private:
    std::vector<Problem> problems_;
    std::unordered_set<std::string> seen_;
};

}  // namespace procsup
