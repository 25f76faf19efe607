#include "daemon/engine/instance_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

JobSpec listening(bool accept) {
    auto spec = with_restart(Restart::OnFailure);
    ListeningSocket socket;
    socket.name = "http";
    socket.listen = "@web";
    socket.accept = accept;
    socket.on_demand = !accept;
    socket.max_connections = 2;
    if (!accept) socket.idle_timeout = 40s;
    spec.sockets.push_back(socket);
    return spec;
}

/// A job that listens, and is about to be given something.
struct Listening : Sim {
    explicit Listening(bool accept = false) : Sim(listening(accept)) {
        start();
        supervisor.listens(fakes.last_incarnation, fakes.now);
        fakes.calls.clear();
    }
    void demand() { supervisor.demanded(id, "something has come", fakes.now); }
    InstanceId connect() {
        const auto place = supervisor.place_for_connection(id, fakes.now);
        if (place != 0) supervisor.serve(place, "connection", fakes.now);
        return place;
    }
    const Instance& at(InstanceId place) const { return *supervisor.find(place); }
};

TEST(OnDemand, ListensFirstAndIsReadyThen) {
    Sim sim(listening(false));
    sim.start();
    EXPECT_EQ(sim.fakes.calls, std::vector<std::string>{"listen web"});
    EXPECT_EQ(sim.state(), State::Starting);
    EXPECT_FALSE(sim.web().ready());
    sim.supervisor.listens(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Listening);
    EXPECT_TRUE(sim.web().ready());
    EXPECT_TRUE(sim.supervisor.idle());
    EXPECT_FALSE(sim.supervisor.all_but_daemons_settled());
}

TEST(OnDemand, IsStartedByWhatComesAndStaysReady) {
    Listening sim;
    sim.demand();
    EXPECT_EQ(sim.fakes.calls, std::vector<std::string>{"spawn web"});
    EXPECT_TRUE(sim.web().ready());
    sim.run();
    EXPECT_EQ(sim.state(), State::Running);
    sim.demand();
    EXPECT_EQ(sim.fakes.calls.size(), 1u);
}

TEST(OnDemand, ListensAgainWhenItHasEndedWell) {
    Listening sim;
    sim.demand();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls.back(), "listen web");
    sim.supervisor.listens(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Listening);
    EXPECT_EQ(sim.web().cause(), "listens again after exit 0");
}

TEST(OnDemand, ListensAgainByItsPolicyWhenItHasFailed) {
    Listening sim;
    sim.demand();
    sim.run();
    sim.exit(ExitStatus::exited(1));
    EXPECT_EQ(sim.fakes.calls.back(), "listen web");
    EXPECT_EQ(sim.web().restarts(), 1u);
}

TEST(OnDemand, PausesWhenItTakesNothingAndEndsWellAgainAndAgain) {
    Listening sim;
    int starts = 0;
    while (sim.state() == State::Listening && starts < 1000) {
        sim.demand();
        sim.run();
        sim.exit(ExitStatus::exited(0));
        if (sim.state() == State::Starting) sim.supervisor.listens(sim.fakes.last_incarnation, sim.fakes.now);
        ++starts;
    }
    EXPECT_EQ(starts, 201);
    EXPECT_EQ(sim.state(), State::Backoff);
    sim.fire(TimerKind::Backoff);
    EXPECT_EQ(sim.fakes.calls.back(), "listen web");
}

TEST(OnDemand, IsEndedWhenNobodyWasConnectedForItsTime) {
    Listening sim;
    sim.demand();
    sim.run();
    const auto look = [&](std::optional<std::uint64_t> count) {
        sim.fire(TimerKind::IdleCheck);
        EXPECT_EQ(sim.fakes.calls.back(), "count connections");
        sim.supervisor.connections_counted(sim.fakes.last_incarnation, count, sim.fakes.now);
    };
    for (int i = 0; i < 10; ++i) look(1);
    // What cannot be found out ends nothing.
    for (int i = 0; i < 10; ++i) look(std::nullopt);
    for (int i = 0; i < 3; ++i) look(0);
    ASSERT_EQ(sim.state(), State::Running);
    look(0);
    EXPECT_EQ(sim.state(), State::Stopping);
    EXPECT_EQ(sim.web().cause(), "without a connection for 40s");
    EXPECT_TRUE(sim.web().ready());
    sim.exit(ExitStatus::exited(0));
    EXPECT_EQ(sim.fakes.calls.back(), "listen web");
}

TEST(OnDemand, AStopEndsItInWhateverStateItIs) {
    Listening sim;
    sim.stop();
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_FALSE(sim.web().ready());
    sim.start();
    sim.stop();
    EXPECT_EQ(sim.state(), State::Stopping);
    sim.supervisor.listens(sim.fakes.last_incarnation, sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Stopped);
    sim.demand();
    EXPECT_EQ(sim.state(), State::Stopped);
}

TEST(OnDemand, FailsAsAStartDoesWhenItCannotListen) {
    auto spec = listening(false);
    spec.restart.when = Restart::No;
    Sim sim(spec);
    sim.start();
    sim.supervisor.not_started(sim.fakes.last_incarnation, SpawnStage::Sockets, 98, sim.fakes.now, "cannot bind @web");
    EXPECT_EQ(sim.state(), State::Failed);
    EXPECT_EQ(sim.web().cause(), "cannot bind @web");
}

TEST(Accepting, GivesEachConnectionAnInstanceAndUsesItsPlaceAgain) {
    Listening sim(true);
    const auto first = sim.connect();
    EXPECT_EQ(sim.at(first).name().instance, "web@1");
    EXPECT_EQ(sim.at(first).spec().stdin_stream.kind, Stream::Kind::Connection);
    EXPECT_TRUE(sim.at(first).spec().sockets.empty());
    sim.run();
    const auto of_first = sim.fakes.last_incarnation;
    const auto second = sim.connect();
    EXPECT_EQ(sim.at(second).name().instance, "web@2");
    EXPECT_EQ(sim.connect(), 0u);
    EXPECT_EQ(sim.state(), State::Listening);
    sim.supervisor.exited(of_first, ExitStatus::exited(3), true, sim.fakes.now);
    EXPECT_EQ(sim.at(first).state(), State::Failed);
    EXPECT_EQ(sim.connect(), first);
    EXPECT_EQ(sim.connect(), 0u);
}

TEST(Accepting, NothingButAConnectionStartsWhatServesOne) {
    Listening sim(true);
    const auto place = sim.connect();
    sim.run();
    sim.exit(ExitStatus::exited(0));
    sim.fakes.calls.clear();
    sim.supervisor.start(place, "start", sim.fakes.now);
    sim.supervisor.restart(place, "restart", sim.fakes.now);
    EXPECT_TRUE(sim.fakes.calls.empty());
}

TEST(Accepting, AStopEndsWhatServesConnectionsToo) {
    Listening sim(true);
    const auto place = sim.connect();
    sim.run();
    sim.supervisor.stop(sim.supervisor.select("web", Surplus::With), "stop asked", sim.fakes.now);
    EXPECT_EQ(sim.state(), State::Stopped);
    EXPECT_EQ(sim.at(place).state(), State::Stopping);
    EXPECT_EQ(sim.connect(), 0u);
}

TEST(Accepting, AnotherTextIsForTheNextConnections) {
    Listening sim(true);
    const auto place = sim.connect();
    sim.run();
    const auto running = sim.fakes.last_incarnation;
    auto changed = sim.web().spec();
    changed.command = {"/usr/bin/other"};
    sim.supervisor.configure({changed}, sim.fakes.now);
    EXPECT_EQ(sim.at(place).state(), State::Running);
    sim.supervisor.listens(sim.fakes.last_incarnation, sim.fakes.now);
    ASSERT_EQ(sim.state(), State::Listening);
    sim.connect();
    EXPECT_EQ(sim.fakes.last_spec->command, std::vector<std::string>{"/usr/bin/other"});
    sim.supervisor.exited(running, ExitStatus::exited(0), true, sim.fakes.now);
    // Without its job they end, and are forgotten with it.
    sim.supervisor.configure(std::vector<JobSpec>{}, sim.fakes.now);
    sim.exit(ExitStatus::exited(0));
    sim.supervisor.forget_ended();
    EXPECT_EQ(sim.supervisor.instance_count(), 0u);
}

}  // namespace
}  // namespace procsup
