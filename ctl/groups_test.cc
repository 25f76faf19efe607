#include <gtest/gtest.h>

#include "ctl/fake_daemon.h"

namespace procsup::ctl {
namespace {

constexpr const char* kTwo = R"({"groups":[
    {"name":"shop","strategy":"rest-for-one","intensity":"4/1min","onExhausted":"fail-group","restarts":3,"members":["store","feed"],"instances":4,"ready":4},
    {"name":"we\u001bb","strategy":"one-for-one","intensity":"none","onExhausted":"shutdown","restarts":0,"members":["a"],"instances":2,"ready":1}]})";

TEST(Groups, AreALineEach) {
    FakeDaemon daemon("io.procsupd.Manager.Groups", kTwo);
    const auto printed = run_procsupctl(daemon, {"groups"});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out,
              "GROUP    READY  STRATEGY      RESTARTS     THEN        MEMBERS\n"
              "shop     4/4    rest-for-one  3 of 4/1min  fail-group  store, feed\n"
              "we\\x1bb  1/2    one-for-one   not counted  shutdown    a\n");
    EXPECT_EQ(run_procsupctl(daemon, {"groups", "--json"}).out.find(R"({"groups":[{"name":"shop")"), 0u);
}

TEST(Groups, MayBeNone) {
    FakeDaemon daemon("io.procsupd.Manager.Groups", R"({"groups":[]})");
    EXPECT_EQ(run_procsupctl(daemon, {"groups"}).out, "there are no groups\n");
}

}  // namespace
}  // namespace procsup::ctl
