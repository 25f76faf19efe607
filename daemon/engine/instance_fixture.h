#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/engine/engine_fakes.h"

namespace procsup {

/// One job "web" on fakes; each step says what happens to its newest incarnation.
class Sim {
public:
    explicit Sim(JobSpec spec = {}) : supervisor(fakes, fakes, fakes, 1) {
        spec.name = "web";
        if (spec.command.empty()) spec.command = {"/usr/bin/web"};
        spec.restart.jitter = 0;
        spec.enabled = false;
        supervisor.configure({spec}, fakes.now);
        id = supervisor.select("web").front();
    }

    void start() { supervisor.start(id, "start asked", fakes.now); }
    void stop() { supervisor.stop(id, "stop asked", fakes.now); }
    void run() {
        supervisor.spawned(fakes.last_incarnation, 411, fakes.now);
        supervisor.execed(fakes.last_incarnation, fakes.now);
    }
    void exit(ExitStatus status, bool tree_empty = true, const Account& account = {}) {
        supervisor.exited(fakes.last_incarnation, status, tree_empty, fakes.now, account);
    }
    void pass(Duration time) { fakes.now += time; }
    void fire(TimerKind kind) {
        const auto* timer = fakes.timer(kind);
        ASSERT_NE(timer, nullptr);
        fakes.now = std::max(fakes.now, timer->when);
        const auto armed = *timer;
        fakes.disarm(armed.id, armed.kind);
        supervisor.timer_fired(armed.id, armed.kind, armed.generation, fakes.now);
    }
    // What becomes of the command beside the run.
    void beside_runs() {
        supervisor.spawned(fakes.last_beside, 412, fakes.now);
        supervisor.execed(fakes.last_beside, fakes.now);
    }
    void beside_exit(ExitStatus status, bool tree_empty = true) {
        supervisor.exited(fakes.last_beside, status, tree_empty, fakes.now);
    }
    const Instance& web() const { return *supervisor.find(id); }
    State state() const { return web().state(); }

    EngineFakes fakes;
    Supervisor supervisor;
    InstanceId id = 0;
};

inline JobSpec with_restart(Restart when) {
    JobSpec spec;
    spec.restart.when = when;
    return spec;
}

}  // namespace procsup
