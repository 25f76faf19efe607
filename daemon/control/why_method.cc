// Which instance method Why explains, and what else has to be known for that.
#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "daemon/control/schedules.h"
#include "daemon/control/why.h"

namespace procsup {
namespace {

/// Of several instances the one with the most is explained.
int need_of_explanation(State state) {
    switch (state) {
        case State::Running:
        case State::Reloading:
        case State::Listening: return 0;
        case State::Exited: return 1;
        case State::Starting: return 2;
        case State::Stopped: return 3;
        case State::Waiting: return 4;
        case State::Paused: return 5;
        case State::Stopping: return 6;
        case State::Backoff: return 7;
        case State::Failed: return 8;
    }
    return 0;
}

const Instance* worst_of(const ControlContext& context, const std::vector<InstanceId>& ids) {
    const Instance* worst = nullptr;
    for (const auto id : ids) {
        const auto* instance = context.supervisor.find(id);
        const bool worse =
            worst == nullptr || need_of_explanation(instance->state()) > need_of_explanation(worst->state());
        if (worse) worst = instance;
    }
    return worst;
}

/// As far as the caller may know of them. What waits may wait for each other for a moment: a name that was met ends it.
std::vector<Behind> behind(const ControlContext& context, const varlink::Peer& peer, const Instance& instance) {
    constexpr std::size_t kMost = 64;
    std::vector<Behind> chain{{&instance, true}};
    while (chain.size() <= kMost) {
        const auto name = waited_for(*chain.back().instance);
        const auto* next = name.empty() ? nullptr : worst_of(context, context.supervisor.select(name));
        if (next == nullptr || !context.access.allows(peer, Tier::Read, &next->spec())) break;
        const auto is_it = [&](const Behind& one) { return one.instance == next; };
        if (std::any_of(chain.begin(), chain.end(), is_it)) break;
        chain.push_back({next, context.access.allows(peer, Tier::Operate, &next->spec())});
    }
    chain.erase(chain.begin());
    return chain;
}

Behind last_of(const Instance& instance, const std::vector<Behind>& chain) {
    return chain.empty() ? Behind{&instance, true} : chain.back();
}

/// What is waited for before a call is answered: a logger, but not one that hangs.
struct Asked {
    varlink::PendingCall call;
    InstanceId id;
    InstanceId last;  ///< whose lines were asked for
    std::shared_ptr<void> lines{};
    std::unique_ptr<Watch> limit{};
    bool answered = false;
};

void answer(const ControlContext& context, Asked& asked, const std::vector<LastLines>& newest) {
    if (std::exchange(asked.answered, true)) return;
    asked.limit.reset();
    const auto* instance = context.supervisor.find(asked.id);
    if (instance == nullptr) {
        return fail_no_such_job(context, asked.call, asked.call.parameters().string_or("name", ""));
    }
    json::Writer writer;
    const auto chain = behind(context, asked.call.peer(), *instance);
    // Meanwhile it may wait for another one.
    const bool same = last_of(*instance, chain).instance->id() == asked.last;
    const auto now = context.loop.now();
    write_why(writer, *instance, chain, same ? newest : std::vector<LastLines>(),
              schedule_text(context.supervisor, *instance, now), context.host, now);
    asked.call.reply(writer.text());
}

}  // namespace

void why(const ControlContext& context, varlink::PendingCall call) {
    const auto ids = selected(context, call);
    if (!ids) return;
    const auto* worst = worst_of(context, *ids);
    const auto chain = behind(context, call.peer(), *worst);
    const auto [last, readable] = last_of(*worst, chain);
    const auto asked = std::make_shared<Asked>(Asked{call, worst->id(), last->id()});
    if (!is_told_by_its_lines(*last) || !readable) return answer(context, *asked, {});
    constexpr auto kPatience = std::chrono::seconds(1);
    const auto answer_with = [&context, weak = std::weak_ptr(asked)](const std::vector<LastLines>& lines) {
        if (const auto held = weak.lock()) answer(context, *held, lines);
    };
    asked->limit = context.loop.call_at(context.loop.now() + kPatience, [answer_with] { answer_with({}); });
    asked->lines = context.host.newest_lines(last->id(), answer_with);
    // The call owns it, until it is answered or its client is gone.
    call.when_gone([asked] { asked->limit.reset(); });
}

}  // namespace procsup
