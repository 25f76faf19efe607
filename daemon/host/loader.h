#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "conf/load.h"
#include "daemon/host/processes.h"

namespace procsup {

/// Has the configuration read by a short-lived process of this program (`procsupd --load`), so that whatever reading it
/// may hang on or choke at stays there. One load at a time; another request meanwhile is done after it.
class Loader {
public:
    using Loaded = std::function<void(std::variant<Configuration, std::vector<Problem>>)>;

    Loader(SdEventLoop& loop, Processes& processes, std::string config_path, std::string state_dir);

    void load(Loaded loaded);

private:
    void begin();
    void read_some();
    void finish_if_done();
    void fail(std::string message);

    SdEventLoop& loop_;
    Processes& processes_;
    std::string config_path_;
    std::string state_dir_;
    std::vector<Loaded> waiting_;
    std::vector<Loaded> current_;
    Fd pipe_;
    std::unique_ptr<Watch> watch_;
    std::string received_;
    bool end_of_output_ = false;
    std::optional<Result<ExitStatus>> ended_;
};

}  // namespace procsup
