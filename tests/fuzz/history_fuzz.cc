// Feeds arbitrary bytes to what shows the files of a history.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "ctl/past_run.h"

namespace {

void require(bool holds) {
    if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace procsup::ctl;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto half = size / 2;
    JobRuns one(5, std::nullopt), other(1000, std::vector<std::string>{"web"});
    one.add_lines(input, size % 2 == 1);
    other.add_lines(input.substr(half), true);
    other.add_lines(input.substr(0, half), false);
    std::vector<std::vector<PastRun>> jobs;
    jobs.push_back(one.take());
    jobs.push_back(other.take());
    require(jobs[0].size() <= 5);
    const auto runs = merged(std::move(jobs), 7);
    require(runs.size() <= 7);
    const auto text = runs_table(runs, 1'772'532'662'000'000, Output(ColorChoice::Never, false));
    // Nothing of it steers a terminal.
    for (const char c : text) require(c == '\n' || (c >= 0x20 && c != 0x7f) || c < 0);
    return 0;
}
