#pragma once

#include <string>
#include <vector>

#include "daemon/engine/supervisor.h"

namespace procsup {

/// The three ports as lists of what was asked of them, and a clock that a test moves.
struct EngineFakes final : ProcessBackend, Timers, Announcer {
    struct Armed {
        InstanceId id;
        TimerKind kind;
        std::uint32_t generation;
        TimePoint when;
    };

    void spawn(InstanceId, Incarnation incarnation, const JobSpec& spec, const InstanceName& name) override {
        last_spec = &spec;
        last_incarnation = incarnation;
        calls.push_back("spawn " + name.instance);
    }
    void listen(InstanceId, Incarnation incarnation, const JobSpec&, const InstanceName& name) override {
        last_incarnation = incarnation;
        calls.push_back("listen " + name.instance);
    }
    void count_connections(InstanceId, Incarnation) override { calls.push_back("count connections"); }
    void spawn_beside(InstanceId, Incarnation incarnation, const SideOrder& order) override {
        last_beside = incarnation;
        beside_of = order.beside;
        outcome = order.outcome;
        calls.push_back("run " + command_of(order.spec, order.role).argv.front() + " for pid " +
                        std::to_string(order.main_pid));
    }
    void signal(Incarnation, int signal) override { calls.push_back("signal " + std::to_string(signal)); }
    void tell_to_end(Incarnation, SignalTo to, int signal) override {
        calls.push_back((to == SignalTo::All ? "signal all " : "signal ") + std::to_string(signal));
    }
    void pause(Incarnation, bool pause) override { calls.push_back(pause ? "pause" : "go on"); }
    void count_zombies(Incarnation) override { calls.push_back("count zombies"); }
    void measure(Incarnation) override { calls.push_back("measure"); }
    void abandon(Incarnation) override { calls.push_back("abandon"); }
    void forget(InstanceId) override {}
    void forget_job(const std::string& name) override { calls.push_back("forget " + name); }
    void kill_tree(Incarnation incarnation) override {
        calls.push_back(incarnation == last_beside ? "kill beside" : "kill tree");
    }
    void arm(InstanceId id, TimerKind kind, std::uint32_t generation, TimePoint when) override {
        disarm(id, kind);
        timers.push_back({id, kind, generation, when});
    }
    void disarm(InstanceId id, TimerKind kind) override {
        std::erase_if(timers, [&](const Armed& timer) { return timer.id == id && timer.kind == kind; });
    }
    void announce(const Transition& transition) override {
        transitions.push_back(std::string(transition.instance) + ": " + std::string(to_text(transition.from)) + " -> " +
                              std::string(to_text(transition.to)) + ": " + std::string(transition.cause));
        if (transition.past != nullptr) past_runs.push_back(transition.past->end_cause);
        if (transition.run != nullptr && transition.past->failed) {
            failed_runs.push_back(std::string(transition.instance) + ": " + to_text(transition.run->status));
        }
    }
    void roll(const RollNews& news) override {
        constexpr const char* kWords[] = {" up", "done", "failed: "};
        std::string text = std::string(news.job) + ": " + std::string(news.instance);
        if (news.kind == RollNews::Kind::Failed && !news.instance.empty()) text += " ";
        text += kWords[static_cast<std::size_t>(news.kind)] + std::string(news.text);
        for (const auto& name : news.untouched) text += ", not " + name;
        rolls.push_back(std::move(text));
    }
    void end_daemon(int code, std::string_view) override { end_codes.push_back(code); }

    const Armed* timer(TimerKind kind) const {
        for (const auto& armed : timers) {
            if (armed.kind == kind) return &armed;
        }
        return nullptr;
    }

    Incarnation last_incarnation = 0;
    const JobSpec* last_spec = nullptr;  ///< of that
    Incarnation last_beside = 0;
    Incarnation beside_of = 0;  ///< what last_beside is for
    RunOutcome outcome;         ///< that it was told
    std::vector<std::string> calls;
    std::vector<Armed> timers;
    std::vector<std::string> transitions;
    std::vector<std::string> past_runs;    ///< why they ended
    std::vector<std::string> failed_runs;  ///< "web: exit 1"
    std::vector<std::string> rolls;        ///< "web: web@0 up", "web: done", "web: web@1 failed: exit 1, not web@2"
    std::vector<int> end_codes;
    TimePoint now{std::chrono::hours(1)};
};

}  // namespace procsup
