#include <gtest/gtest.h>

#include "daemon/control/control_fixture.h"

namespace procsup {
namespace {

class Groups : public ::testing::Test {
protected:
    Groups() {
        auto a = job("a"), b = job("b");
        a.membership = {"web",
                        1,
                        Membership::Strategy::OneForAll,
                        {2, std::chrono::minutes(1)},
                        Membership::OnExhausted::FailGroup};
        b.membership = a.membership;
        b.membership.position = 0;
        box.configure({a, b, job("c")});
    }

    ControlBox box;
    ControlClient client{box};
};

TEST_F(Groups, AreToldWithTheirMembersInOrder) {
    box.supervisor.start(box.instance("b").id(), "wanted", box.loop.now());
    box.executes("b");
    EXPECT_EQ(client.call("Manager.Groups", "")["groups"],
              R"([{"name":"web","strategy":"one-for-all","intensity":"2/1min","onExhausted":"fail-group","restarts":0,)"
              R"("members":["b","a"],"instances":2,"ready":1}])");
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["web"]})").count("instances"), 2u);
    EXPECT_EQ(client.call("Manager.Status", R"({"names":["a"]})")["instances.0.group"], "web");
}

TEST_F(Groups, AreNotAJob) {
    const auto refused = client.call("Job.Scale", R"({"name":"web","instances":2})");
    EXPECT_NE(refused["message"].find("name one of its members, such as 'b'"), std::string::npos) << refused["message"];
    EXPECT_NE(client.call("Job.Start", R"({"names":["wep"]})")["message"].find("did you mean 'web'?"),
              std::string::npos);
}

}  // namespace
}  // namespace procsup
