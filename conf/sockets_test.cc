#include "conf/sockets.h"

#include <gtest/gtest.h>

#include "conf/job_difference.h"
#include "conf/job_text.h"
#include "conf/keys.h"
#include "conf/reading.h"

namespace procsup {
namespace {

using testing::configuration_of;
using testing::job_of;
using testing::job_with;
using testing::problems_of;

std::string socket(const std::string& lines) { return "command = \"/bin/web\"\n[[sockets]]\n" + lines; }

/// The only problem of a job with this `listen`.
std::string fault(const std::string& listen) {
    const auto problems = problems_of(socket("listen = \"" + listen + "\"\n"));
    return problems.empty() ? std::string() : problems.front();
}

std::string canonical(const std::string& text) {
    const auto address = parse_listen(text);
    return address ? to_text(*address) : "error: " + address.error().message;
}

TEST(Sockets, OneAddressIsTheSameHoweverItIsWritten) {
    EXPECT_EQ(canonical("8080"), "127.0.0.1:8080");
    EXPECT_EQ(canonical("localhost:8080"), "127.0.0.1:8080");
    EXPECT_EQ(canonical("tcp:127.0.0.1:8080"), "127.0.0.1:8080");
    EXPECT_EQ(canonical("*:8080"), "*:8080");
    EXPECT_EQ(canonical("[0:0::1]:8080"), "[::1]:8080");
    EXPECT_EQ(canonical("udp:[::]:53"), "udp:[::]:53");
    EXPECT_EQ(canonical("unix:/run/web"), "/run/web");
    EXPECT_EQ(canonical("unix-dgram:/run/log"), "unix-dgram:/run/log");
    EXPECT_EQ(canonical("@web"), "@web");
    EXPECT_EQ(canonical("inherited"), "inherited");
}

TEST(Sockets, WhatCannotBeListenedOnIsRefusedWithAHint) {
    EXPECT_NE(fault("example.org:80").find("3:10: error: 'sockets.listen': 'example.org' is no address"),
              std::string::npos)
        << fault("example.org:80");
    EXPECT_NE(fault("example.org:80").find("names are not looked up"), std::string::npos);
    EXPECT_NE(fault("127.0.0.1:0").find("port 0"), std::string::npos);
    EXPECT_NE(fault("127.0.0.1:70000").find("no port from 1 to 65535"), std::string::npos);
    EXPECT_NE(fault("1::1:80").find("brackets"), std::string::npos) << fault("1::1:80");
    EXPECT_NE(fault("[::1]").find("no address with a port"), std::string::npos);
    EXPECT_NE(fault("[::ffff:127.0.0.1]:80").find("write it as one"), std::string::npos);
    EXPECT_NE(fault("unix:web").find("absolute path"), std::string::npos);
    EXPECT_NE(fault("/run/../web").find("\"..\""), std::string::npos);
    EXPECT_NE(fault("/run//web").find("slashes"), std::string::npos);
    EXPECT_NE(fault("/run/web/").find("slashes"), std::string::npos);
    EXPECT_NE(fault("/" + std::string(107, 'x')).find("108 bytes"), std::string::npos);
    EXPECT_EQ(fault("/" + std::string(106, 'x')), "");
    EXPECT_NE(fault("@").find("behind the '@'"), std::string::npos);
    EXPECT_NE(fault("unix:@web").find("without \"unix:\""), std::string::npos);
    EXPECT_NE(fault("").find("must not be empty"), std::string::npos);
}

TEST(Sockets, KeysAreCheckedWhereTheyStand) {
    EXPECT_EQ(problems_of(socket("name = \"a:b\"\nlisten = \"80\"\n")).at(0),
              "3:8: error: 'sockets.name' must be 1 to 255 printable ASCII characters without ':', not 'a:b'");
    EXPECT_EQ(problems_of(socket("listen = \"/run/web\"\nmode = 432\n")).at(0),
              "4:8: error: 'sockets.mode' must be a string, not an integer: write it in quotes, as in \"0660\"");
    EXPECT_EQ(problems_of(socket("listen = \"80\"\nmode = \"0600\"\n")).at(0),
              "4:8: error: 'sockets.mode' never takes effect: only a path has one");
    EXPECT_EQ(problems_of(socket("listen = \"80\"\nmod = \"0600\"\n")).at(0),
              "4:1: error: 'sockets' has 'mod', which is not known there (did you mean 'mode'?)");
    EXPECT_EQ(
        problems_of(socket("name = \"http\"\n")).at(0),
        "2:1: error: 'sockets' does not say where: write listen = \"127.0.0.1:8080\", or what it is to listen on");
    EXPECT_EQ(problems_of("command = \"/bin/web\"\n[sockets]\nlisten = \"80\"\n")
                  .at(0)
                  .find("2:1: error: 'sockets' must be an array"),
              0u);
    std::string many = "command = \"/bin/web\"\n";
    for (int i = 0; i < 65; ++i)
        many += "[[sockets]]\nname = \"s" + std::to_string(i) + "\"\nlisten = \"" + std::to_string(i + 1000) + "\"\n";
    EXPECT_NE(problems_of(many).at(0).find("at most 64 sockets"), std::string::npos);
}

TEST(Sockets, TheNameIsTheJobsByDefaultAndGivenOnce) {
    EXPECT_EQ(job_of(socket("listen = \"80\"\n")).sockets.at(0).name, "web");
    const auto two = socket("listen = \"80\"\n") + "[[sockets]]\nlisten = \"81\"\n";
    EXPECT_EQ(problems_of(two).at(0),
              "4:1: error: 'sockets' has two without 'name', which is the job's name then: give them names");
    EXPECT_EQ(problems_of(two + "name = \"web\"\n").size(), 1u);
    const auto named =
        job_of(socket("name = \"a\"\nlisten = \"80\"\n") + "[[sockets]]\nname = \"b\"\nlisten = \"81\"\n");
    EXPECT_EQ(names_of(named.sockets), "a:b");
}

TEST(Sockets, APathIsTheJobsUsersUnlessItSaysOtherwise) {
    FakeSurroundings root;
    root.uid = 0;
    const auto usual = job_of(socket("listen = \"/run/web\"\n")).sockets.at(0);
    EXPECT_EQ(usual.mode, 0660u);
    EXPECT_EQ(usual.uid, FakeSurroundings().own_uid());
    const auto text =
        "command = \"/bin/web\"\nuser = 1000\ngroup = 1000\ngroups = []\n[[sockets]]\nlisten = \"/run/web\"\n";
    EXPECT_EQ(job_of(text, root).sockets.at(0).uid, 1000u);
    EXPECT_EQ(job_of(text, root).sockets.at(0).gid, 1000u);
    const auto other = job_of(text + std::string("group = 33\nmode = \"0600\"\n"), root).sockets.at(0);
    EXPECT_EQ(other.uid, 1000u);
    EXPECT_EQ(other.gid, 33u);
    EXPECT_EQ(other.mode, 0600u);
}

TEST(Sockets, TwoThatWantTheSameAddressAreAnErrorThatNamesBoth) {
    const auto two = [](const std::string& a, const std::string& b) {
        const auto problems =
            problems_of("[jobs.a]\ncommand = \"/bin/a\"\n[[jobs.a.sockets]]\nlisten = \"" + a +
                        "\"\n[jobs.b]\ncommand = \"/bin/b\"\n[[jobs.b.sockets]]\nlisten = \"" + b + "\"\n");
        return problems.empty() ? std::string() : problems.front();
    };
    EXPECT_EQ(two("80", "localhost:80"),
              "8:10: error: 'sockets.listen': 127.0.0.1:80 is also what job 'a' listens on, by its socket 'a' at "
              "web.toml:4: one "
              "job can have it");
    EXPECT_NE(two("80", "*:80"), "");
    EXPECT_NE(two("*:80", "[::1]:80"), "");
    EXPECT_NE(two("0.0.0.0:80", "80"), "");
    EXPECT_NE(two("/run/web", "unix-dgram:/run/web"), "");
    EXPECT_NE(two("@web", "@web"), "");
    EXPECT_EQ(two("80", "udp:127.0.0.1:80"), "");
    EXPECT_EQ(two("0.0.0.0:80", "[::]:80"), "");
    EXPECT_EQ(two("127.0.0.1:80", "127.0.0.2:80"), "");
    // They have names of their own.
    EXPECT_EQ(two("inherited", "inherited"), "");
}

TEST(Sockets, InstancesShareOneUnlessAPlaceholderTellsThemApart) {
    EXPECT_EQ(problems_of("instances = 3\n" + socket("listen = \"80\"\n")).size(), 0u);
    EXPECT_EQ(job_of("instances = 3\n" + socket("listen = \"/run/${job:name}-${job:index}\"\n")).sockets.at(0).listen,
              "/run/web-${job:index}");
    EXPECT_EQ(problems_of("instances = 2\nport_base = 8000\n" + socket("listen = \"${job:port}\"\n")).size(), 0u);
    EXPECT_EQ(
        problems_of("instances = 2\nport_base = 8000\n" +
                    socket("name = \"a\"\nlisten = \"${job:port}\"\n[[sockets]]\nname = \"b\"\nlisten = \"8001\"\n"))
            .size(),
        1u);
    EXPECT_NE(fault("${job:port}").find("port_base"), std::string::npos);
}

TEST(Sockets, AnotherDescriptorCannotHaveTheirNumber) {
    const auto text = socket("listen = \"80\"\n") + "[ready]\nfd = 3\n";
    EXPECT_EQ(
        problems_of(text).at(0),
        "5:1: error: 'ready.fd' = 3 is one of the job's sockets, which have 3 to 3: write 4, if the job can use that");
    EXPECT_TRUE(problems_of(socket("listen = \"80\"\n") + "[ready]\nfd = 4\n").empty());
}

TEST(Sockets, WhatAcceptsOrWaitsForDemandIsCheckedAgainstTheOthers) {
    const auto first = [](const std::string& lines) {
        const auto problems = problems_of(socket(lines));
        return problems.empty() ? std::string() : problems.front();
    };
    EXPECT_EQ(first("listen = \"80\"\naccept = true\nmax_connections = 200\n"), "");
    EXPECT_EQ(first("listen = \"80\"\non_demand = true\nidle_timeout = \"5min\"\n"), "");
    EXPECT_NE(
        first("listen = \"80\"\naccept = true\non_demand = true\n").find("5:13: error: 'sockets.on_demand' excludes"),
        std::string::npos);
    EXPECT_NE(
        first("listen = \"80\"\nmax_connections = 5\n").find("4:19: error: 'sockets.max_connections' never takes"),
        std::string::npos);
    EXPECT_NE(first("listen = \"80\"\nidle_timeout = \"5s\"\n").find("4:16: error: 'sockets.idle_timeout' never takes"),
              std::string::npos);
    EXPECT_NE(first("listen = \"udp:80\"\naccept = true\n").find("not for datagrams"), std::string::npos);
    EXPECT_NE(first("listen = \"udp:80\"\non_demand = true\nidle_timeout = \"5s\"\n").find("not for datagrams"),
              std::string::npos);
    EXPECT_NE(first("listen = \"80\"\naccept = 1\n").find("must be true or false, not an integer"), std::string::npos);
    EXPECT_NE(first("listen = \"80\"\naccept = true\nmax_connections = 0\n").find("from 1 to 10000"),
              std::string::npos);
    EXPECT_NE(first("listen = \"80\"\non_demand = true\nidle_timeout = \"1ms\"\n").find("100ms at least"),
              std::string::npos);
    EXPECT_NE(first("listen = \"80\"\naccept = true\nname = \"a\"\n[[sockets]]\nlisten = \"81\"\n")
                  .find("6:1: error: 'sockets' has one with accept = true and one without"),
              std::string::npos);
    EXPECT_NE(problems_of("instances = 2\n" + socket("listen = \"80\"\naccept = true\n"))
                  .at(0)
                  .find("1:1: error: 'instances' is not for a job with accept = true"),
              std::string::npos);
}

TEST(Sockets, OneNumberIsForAllOfAJob) {
    const auto two = [](const std::string& first, const std::string& second) {
        return socket("name = \"a\"\nlisten = \"80\"\naccept = true\n" + first) +
               "[[sockets]]\nname = \"b\"\nlisten = \"81\"\naccept = true\n" + second;
    };
    EXPECT_EQ(problems_of(two("max_connections = 1\n", "max_connections = 5\n")).at(0),
              "11:19: error: 'sockets.max_connections' is one for all sockets of a job: write it at one of them");
    EXPECT_EQ(job_of(two("max_connections = 1\n", "")).max_connections(), 1u);
    EXPECT_EQ(job_of(two("", "max_connections = 500\n")).max_connections(), 500u);
}

TEST(Sockets, NobodyIsADaemonOfWhatOnlyListensOrWritesToItsInput) {
    const std::string echo =
        "[jobs.echo]\ncommand = \"/bin/cat\"\n[[jobs.echo.sockets]]\nlisten = \"80\"\naccept = true\n";
    EXPECT_NE(
        problems_of(echo + "[jobs.a]\ncommand = \"/bin/a\"\ndaemon_of = \"echo\"\n").at(0).find("which only listens"),
        std::string::npos);
    EXPECT_NE(problems_of(echo + "[jobs.a]\ncommand = \"/bin/a\"\n[jobs.a.log]\npipe_to = \"echo\"\n")
                  .at(0)
                  .find("whose input is what its clients send"),
              std::string::npos);
}

TEST(Sockets, WhatServesAConnectionHasNoneAndIsNotStartedAgain) {
    const auto job = job_of("restart = \"always\"\nessential = true\n" + socket("listen = \"80\"\naccept = true\n"));
    EXPECT_TRUE(job.accepts());
    EXPECT_EQ(job.max_connections(), 64u);
    const auto one = connection_spec(job);
    EXPECT_TRUE(one.serves_connection());
    EXPECT_FALSE(one.listens_first());
    EXPECT_FALSE(one.essential);
    EXPECT_EQ(one.restart.when, Restart::No);
}

TEST(Sockets, OnlyServicesHaveThem) {
    EXPECT_NE(problems_of("type = \"oneshot\"\n" + socket("listen = \"80\"\n")).at(0).find("are not for a oneshot"),
              std::string::npos);
    const auto jobs = configuration_of(
                          "[defaults]\nsockets = [{ listen = \"@${job:name}\" }]\n[jobs.a]\ncommand = \"/bin/a\"\n"
                          "[jobs.b]\ncommand = \"/bin/b\"\ntype = \"task\"\n")
                          .jobs;
    EXPECT_EQ(jobs.at(0).sockets.size(), 1u);
    EXPECT_TRUE(jobs.at(1).sockets.empty());
}

TEST(Sockets, TheirVariablesCannotBeSet) {
    EXPECT_NE(problems_of("command = \"/bin/web\"\nenv = { LISTEN_FDS = \"1\" }\n").at(0).find("it is of [[sockets]]"),
              std::string::npos);
}

TEST(Sockets, TheTextReadsBackAsTheSameJob) {
    const auto job = job_with(
        "[[sockets]]\nname = \"http\"\nlisten = \"/run/web${job:index}\"\nmode = \"0666\"\n"
        "[[sockets]]\nlisten = \"[::1]:80\"\non_demand = true\nidle_timeout = \"5min\"\n");
    auto again = job_of(to_toml(job));
    again.origin = job.origin;
    EXPECT_EQ(again, job) << to_toml(job);
    json::Writer writer;
    write_json(writer, job);
    EXPECT_NE(writer.take().find("\"listen\":\"[::1]:80\""), std::string::npos);
}

TEST(Sockets, AChangeTakesEffectWithARestart) {
    const auto before = job_with("[[sockets]]\nlisten = \"80\"\n"), now = job_with("[[sockets]]\nlisten = \"81\"\n");
    EXPECT_EQ(difference(before, now).at_start, std::vector<std::string>{"sockets"});
}

}  // namespace
}  // namespace procsup
