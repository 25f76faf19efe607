#include "daemon/engine/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "daemon/engine/engine_fakes.h"

namespace procsup {
namespace {

JobSpec job(const std::string& name, std::vector<std::string> instances = {}) {
    JobSpec spec;
    spec.name = name;
    spec.command = {"/bin/" + name};
    spec.instances = std::move(instances);
    return spec;
}

std::vector<std::string> names(const Supervisor& supervisor, std::string_view pattern) {
    std::vector<std::string> result;
    for (const auto id : supervisor.select(pattern)) result.push_back(supervisor.find(id)->name().instance);
    return result;
}

TEST(Supervisor, SelectsByJobInstanceAndPattern) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("web", {"eu", "us"}), job("webmail"), job("db")}, fakes.now);
    EXPECT_EQ(names(supervisor, "web"), (std::vector<std::string>{"web@eu", "web@us"}));
    EXPECT_EQ(names(supervisor, "web@us"), (std::vector<std::string>{"web@us"}));
    EXPECT_EQ(names(supervisor, "web*"), (std::vector<std::string>{"web@eu", "web@us", "webmail"}));
    EXPECT_EQ(names(supervisor, "web@*"), (std::vector<std::string>{"web@eu", "web@us"}));
    EXPECT_TRUE(names(supervisor, "we").empty());
    EXPECT_TRUE(names(supervisor, "db@0").empty());
    EXPECT_EQ(names(supervisor, "*").size(), 4u);
}

TEST(Supervisor, StartsWhatIsEnabledAndNotStoppedByHand) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    auto off = job("off");
    off.enabled = false;
    auto remembered = job("remembered");
    remembered.manually_stopped = true;
    supervisor.configure({job("web"), off, remembered}, fakes.now);
    EXPECT_EQ(fakes.calls, std::vector<std::string>{"spawn web"});
    EXPECT_EQ(supervisor.find(supervisor.select("off").at(0))->cause(), "never started");
    EXPECT_EQ(supervisor.find(supervisor.select("remembered").at(0))->cause(),
              "never started: a stop of it is remembered");
}

TEST(Supervisor, AppliesOnlyTheDifferenceOfAConfiguration) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("same"), job("changed"), job("gone")}, fakes.now);
    fakes.calls.clear();
    auto changed = job("changed");
    changed.stop_signal = SIGINT;
    auto moved = job("same");
    moved.origin = "/etc/test.toml:99";
    const auto change = supervisor.configure({moved, changed, job("new")}, fakes.now);
    EXPECT_EQ(supervisor.jobs().at("same").spec->origin, "/etc/test.toml:99");
    EXPECT_EQ(supervisor.find(supervisor.select("new").front())->cause(), "added to the configuration");
    EXPECT_EQ(change.added(), std::vector<std::string>{"new"});
    EXPECT_EQ(change.changed(), std::vector<std::string>{"changed"});
    EXPECT_EQ(change.removed(), std::vector<std::string>{"gone"});
    EXPECT_EQ(fakes.calls, (std::vector<std::string>{"signal 15", "spawn new"})) << "only what is new and what is gone";
}

TEST(Supervisor, UsesAChangedTextFromTheNextStartOnWhereItIsNotToRestart) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("web")}, fakes.now);
    auto changed = job("web");
    changed.command = {"/bin/newer"};
    supervisor.configure({changed}, fakes.now, Restarts::Later);
    const auto id = supervisor.select("web").front();
    EXPECT_EQ(supervisor.find(id)->spec().command.front(), "/bin/web");
    supervisor.execed(fakes.last_incarnation, fakes.now);
    supervisor.restart(id, "restart asked", fakes.now);
    supervisor.exited(fakes.last_incarnation, ExitStatus::killed(SIGTERM), true, fakes.now);
    EXPECT_EQ(supervisor.find(id)->spec().command.front(), "/bin/newer");
}

TEST(Supervisor, ForgetsAJobOnlyWhenItHasStopped) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("gone")}, fakes.now);
    supervisor.configure({}, fakes.now);
    supervisor.forget_ended();
    EXPECT_EQ(names(supervisor, "gone").size(), 1u);
    EXPECT_NE(fakes.calls.back(), "forget gone");
    supervisor.exited(fakes.last_incarnation, ExitStatus::killed(SIGTERM), true, fakes.now);
    supervisor.forget_ended();
    EXPECT_TRUE(names(supervisor, "gone").empty());
    EXPECT_EQ(fakes.calls.back(), "forget gone");
    EXPECT_EQ(supervisor.instance_count(), 0u);
}

TEST(Supervisor, TakesBackAJobThatIsOnItsWayOut) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("web")}, fakes.now);
    supervisor.execed(fakes.last_incarnation, fakes.now);
    supervisor.configure({}, fakes.now);
    supervisor.configure({job("web")}, fakes.now);
    fakes.calls.clear();
    supervisor.exited(fakes.last_incarnation, ExitStatus::exited(0), true, fakes.now);
    EXPECT_EQ(fakes.calls, std::vector<std::string>{"spawn web"});
}

TEST(Supervisor, TakesBackAnInstanceInsteadOfStartingASecondOfItsName) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    auto both = job("web");
    both.instances = {"0", "1"};
    auto one = both;
    one.instances = {"0"};
    supervisor.configure({both}, fakes.now);
    for (Incarnation i = 1; i <= 2; ++i) supervisor.execed(i, fakes.now);
    supervisor.configure({one}, fakes.now);
    fakes.calls.clear();
    supervisor.configure({both}, fakes.now);
    EXPECT_TRUE(fakes.calls.empty());
    supervisor.exited(2, ExitStatus::exited(0), true, fakes.now);
    EXPECT_EQ(fakes.calls, std::vector<std::string>{"spawn web@1"});
    EXPECT_EQ(supervisor.instance_count(), 2u);
}

TEST(Supervisor, RefusesATransientRunUnderATakenName) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("web")}, fakes.now);
    EXPECT_FALSE(supervisor.run_transient(job("web"), "run", fakes.now).has_value());
    EXPECT_TRUE(supervisor.run_transient(job("run-1"), "run", fakes.now).has_value());
}

TEST(Supervisor, StopsEverythingAndStartsNothingOnShutdown) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("a"), job("b")}, fakes.now);
    supervisor.shut_down("shutdown asked", fakes.now);
    EXPECT_EQ(std::count(fakes.calls.begin(), fakes.calls.end(), "signal 15"), 2);
    EXPECT_FALSE(supervisor.idle());
    supervisor.start(supervisor.select("a").front(), "start asked", fakes.now);
    for (Incarnation i = 1; i <= 2; ++i) supervisor.exited(i, ExitStatus::exited(0), true, fakes.now);
    EXPECT_TRUE(supervisor.idle());
}

TEST(Supervisor, NumbersTransitionsWithoutGaps) {
    EngineFakes fakes;
    Supervisor supervisor(fakes, fakes, fakes, 1);
    supervisor.configure({job("a"), job("b")}, fakes.now);
    EXPECT_EQ(supervisor.last_sequence(), fakes.transitions.size());
}

}  // namespace
}  // namespace procsup
