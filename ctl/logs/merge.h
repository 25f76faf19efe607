#pragma once

#include <vector>

#include "ctl/logs/source.h"

namespace procsup::ctl {

/// The lines of several sources by time. Lines of the same time come in the order of the streams, lines of one stream in their own.
class Merge {
public:
    /// Takes a source in that may have lines, again or for the first time.
    void add(Source& source);
    /// The source that has the next line; it stands on that line until the next call. Null: none has one at present.
    Source* next();

private:
    std::vector<Source*> heap_;  // the front has the next line
    bool front_is_given_ = false;
};

}  // namespace procsup::ctl
