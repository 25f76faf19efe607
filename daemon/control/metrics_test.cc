#include <gtest/gtest.h>
#include <signal.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

using namespace std::chrono_literals;

struct Metrics : testing::Test {
    Metrics() {
        auto owned = job("mine");
        owned.owner = kStranger;
        owned.enabled = false;
        box.configure({job("web", {"a", "b"}), owned});
    }

    /// The samples of one family, as "name[ reason]=value" of each.
    std::vector<std::string> family(const Answer& answer, std::string_view name) {
        for (std::size_t i = 0; i < answer.count("families"); ++i) {
            const auto at = "families." + std::to_string(i);
            if (answer[at + ".name"] != name) continue;
            std::vector<std::string> samples;
            for (std::size_t k = 0; k < answer.count(at + ".samples"); ++k) {
                const auto sample = at + ".samples." + std::to_string(k);
                const auto reason = answer[sample + ".labels.reason"], state = answer[sample + ".state"];
                samples.push_back(answer[sample + ".labels.name"] + (reason == "null" ? "" : " " + reason) + "=" +
                                  (state == "null" ? answer[sample + ".value"] : state));
            }
            return samples;
        }
        return {};
    }
    std::string of(const std::string& instance, std::string_view name) {
        for (const auto& sample : family(client.call("Manager.Metrics", "{}"), name)) {
            if (sample.starts_with(instance + "=")) return sample.substr(instance.size() + 1);
        }
        return "none";
    }

    ControlBox box;
    ControlClient client{box};
};

TEST_F(Metrics, FollowTheRunsOfAnInstance) {
    EXPECT_EQ(of("web@a", "procsupd_job_state"), "stopped");
    box.supervisor.start(box.instance("web@a").id(), "start", box.loop.now());
    EXPECT_EQ(of("web@a", "procsupd_job_state"), "starting");
    EXPECT_EQ(of("web@a", "procsupd_job_up"), "0.0");
    EXPECT_EQ(of("web@a", "procsupd_job_starts_total"), "1.0");
    box.executes("web@a", 411);
    EXPECT_EQ(of("web@a", "procsupd_job_state"), "running");
    EXPECT_EQ(of("web@a", "procsupd_job_up"), "1.0");
    EXPECT_EQ(of("web@a", "procsupd_job_ready"), "1.0");
    EXPECT_NE(of("web@a", "procsupd_job_start_time_seconds"), "none");
    box.pass(1min);
    box.ends("web@a", ExitStatus::killed(SIGSEGV, true), {});
    EXPECT_EQ(of("web@a core-dump", "procsupd_job_exits_total"), "1.0");
    EXPECT_EQ(of("web@a signal", "procsupd_job_exits_total"), "0.0");
    EXPECT_EQ(of("web@b core-dump", "procsupd_job_exits_total"), "0.0");
    EXPECT_EQ(of("mine", "procsupd_job_start_time_seconds"), "none") << "it does not run";
    EXPECT_EQ(of("mine", "procsupd_job_starts_total"), "0.0");
}

TEST_F(Metrics, HaveTheSupervisorsOwn) {
    const auto answer = client.call("Manager.Metrics", "{}");
    EXPECT_EQ(answer["families.0.name"], "procsupd_build_info");
    EXPECT_EQ(answer["families.0.samples.0.value"], "1.0");
    EXPECT_EQ(family(answer, "procsupd_clients"), std::vector<std::string>{"null=1.0"});
}

TEST_F(Metrics, OfManyInstancesComeInSeveralAnswers) {
    std::vector<std::string> names;
    for (int i = 0; i < 700; ++i) names.push_back(std::to_string(i));
    auto many = job("many", names);
    many.enabled = false;
    box.configure({many});
    const auto first = client.call("Manager.Metrics", "{}");
    EXPECT_EQ(family(first, "procsupd_job_up").size(), 500u);
    EXPECT_EQ(first["next"], "500");
    const auto rest = client.call("Manager.Metrics", R"({"from":500})");
    EXPECT_EQ(family(rest, "procsupd_job_up").size(), 200u);
    EXPECT_EQ(rest["next"], "null");
    EXPECT_EQ(rest["families.0.name"], "procsupd_job_state") << "the supervisor's own are in the first";
    EXPECT_EQ(family(client.call("Manager.Metrics", R"({"from":9999})"), "procsupd_job_up").size(), 0u);
    EXPECT_EQ(client.call("Manager.Metrics", R"({"from":-1})").error, "org.varlink.service.InvalidParameter");
}

TEST_F(Metrics, AreForWhoMayRead) {
    if (!is_root()) GTEST_SKIP() << "needs root, to be another user";
    DaemonSpec closed;
    closed.read = {};
    ControlBox other({job("web")}, closed);
    auto stranger = ControlClient::as_stranger(other);
    EXPECT_EQ(stranger.call("Manager.Metrics", "{}").error, "io.procsupd.Manager.PermissionDenied");
    auto reader = ControlClient::as_stranger(box);
    EXPECT_EQ(family(reader.call("Manager.Metrics", "{}"), "procsupd_job_up").size(), 3u);
}

}  // namespace
}  // namespace procsup
