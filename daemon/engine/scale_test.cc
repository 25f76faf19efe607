#include "daemon/engine/crew_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

TEST(Scale, StartsTheAddedInstancesOfAJobThatIsUp) {
    Crew crew;
    crew.bring_up();
    EXPECT_EQ(crew.scale(5), "");
    EXPECT_EQ(crew.names(), "web@0 web@1 web@2 web@3 web@4");
    EXPECT_EQ(crew.state("web@4"), State::Starting);
    EXPECT_EQ(crew.at("web@4").cause(), "scale asked");
    EXPECT_EQ(crew.state("web@0"), State::Running);
}

TEST(Scale, AddsStoppedInstancesToAJobThatIsStopped) {
    Crew crew;
    EXPECT_EQ(crew.scale(4), "");
    EXPECT_EQ(crew.state("web@3"), State::Stopped);
}

TEST(Scale, StopsTheLastInstancesAndForgetsThemWhenTheyHaveEnded) {
    Crew crew;
    crew.bring_up();
    const auto last = crew.at("web@2").incarnation();
    const auto id = crew.at("web@2").id();
    EXPECT_EQ(crew.scale(2), "");
    EXPECT_EQ(crew.names(), "web@0 web@1");
    EXPECT_EQ(crew.supervisor.find(id)->state(), State::Stopping);
    crew.end(last);
    crew.supervisor.forget_ended();
    EXPECT_EQ(crew.supervisor.find(id), nullptr);
    EXPECT_EQ(crew.supervisor.instance_count(), 2u);
}

TEST(Scale, FindsWhatIsStillLeavingByItsNameAndWhereItIsAskedFor) {
    Crew crew;
    crew.bring_up();
    const auto id = crew.at("web@2").id();
    crew.scale(2);
    const auto& supervisor = crew.supervisor;
    EXPECT_EQ(supervisor.select("web@2"), std::vector{id});
    EXPECT_EQ(supervisor.select("web").size(), 2u);
    EXPECT_EQ(supervisor.select("web*").size(), 2u);
    EXPECT_EQ(supervisor.select("web", Surplus::With).back(), id);
    EXPECT_EQ(supervisor.select("web*", Surplus::With).back(), id);
    crew.end("web@2");
    crew.supervisor.forget_ended();
    EXPECT_TRUE(supervisor.select("web@2").empty());
}

TEST(Scale, TakesBackAnInstanceThatIsStillLeaving) {
    Crew crew;
    crew.bring_up();
    const auto id = crew.at("web@2").id();
    crew.scale(2);
    EXPECT_EQ(crew.scale(3), "");
    EXPECT_EQ(crew.at("web@2").id(), id);
    EXPECT_EQ(crew.state("web@2"), State::Stopping);
    crew.end("web@2");
    crew.supervisor.forget_ended();
    EXPECT_EQ(crew.state("web@2"), State::Starting);
}

TEST(Scale, GivesAnInstanceThatIsTakenBackTheTextOfItsJob) {
    JobSpec spec;
    spec.instances = {"0", "1"};
    Crew crew(std::vector{spec});
    crew.scale(3);
    crew.bring_up();
    crew.scale(2);
    spec.stop_timeout = 3s;
    crew.configure({spec});
    crew.scale(3);
    EXPECT_EQ(crew.at("web@2").spec().stop_timeout, 3s);
}

TEST(Scale, LeavesASingleInstanceAsItIs) {
    Crew crew({}, {});
    crew.bring_up();
    const auto incarnation = crew.at("web").incarnation();
    EXPECT_EQ(crew.scale(3), "");
    EXPECT_EQ(crew.names(), "web web@1 web@2");
    EXPECT_EQ(crew.names("web@0"), "web");
    EXPECT_EQ(crew.at("web@0").incarnation(), incarnation);
    EXPECT_EQ(crew.state("web@0"), State::Running);
    EXPECT_EQ(crew.scale(1), "");
    EXPECT_EQ(crew.names("web@0"), "");
}

TEST(Scale, HoldsUntilTheFileSaysAnotherNumber) {
    JobSpec spec;
    spec.instances = {"0", "1"};
    Crew crew(std::vector{spec});
    crew.scale(4);
    spec.description = "changed";
    crew.configure({spec});
    EXPECT_EQ(crew.names(), "web@0 web@1 web@2 web@3");
    spec.instances = {"0", "1", "2"};
    crew.configure({spec});
    EXPECT_EQ(crew.names(), "web@0 web@1 web@2");
    EXPECT_FALSE(crew.supervisor.jobs().at("web").scaled);
}

TEST(Scale, EndsWithPortsThatDoNotFitAnyMore) {
    JobSpec spec;
    spec.port_base = 8000;
    spec.instances = {"0", "1"};
    Crew crew(std::vector{spec});
    crew.scale(4);
    spec.port_base = 65534;
    crew.configure({spec});
    EXPECT_EQ(crew.names(), "web@0 web@1");
}

TEST(Scale, OfTheNumberInTheFileIsNoScalingAnyMore) {
    Crew crew;
    crew.scale(5);
    EXPECT_EQ(crew.supervisor.jobs().at("web").scaled, 5u);
    crew.scale(3);
    EXPECT_FALSE(crew.supervisor.jobs().at("web").scaled);
}

TEST(Scale, IsRefusedWhereTheNumberCannotBe) {
    JobSpec spec;
    spec.port_base = 65530;
    Crew crew(spec);
    EXPECT_EQ(crew.scale(0), "cannot scale 'web': a job has at least one instance; procsupctl stop stops it");
    EXPECT_EQ(crew.scale(1001), "cannot scale 'web': a job has at most 1000 instances");
    EXPECT_EQ(crew.scale(7), "cannot scale 'web': the last instance would have port 65536");
    EXPECT_EQ(crew.scale(6), "");
}

TEST(Scale, IsRefusedForNames) {
    Crew crew({}, {"eu", "us", "asia", "mars"});
    EXPECT_EQ(
        crew.scale(2),
        "cannot scale 'web': its instances have names (eu, us, asia, …), and only its file can say which there are");
}

TEST(Scale, IsRefusedWhereInstancesAreBoundOneToOne) {
    JobSpec web, side;
    web.instances = side.instances = {"0", "1"};
    side.name = "side";
    side.daemon_of = "web";
    Crew crew(std::vector{web, side});
    EXPECT_EQ(
        crew.scale(3),
        "cannot scale 'web': side is a daemon of it, and each instance has its own: write 'instances' in both files");
    const auto scaled = crew.supervisor.scale("side", 3, "scale asked", crew.fakes.now);
    EXPECT_EQ(scaled.error().message,
              "cannot scale 'side': it is a daemon of web, of which each instance has its own: write 'instances' in "
              "both files");
}

TEST(Scale, OfADaemonOfASingleInstanceBindsTheAddedOnesToo) {
    JobSpec web, side;
    side.name = "side";
    side.daemon_of = "web";
    Crew crew(std::vector{web, side});
    crew.bring_up("web");
    crew.bring_up("side");
    EXPECT_TRUE(crew.supervisor.scale("side", 2, "scale asked", crew.fakes.now));
    crew.run("side@1");
    crew.end("web", ExitStatus::exited(1));
    EXPECT_EQ(crew.state("side@1"), State::Stopping);
}

TEST(Scale, IsRefusedForACommandThatRunsOnce) {
    Crew crew;
    JobSpec once;
    once.name = "run-1";
    ASSERT_TRUE(crew.supervisor.run_transient(once, "run", crew.fakes.now));
    EXPECT_EQ(crew.supervisor.scale("run-1", 2, "scale asked", crew.fakes.now).error().message,
              "cannot scale 'run-1': it is a command that runs once");
}

TEST(Scale, LetsWhatWaitsForTheJobGoOn) {
    JobSpec web, user;
    web.instances = {"0", "1"};
    user.name = "user";
    user.dependencies.requirements = {{"web", Requirement::Condition::Ready, Requirement::OnRestart::Ignore}};
    Crew crew(std::vector{web, user});
    crew.start("user");
    crew.run("web@0");
    EXPECT_EQ(crew.state("user"), State::Waiting);
    const auto last = crew.at("web@1").incarnation();
    EXPECT_EQ(crew.scale(1), "");
    EXPECT_EQ(crew.state("user"), State::Starting);
    crew.end(last);
}

}  // namespace
}  // namespace procsup
