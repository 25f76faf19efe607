#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/host/helper_output.h"

namespace procsup {

/// Answers which processes belong to which instance, by a helper (process_table.h). Questions are answered in turn.
class TreeLister {
public:
    /// Gets the text that list_processes() returns.
    using Listed = std::function<void(Result<std::string>)>;

    TreeLister(SdEventLoop& loop, Processes& processes) : helper_(loop, processes), processes_(processes) {}

    /// The trees of these instances; `all`: they are all, so what is in none of them is nobody's.
    void list(std::vector<const Instance*> instances, bool all, Listed listed);

    /// What each of these instances uses: from its cgroup, or else summed up by the helper. In their order; instances may have
    /// gone until then.
    using Measured = std::function<void(Result<std::vector<InstanceUsage>>)>;
    void measure(const std::vector<const Instance*>& instances, Measured measured);

private:
    void ask(const std::vector<const Instance*>& instances, bool all, bool sums, Listed listed);
    void begin();

    HelperOutput helper_;
    Processes& processes_;
    std::vector<std::pair<std::string, Listed>> waiting_;
};

}  // namespace procsup
