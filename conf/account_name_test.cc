#include "conf/account_name.h"

#include <gtest/gtest.h>

#include "conf/reading.h"

using namespace procsup::testing;

namespace procsup {
namespace {

TEST(AccountName, WhatDatabasesHoldIsTaken) {
    for (const auto* name : {"root", "www-data", "_apt", "a", "systemd-network", "first.last", "svc$",
                             "bob@example.org", "EXAMPLE\\bob", "x0", "jos\xC3\xA9"}) {
        EXPECT_EQ(account_name_fault(name), "") << name;
    }
}

// What one reader takes for a number another takes for a name, and then for nothing: it would run as root.
TEST(AccountName, WhatLooksLikeANumberIsRefused) {
    for (const auto* name : {"0x0", "0day", "1.5", "-1", "+1", "-0", "4294967295x", "1e3", "00", "0b1", ".5"}) {
        EXPECT_NE(account_name_fault(name).find("looks like a number"), std::string::npos) << name;
    }
}

TEST(AccountName, WhatNoDatabaseCanHoldIsRefused) {
    for (const auto* name : {"a b", " root", "root ", "root:x", "../root", "a/b", "a\nb", "a\tb", "a,b", "-", ".", "..",
                             "-x", "root#", "a*"}) {
        EXPECT_NE(account_name_fault(name).find(": a name "), std::string::npos) << name;
    }
    EXPECT_NE(account_name_fault(std::string(257, 'a')).find("more than 256 bytes"), std::string::npos);
}

/// Resolves every name to root, as a careless name service might.
class EveryoneIsRoot final : public Surroundings {
public:
    uid_t own_uid() const override { return 0; }
    gid_t own_gid() const override { return 0; }
    CapabilitySet own_capabilities() const override { return 0; }
    CapabilitySet known_capabilities() const override { return 0; }
    Result<std::optional<UserEntry>> user(const std::string& name) const override {
        return std::optional<UserEntry>({name, id, id, "/root", "/bin/sh"});
    }
    Result<std::optional<UserEntry>> user(uid_t) const override { return std::optional<UserEntry>(); }
    Result<std::optional<gid_t>> group(const std::string&) const override { return std::optional<gid_t>(id); }
    std::vector<gid_t> groups_of(const UserEntry&) const override { return {}; }
    std::optional<std::string> variable(const std::string&) const override { return std::nullopt; }
    std::optional<std::string> directory_fault(const std::string&) const override { return std::nullopt; }
    std::optional<std::string> writing_fault(const std::string&) const override { return std::nullopt; }
    bool is_program(const std::string&) const override { return true; }
    bool exists(const std::string&) const override { return false; }
    Result<std::shared_ptr<const Zone>> time_zone(const std::string& name) const override {
        return Error{"unknown time zone " + name};
    }
    Result<std::optional<std::string>> small_file(const std::string&, uid_t) const override {
        return std::optional<std::string>();
    }

    std::uint32_t id = 0;
};

std::vector<Problem> problems_with(const std::string& line, const EveryoneIsRoot& surroundings) {
    const auto result = read_configuration_text("command = \"/bin/web\"\n" + line, "web.toml", surroundings);
    const auto* problems = std::get_if<std::vector<Problem>>(&result);
    return problems != nullptr ? *problems : std::vector<Problem>();
}

TEST(AccountName, AnOddOneIsNotEvenLookedUp) {
    const EveryoneIsRoot surroundings;
    EXPECT_TRUE(problems_with("user = \"web\"", surroundings).empty());
    for (const std::string name :
         {"0x0", "0day", "1.5", "-1", "4294967295", "4294967296", "007", "a b", "a:b", "a/b", ""}) {
        for (const auto& line : {"user = '" + name + "'", "group = '" + name + "'", "groups = ['" + name + "']",
                                 "owner = '" + name + "'"}) {
            const auto problems = problems_with(line, surroundings);
            ASSERT_EQ(problems.size(), 1u) << line;
            EXPECT_EQ(problems[0].line, 2u) << line;
        }
    }
    for (const std::string id : {"-1", "4294967295", "4294967296", "1.5", "true"}) {
        EXPECT_EQ(problems_with("user = " + id, surroundings).size(), 1u) << id;
    }
}

// setresuid(2) takes it for "as it is".
TEST(AccountName, AnEntryWithTheIdThatStandsForNoneIsRefused) {
    EveryoneIsRoot surroundings;
    surroundings.id = UINT32_MAX;
    EXPECT_EQ(problems_with("user = 'web'", surroundings).size(), 1u);
    EXPECT_EQ(problems_with("group = 'web'", surroundings).size(), 1u);
    EXPECT_EQ(problems_with("groups = ['web']", surroundings).size(), 1u);
}

}  // namespace
}  // namespace procsup
