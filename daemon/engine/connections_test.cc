#include <gmock/gmock.h>

#include "daemon/engine/several_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

/// "web" accepts, and needs "db"; both are members of the group "shop".
class Shop : public Several {
public:
    explicit Shop(Requirement::OnRestart on_restart = Requirement::OnRestart::Ignore) {
        Requirement needed{"db"};
        needed.on_restart = on_restart;
        auto web = requiring("web", {needed}), db = job("db");
        ListeningSocket socket;
        socket.name = "web";
        socket.accept = true;
        web.sockets.push_back(socket);
        std::uint32_t position = 0;
        for (auto* member : {&db, &web})
            member->membership = {
                "shop", position++, Membership::Strategy::OneForOne, {1, 1min}, Membership::OnExhausted::FailGroup};
        db.restart.delay = 1s;
        db.restart.min_uptime = 1s;
        configure({web, db});
        run("db");
        supervisor.listens(at("web").incarnation(), fakes.now);
        calls();
    }
    void connect() {
        const auto place = supervisor.place_for_connection(at("web").id(), fakes.now);
        ASSERT_NE(place, 0u);
        supervisor.serve(place, "connection", fakes.now);
    }
    void fire_backoff_of(const std::string& name) {
        const auto* armed = fakes.timer(TimerKind::Backoff);
        ASSERT_NE(armed, nullptr);
        const auto timer = *armed;
        ASSERT_EQ(timer.id, at(name).id());
        fakes.disarm(timer.id, timer.kind);
        fakes.now = std::max(fakes.now, timer.when);
        supervisor.timer_fired(timer.id, timer.kind, timer.generation, fakes.now);
    }
};

TEST(Connections, EndWithWhatTheirJobRequires) {
    Shop shop;
    shop.connect();
    shop.run("web@1");
    std::vector<std::string> would_end;
    for (const auto id : shop.supervisor.would_end(shop.ids({"db"})))
        would_end.push_back(shop.supervisor.find(id)->name().instance);
    EXPECT_THAT(would_end, UnorderedElementsAre("web", "web@1"));
    shop.calls();
    shop.stop({"db", "web", "web@1"});
    EXPECT_EQ(shop.state("web@1"), State::Stopping);
    EXPECT_NE(shop.state("db"), State::Stopped) << "before who requires it has ended";
    shop.exit("web@1");
    shop.exit("db");
    EXPECT_EQ(shop.state("db"), State::Stopped);
}

TEST(Connections, StayWhileWhatTheirJobRequiresRestarts) {
    Shop shop;
    shop.connect();
    shop.run("web@1");
    shop.restart({"db"});
    shop.exit("db");
    shop.run("db");
    EXPECT_EQ(shop.state("web@1"), State::Running);
}

TEST(Connections, OfAJobThatRestartsWithWhatItRequiresEndBeforeThat) {
    Shop shop(Requirement::OnRestart::Restart);
    shop.connect();
    shop.run("web@1");
    shop.restart({"db"});
    EXPECT_EQ(shop.state("web@1"), State::Stopping);
    shop.calls();
    shop.exit("web@1");
    shop.exit("db");
    EXPECT_EQ(shop.state("web@1"), State::Stopped);
    EXPECT_THAT(shop.calls(), Contains("spawn db"));
}

TEST(Connections, OfAJobThatRestartsWithWhatItRequiresEndWhenThatCrashes) {
    Shop shop(Requirement::OnRestart::Restart);
    shop.connect();
    shop.run("web@1");
    shop.exit("db", 1);
    EXPECT_EQ(shop.state("web@1"), State::Stopping);
}

TEST(Connections, OfAGroupThatFailsEndWithIt) {
    Shop shop;
    shop.connect();
    shop.run("web@1");
    shop.exit("db", 1);
    EXPECT_EQ(shop.state("web@1"), State::Running);
    shop.fire_backoff_of("db");
    shop.run("db");
    shop.exit("db", 1);
    EXPECT_EQ(shop.state("db"), State::Failed);
    EXPECT_EQ(shop.state("web"), State::Failed);
    EXPECT_EQ(shop.state("web@1"), State::Stopping);
}

TEST(Connections, ThatCouldNotBeServedAreNotStartedWithoutTheirClients) {
    Shop shop;
    shop.exit("db", 1);
    shop.connect();
    EXPECT_EQ(shop.state("web@1"), State::Waiting);
    shop.stop({"db"});
    ASSERT_EQ(shop.state("web@1"), State::Failed);
    shop.calls();
    shop.start("db");
    shop.run("db");
    EXPECT_EQ(shop.state("web@1"), State::Failed);
    // The listener comes back with what it requires; what served nobody does not.
    EXPECT_THAT(shop.calls(), ElementsAre("spawn db", "listen web"));
}

TEST(Connections, ThatWaitForWhatTheirJobRequiresAreServedWhenItIsThere) {
    Shop shop;
    shop.exit("db", 1);
    shop.connect();
    shop.fire_backoff_of("db");
    shop.calls();
    shop.run("db");
    EXPECT_THAT(shop.calls(), ElementsAre("spawn web@1"));
}

}  // namespace
}  // namespace procsup
