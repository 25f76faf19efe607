#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

std::string faults(const std::string& text) {
    const auto result = read_configuration_text(text, "p.toml", FakeSurroundings());
    std::string all;
    if (const auto* problems = std::get_if<std::vector<Problem>>(&result)) {
        for (const auto& problem : *problems) all += to_text(problem) + "\n";
    }
    return all;
}

TEST(References, BindADaemonToAJob) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\non_parent_restart = 'keep'\n"),
              "");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ninstances = ['eu', 'us']\n"
                     "[jobs.b]\nshell = 'x'\ninstances = ['eu', 'us']\ndaemon_of = 'a'\n"),
              "");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ninstances = 3\ndaemon_of = 'a'\n"), "");
}

TEST(References, AreTakenOver) {
    const auto result = read_configuration_text(
        "[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\non_parent_restart = 'keep'\n", "p.toml",
        FakeSurroundings());
    const auto* configuration = std::get_if<Configuration>(&result);
    ASSERT_NE(configuration, nullptr);
    EXPECT_EQ(configuration->jobs[1].daemon_of, "a");
    EXPECT_EQ(configuration->jobs[1].on_parent_restart, OnParentRestart::Keep);
    EXPECT_NE(to_toml(configuration->jobs[1]).find("daemon_of = \"a\"\non_parent_restart = \"keep\"\n"),
              std::string::npos);
}

TEST(References, GiveADirectoryToOneUser) {
    const std::string a = "[jobs.a]\nshell = 'x'\nuser = 33\nstate_dirs = ['s', '${job:name}']\n";
    const std::string other = "[jobs.b]\nshell = 'x'\nuser = 34\ngroup = 34\nstate_dirs = ['t', 's', '${job:name}']\n";
    EXPECT_EQ(faults(a + other),
              "p.toml:9:1: error: '/var/lib/s' belongs to the job's user, and job 'a', which has it too, runs as "
              "another one\n");
    EXPECT_EQ(faults(a + "[jobs.b]\nshell = 'x'\nuser = 33\nstate_dirs = ['s']\nlog_dirs = ['s']\n"), "");
}

TEST(References, NameAJobThatExists) {
    EXPECT_EQ(faults("[jobs.printer]\nshell = 'x'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'pinter'\n"),
              "p.toml:5:1: error: 'daemon_of' names 'pinter', which is no job (did you mean 'printer'?)\n");
}

TEST(References, DoNotGoRoundInCircles) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ndaemon_of = 'b'\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\n"),
              "p.toml:3:1: error: 'daemon_of' goes round in a circle: a, b, a\n"
              "p.toml:6:1: error: 'daemon_of' goes round in a circle: b, a, b\n");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ndaemon_of = 'a'\n"),
              "p.toml:3:1: error: 'daemon_of' goes round in a circle: a, a\n");
}

TEST(References, FitTheInstances) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\ninstances = 3\n[jobs.b]\nshell = 'x'\ndaemon_of = 'a'\n"),
              "p.toml:6:1: error: 'daemon_of' names 'a', which has several instances: give this job the same "
              "'instances'\n");
}

TEST(References, AreNothingToSayHowToRestartWithout) {
    EXPECT_NE(faults("[jobs.a]\nshell = 'x'\non_parent_restart = 'stop'\n").find("there is no 'daemon_of'"),
              std::string::npos);
}

TEST(Pipes, AreTakenOverByBothJobs) {
    const auto result = read_configuration_text(
        "[jobs.a]\nshell = 'x'\nlog.pipe_to = 'c'\n[jobs.b]\nshell = 'x'\nlog.pipe_to = 'c'\n"
        "[jobs.c]\nshell = 'x'\nlog.pipe_to = 'd'\n[jobs.d]\nshell = 'x'\n",
        "p.toml", FakeSurroundings());
    const auto* configuration = std::get_if<Configuration>(&result);
    ASSERT_NE(configuration, nullptr);
    const auto& jobs = configuration->jobs;
    const Stream null{Stream::Kind::Null, {}}, pipe{Stream::Kind::Pipe, {}};
    EXPECT_EQ(jobs[0].stdin_stream, null);
    EXPECT_EQ(jobs[0].stdout_stream, (Stream{Stream::Kind::Pipe, "c"}));
    EXPECT_EQ(jobs[1].stdout_stream, (Stream{Stream::Kind::Pipe, "c"}));
    EXPECT_EQ(jobs[2].stdin_stream, pipe);
    EXPECT_EQ(jobs[2].stdout_stream, (Stream{Stream::Kind::Pipe, "d"}));
    EXPECT_EQ(jobs[3].stdin_stream, pipe);
    EXPECT_EQ(jobs[3].stdout_stream, JobSpec().stdout_stream);
}

TEST(Pipes, AreShown) {
    const auto result = read_configuration_text("[jobs.a]\nshell = 'x'\nlog.pipe_to = 'b'\n[jobs.b]\nshell = 'x'\n",
                                                "p.toml", FakeSurroundings());
    const auto& jobs = std::get<Configuration>(result).jobs;
    json::Writer writer;
    write_json(writer, jobs[0]);
    write_json(writer, jobs[1]);
    EXPECT_NE(writer.text().find(R"("stdin":"null","stdout":"pipe","stderr":"capture","pipeTo":"b")"),
              std::string::npos);
    EXPECT_NE(writer.text().find(R"("stdin":"pipe","stdout":"capture","stderr":"capture","log")"), std::string::npos);
    EXPECT_NE(to_toml(jobs[0]).find("\n[log]\npipe_to = \"b\"\n"), std::string::npos);
    EXPECT_EQ(to_toml(jobs[1]).find("[log]"), std::string::npos) << "what the job that writes says";
}

TEST(Pipes, LeadToAnotherJobThatExists) {
    EXPECT_EQ(faults("[jobs.printer]\nshell = 'x'\n[jobs.b]\nshell = 'x'\nlog.pipe_to = 'pinter'\n"),
              "p.toml:5:5: error: 'log.pipe_to' names 'pinter', which is no job (did you mean 'printer'?)\n");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\nlog.pipe_to = 'a'\n"),
              "p.toml:3:5: error: 'log.pipe_to' names the job itself, 'a': name another one\n");
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\nlog.pipe_to = '../a'\n"),
              "p.toml:3:15: error: 'log.pipe_to' '../a' cannot be a job's name\n");
}

TEST(Pipes, DoNotGoRoundInCircles) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\nlog.pipe_to = 'b'\n[jobs.b]\nshell = 'x'\nlog.pipe_to = 'a'\n"
                     "[jobs.c]\nshell = 'x'\nlog.pipe_to = 'a'\n"),
              "p.toml:3:5: error: 'log.pipe_to' goes round in a circle: a, b, a\n"
              "p.toml:6:5: error: 'log.pipe_to' goes round in a circle: b, a, b\n");
}

TEST(Pipes, AreTheOnlyInputOfAJob) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\nlog.pipe_to = 'b'\n[jobs.b]\nshell = 'x'\nlog.stdin = '/srv/in'\n"),
              "p.toml:6:5: error: 'log.stdin' cannot be set: the input of 'b' is what 'a' writes, whose 'log.pipe_to' "
              "names it\n");
    EXPECT_EQ(faults("[defaults.log]\nstdin = '/srv/in'\n[jobs.a]\nshell = 'x'\nlog.pipe_to = 'b'\n"
                     "[jobs.b]\nshell = 'x'\n"),
              "");
}

TEST(Pipes, AreTheOnlyOutputOfAJob) {
    EXPECT_EQ(faults("[jobs.a]\nshell = 'x'\nlog = { pipe_to = 'b', stdout = 'null' }\n[jobs.b]\nshell = 'x'\n"),
              "p.toml:3:9: error: 'log.pipe_to' and 'log.stdout' exclude each other: write one of them\n");
    EXPECT_EQ(faults("[defaults.log]\nstdout = 'null'\npipe_to = 'b'\n[jobs.a]\nshell = 'x'\n"
                     "[jobs.b]\nshell = 'x'\nlog.stdout = 'null'\n"),
              "p.toml:3:1: error: 'log.pipe_to' and 'log.stdout' exclude each other: write one of them\n");
}

TEST(Pipes, OfDefaultsGiveWayToTheOutputOfAJobAndTheOtherWayRound) {
    EXPECT_EQ(faults("[defaults.log]\npipe_to = 'b'\n[jobs.a]\nshell = 'x'\n"
                     "[jobs.b]\nshell = 'x'\nlog.stdout = 'null'\n"),
              "");
    EXPECT_EQ(faults("[defaults.log]\nstdout = 'null'\n[jobs.a]\nshell = 'x'\nlog.pipe_to = 'b'\n"
                     "[jobs.b]\nshell = 'x'\n"),
              "");
}

const std::string kTwo = "[jobs.db]\nshell = 'x'\n[jobs.cache]\nshell = 'x'\n[jobs.web]\nshell = 'x'\n";

TEST(Dependencies, AreTakenOverAndReadBack) {
    const std::string text = kTwo +
                             "after = ['cache']\nbefore = []\nwants = ['cache']\n"
                             "requires = ['db', { job = 'cache', condition = 'started', on_restart = 'restart' }]\n";
    const auto result = read_configuration_text(text, "p.toml", FakeSurroundings());
    const auto* configuration = std::get_if<Configuration>(&result);
    ASSERT_NE(configuration, nullptr) << faults(text);
    const auto& web = configuration->jobs[2];
    const Dependencies expected{{"cache"},
                                {},
                                {"cache"},
                                {{"db"}, {"cache", Requirement::Condition::Started, Requirement::OnRestart::Restart}}};
    EXPECT_EQ(web.dependencies, expected);
    EXPECT_NE(to_toml(web).find("after = [\"cache\"]\nwants = [\"cache\"]\nrequires = [\"db\", { job = \"cache\", "
                                "condition = \"started\", on_restart = \"restart\" }]\n"),
              std::string::npos)
        << to_toml(web);
}

TEST(Dependencies, NameJobsThatExistOnceAndNotThemselves) {
    EXPECT_EQ(faults(kTwo + "after = ['bd']\n"),
              "p.toml:7:10: error: 'after' names 'bd', which is no job (did you mean 'db'?)\n");
    EXPECT_EQ(faults(kTwo + "wants = ['db', 'db']\n"), "p.toml:7:16: error: 'wants' names 'db' twice\n");
    EXPECT_EQ(faults(kTwo + "requires = ['web']\n"), "p.toml:7:13: error: 'requires' names the job itself, 'web'\n");
    EXPECT_EQ(faults(kTwo + "before = ['db@1']\n"),
              "p.toml:7:11: error: 'before' 'db@1' is an instance: write the job's name, 'db'\n");
    EXPECT_EQ(faults(kTwo + "requires = 'db'\n"),
              "p.toml:7:12: error: 'requires' must be an array of names of jobs, or of tables such as { job = \"db\", "
              "condition = \"started\" }, not a string: write [\"db\"]\n");
}

TEST(Dependencies, OfDefaultsAreNotOfTheJobTheyName) {
    EXPECT_EQ(faults("[defaults]\nafter = ['net']\nrequires = ['net']\n[jobs.net]\nshell = 'x'\n"
                     "[jobs.web]\nshell = 'x'\n"),
              "");
}

TEST(Dependencies, AreHealthyOnlyWhereThatIsLookedAt) {
    EXPECT_EQ(
        faults(kTwo + "requires = [{ job = 'db', condition = 'healthy' }]\n"),
        "p.toml:7:13: error: 'requires' waits for 'db' to be healthy, which has no [health] that says when it is: add "
        "one, or write condition = \"ready\"\n");
    EXPECT_EQ(faults("[jobs.db]\nshell = 'x'\nhealth.tcp = 80\n[jobs.web]\nshell = 'x'\n"
                     "requires = [{ job = 'db', condition = 'healthy' }]\n"),
              "");
}

TEST(Dependencies, AreRequiredInAWayThatExists) {
    EXPECT_EQ(
        faults(kTwo + "requires = [{ job = 'db', condition = 'redy' }]\n"),
        "p.toml:7:39: error: 'requires' has 'condition' = 'redy', which is none of started, ready, healthy, exited_ok, "
        "exited (did you mean 'ready'?)\n");
    EXPECT_EQ(faults(kTwo + "requires = [{ job = 'db', on_restat = 'ignore' }]\n"),
              "p.toml:7:27: error: 'requires' has 'on_restat', which is not known there (did you mean "
              "'on_restart'?)\n");
    EXPECT_EQ(faults(kTwo + "requires = [{ condition = 'ready' }]\n"),
              "p.toml:7:13: error: 'requires' does not say which job: write { job = \"NAME\", … }\n");
    EXPECT_EQ(faults(kTwo + "requires = [{ job = 'db', condition = 'exited', on_restart = 'signal' }]\n"),
              "p.toml:7:49: error: 'on_restart' never takes effect: condition = \"exited\" is only for the start\n");
    EXPECT_EQ(
        faults("[jobs.db]\nshell = 'x'\nrestart = 'always'\n[jobs.web]\nshell = 'x'\n"
               "requires = [{ job = 'db', condition = 'exited' }]\n"),
        "p.toml:6:13: error: 'requires' waits for 'db' to end, which is started again whenever it ends: give that "
        "another 'restart', or write condition = \"ready\"\n");
}

TEST(Dependencies, ThatGoRoundInACircleAreShownWithThePlaceOfEachStep) {
    EXPECT_EQ(
        faults("[jobs.a]\nshell = 'x'\nrequires = ['b']\n[jobs.b]\nshell = 'x'\nafter = ['c']\n"
               "[jobs.c]\nshell = 'x'\nbefore = ['d']\nwants = ['a']\n[jobs.d]\nshell = 'x'\n"),
        "p.toml:3:13: error: 'requires' goes round in a circle: a waits for b (requires, p.toml:3), b waits for c "
        "(after, p.toml:6), c waits for a (wants, p.toml:10)\n");
    EXPECT_EQ(
        faults("[jobs.a]\nshell = 'x'\ndaemon_of = 'b'\n[jobs.b]\nshell = 'x'\nafter = ['a']\n"),
        "p.toml:3:1: error: 'daemon_of' goes round in a circle: a waits for b (daemon_of, p.toml:3), b waits for a "
        "(after, p.toml:6)\n");
}

TEST(Dependencies, ThatGoRoundInALongCircleAreShownByTheFirstAndTheLastSteps) {
    constexpr int kJobs = 1200;
    std::string text;
    for (int i = 0; i < kJobs; ++i) {
        text += "[jobs.j" + std::to_string(1000 + i) + "]\nshell = 'x'\nafter = ['j" +
                std::to_string(1000 + (i + 1) % kJobs) + "']\n";
    }
    const auto told = faults(text);
    EXPECT_TRUE(
        told.starts_with("p.toml:3:10: error: 'after' goes round in a circle: j1000 waits for j1001 "
                         "(after, p.toml:3), j1001 waits for j1002 (after, p.toml:6), "))
        << told;
    EXPECT_NE(told.find("j1005 waits for j1006 (after, p.toml:18), … and 1,188 more …, j2194 waits for j2195"),
              std::string::npos)
        << told;
    EXPECT_TRUE(told.ends_with("j2199 waits for j1000 (after, p.toml:3600)\n")) << told;
}

TEST(Dependencies, AreSearchedForCirclesInAChainOfTenThousandJobs) {
    std::string text;
    for (int i = 0; i < 10000; ++i) {
        text += "[jobs.j" + std::to_string(i) + "]\nshell = 'x'\n";
        if (i > 0) text += "after = ['j" + std::to_string(i - 1) + "']\n";
    }
    EXPECT_EQ(faults(text), "");
}

}  // namespace
}  // namespace procsup
