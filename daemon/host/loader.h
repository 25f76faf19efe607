#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "conf/load.h"
#include "daemon/host/helper_output.h"

namespace procsup {

/// Has the configuration read by a short-lived process of this program (`procsupd --load`), so that whatever reading it
/// may hang on or choke at stays there. One load at a time; another request meanwhile is done after it.
class Loader {
public:
    using Loaded = std::function<void(std::variant<Configuration, std::vector<Problem>>)>;

    Loader(SdEventLoop& loop, Processes& processes, ConfigPaths config, DaemonPlaces places);

    void load(Loaded loaded);
    /// Calls it when the loads that were asked for so far are done; at once where there are none.
    void when_idle(std::function<void()> then);
    /// What later loads go by.
    void set_places(DaemonPlaces places) { places_ = std::move(places); }

private:
    void begin();
    void finish(Result<std::string> output);
    void fail(std::string message);
    void next();

    HelperOutput helper_;
    ConfigPaths config_;
    DaemonPlaces places_;
    std::vector<Loaded> waiting_;
    std::vector<Loaded> current_;
    std::vector<std::function<void()>> then_;  // after the last of `waiting_`
};

}  // namespace procsup
