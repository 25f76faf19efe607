#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/host/processes.h"

namespace procsup {

/// Runs one of the daemon's own helpers (a mode of procsupd) and gathers what it writes, so that whatever it may hang on or
/// choke at stays there. One at a time.
class HelperOutput {
public:
    /// Gets what was written to standard output, once the helper has ended with success; else the Error says how it ended.
    using Done = std::function<void(Result<std::string>)>;

    HelperOutput(SdEventLoop& loop, Processes& processes) : loop_(loop), processes_(processes) {}

    /// `input` becomes its standard input; none: /dev/null. More output than `most` bytes is a failure.
    void run(JobSpec spec, Fd input, std::size_t most, Done done) {
        run(std::move(spec), std::move(input), most, std::move(done), false);
    }
    /// The same for one that the daemon does not end when it ends itself.
    void run_lasting(JobSpec spec, Fd input, std::size_t most, Done done) {
        run(std::move(spec), std::move(input), most, std::move(done), true);
    }
    /// What the next one has as its standard error; otherwise that is /dev/null.
    void set_error_output(Fd end) { error_output_ = std::move(end); }
    /// SIGKILL; `done` follows.
    void kill() { processes_.kill_helper(helper_); }
    bool running() const { return static_cast<bool>(done_); }

private:
    void run(JobSpec spec, Fd input, std::size_t most, Done done, bool lasting);
    void read_some();
    void finish_if_done();
    void finish(Result<std::string> result);

    SdEventLoop& loop_;
    Processes& processes_;
    Done done_;
    Incarnation helper_ = 0;
    std::size_t most_ = 0;
    Fd pipe_;
    std::unique_ptr<Watch> watch_;
    std::string received_;
    Fd error_output_;
    bool end_of_output_ = false;
    std::optional<Result<ExitStatus>> ended_;
};

/// A helper that is `procsupd WORDS…`; nothing in the words is a placeholder.
JobSpec helper_spec(std::string name, const std::vector<std::string>& words);

/// `text` as the input of a helper: in memory, so that handing it over never waits for it.
Result<Fd> as_file(const std::string& text);

}  // namespace procsup
