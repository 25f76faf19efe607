#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/engine/engine_fakes.h"

namespace procsup {

/// A job "web" with several instances, and whatever other jobs a test adds; each step says what happens to one of them.
class Crew {
public:
    explicit Crew(JobSpec spec = {}, std::vector<std::string> instances = {"0", "1", "2"})
        : Crew(std::vector<JobSpec>{}) {
        spec.instances = std::move(instances);
        configure({std::move(spec)});
    }
    explicit Crew(std::vector<JobSpec> jobs) : supervisor(fakes, fakes, fakes, 1) { configure(std::move(jobs)); }

    void configure(std::vector<JobSpec> jobs) {
        for (auto& spec : jobs) {
            if (spec.name.empty()) spec.name = "web";
            spec.command = {"/usr/bin/web"};
            spec.restart.jitter = 0;
            spec.enabled = false;
        }
        supervisor.configure(std::move(jobs), fakes.now);
    }
    const Instance& at(const std::string& name) const { return *supervisor.find(supervisor.select(name).at(0)); }
    State state(const std::string& name) const { return at(name).state(); }
    std::string names(const std::string& pattern = "web") const {
        std::string text;
        for (const auto id : supervisor.select(pattern)) {
            text += (text.empty() ? "" : " ") + supervisor.find(id)->name().instance;
        }
        return text;
    }

    void start(const std::string& pattern) { supervisor.start(supervisor.select(pattern), "start asked", fakes.now); }
    void stop(const std::string& pattern) { supervisor.stop(supervisor.select(pattern), "stop asked", fakes.now); }
    void run(const std::string& name) {
        const auto incarnation = at(name).incarnation();
        supervisor.spawned(incarnation, 411, fakes.now);
        supervisor.execed(incarnation, fakes.now);
    }
    void ready(const std::string& name) { supervisor.became_ready(at(name).incarnation(), fakes.now); }
    void end(const std::string& name, ExitStatus status = ExitStatus::exited(0)) {
        end(at(name).incarnation(), status);
    }
    void end(Incarnation incarnation, ExitStatus status = ExitStatus::exited(0)) {
        supervisor.exited(incarnation, status, true, fakes.now);
    }
    /// All instances run and are ready.
    void bring_up(const std::string& pattern = "web") {
        start(pattern);
        for (const auto id : supervisor.select(pattern)) {
            const auto name = supervisor.find(id)->name().instance;
            run(name);
            if (at(name).awaits_readiness()) ready(name);
        }
        pass(std::chrono::minutes(1));
    }
    void pass(Duration time) { fakes.now += time; }
    const EngineFakes::Armed* timer(const std::string& name, TimerKind kind) const {
        const auto id = at(name).id();
        const auto found = std::find_if(fakes.timers.begin(), fakes.timers.end(),
                                        [&](const auto& timer) { return timer.id == id && timer.kind == kind; });
        return found == fakes.timers.end() ? nullptr : &*found;
    }
    void fire(const std::string& name, TimerKind kind) {
        const auto* timer_set = timer(name, kind);
        ASSERT_NE(timer_set, nullptr) << name;
        const auto armed = *timer_set;
        fakes.now = std::max(fakes.now, armed.when);
        fakes.disarm(armed.id, armed.kind);
        supervisor.timer_fired(armed.id, armed.kind, armed.generation, fakes.now);
    }
    std::string scale(std::uint32_t count) {
        const auto scaled = supervisor.scale("web", count, "scale asked", fakes.now);
        return scaled ? "" : scaled.error().message;
    }
    std::string roll() {
        const auto begun = supervisor.roll("web", "rolling restart asked", fakes.now);
        return begun ? "" : begun.error().message;
    }

    EngineFakes fakes;
    Supervisor supervisor;
};

}  // namespace procsup
