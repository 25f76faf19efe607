#include "common/capability.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

namespace procsup {
namespace {

TEST(Capability, NamesAreThoseOfTheKernelsNumbers) {
    EXPECT_EQ(parse_capability("CAP_CHOWN"), CAP_CHOWN);
    EXPECT_EQ(parse_capability("CAP_SETPCAP"), CAP_SETPCAP);
    EXPECT_EQ(parse_capability("CAP_NET_BIND_SERVICE"), CAP_NET_BIND_SERVICE);
    EXPECT_EQ(parse_capability("CAP_SYS_RESOURCE"), CAP_SYS_RESOURCE);
    EXPECT_EQ(parse_capability("CAP_SYSLOG"), CAP_SYSLOG);
    EXPECT_EQ(parse_capability("CAP_AUDIT_READ"), CAP_AUDIT_READ);
    EXPECT_EQ(parse_capability("CAP_CHECKPOINT_RESTORE"), CAP_CHECKPOINT_RESTORE);
    EXPECT_EQ(named_capabilities(), CAP_LAST_CAP + 1);
}

TEST(Capability, ANameIsReadBackInEachWayOfWritingIt) {
    for (int number = 0; number < named_capabilities(); ++number) {
        const auto name = capability_name(number);
        EXPECT_EQ(parse_capability(name), number) << name;
        EXPECT_EQ(parse_capability(name.substr(4)), number) << name;
    }
    EXPECT_EQ(parse_capability("net_bind_service"), CAP_NET_BIND_SERVICE);
    EXPECT_EQ(parse_capability("cap_Kill"), CAP_KILL);
}

TEST(Capability, WhatIsNoneIsRefused) {
    for (const auto* word : {"", "CAP_", "CAP_CAP_KILL", "5", "CAP_5", "KILL ", "ALL", "~KILL"}) {
        EXPECT_EQ(parse_capability(word), std::nullopt) << word;
    }
}

TEST(Capability, ASlipOfTheFingersGetsAHint) {
    EXPECT_EQ(capability_hint("CAP_NET_BIND_SERVICES"), " (did you mean 'CAP_NET_BIND_SERVICE'?)");
    EXPECT_EQ(capability_hint("sys_tine"), " (did you mean 'CAP_SYS_TIME'?)");
    EXPECT_EQ(capability_hint("CAP_EVERYTHING"), "");
}

TEST(Capability, SetsAreToldByName) {
    EXPECT_EQ(capabilities_text(0), "none");
    EXPECT_EQ(capabilities_text(capability_bit(CAP_CHOWN) | capability_bit(CAP_KILL)), "CAP_CHOWN, CAP_KILL");
    EXPECT_EQ(capabilities_text(capability_bit(62)), "CAP_62");
}

}  // namespace
}  // namespace procsup
