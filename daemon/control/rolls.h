#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "daemon/control/context.h"

namespace procsup {

/// Calls of RestartRolling: who has asked for a rolling restart is told how it goes. Takes note of what the engine says, and
/// answers in settle(). A caller that goes away is forgotten, and the restart goes on.
class Rolls {
public:
    explicit Rolls(ControlContext& context) : context_(context) {}

    void begin(varlink::PendingCall call);
    void on_news(const RollNews& news);
    void settle();

private:
    struct Caller {
        varlink::PendingCall call;
        std::string job;
        std::vector<std::string> outcomes;  ///< JSON objects, of the instances that are up
        std::unique_ptr<Watch> timeout;
        bool answered = false;
    };
    struct News {
        RollNews::Kind kind;
        std::string job;
        std::string outcome;  ///< of Up
        std::string why;      ///< of Failed
        std::vector<std::string> untouched;
    };
    void tell(Caller& caller, const News& news) const;
    void fail(Caller& caller, const News& news) const;
    void time_out(Caller& caller) const;

    ControlContext& context_;
    std::list<Caller> callers_;
    std::vector<News> news_;
};

}  // namespace procsup
