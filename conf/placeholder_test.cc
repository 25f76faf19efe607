#include "conf/placeholder.h"

#include <gtest/gtest.h>

#include "conf/expand.h"
#include "conf/fake_surroundings.h"

namespace procsup {
namespace {

const InstanceName kSecond{"web", "web@eu", 1, 8001};

/// What the program of the second instance gets of `text`.
std::string through(const std::string& text, const FakeSurroundings& surroundings) {
    const auto prepared = prepare_text(text, {"web", 8000, &surroundings});
    return prepared ? expand_job(prepared->text, kSecond) : "error: " + prepared.error().message;
}

TEST(Placeholders, AreReplacedForEachInstance) {
    const FakeSurroundings surroundings;
    EXPECT_EQ(through("${job:name} ${job:instance} ${job:index} ${job:port}", surroundings), "web web@eu 1 8001");
    EXPECT_EQ(through("${env:HOME}/x", surroundings), "/root/x");
}

TEST(Placeholders, AllElsePassesVerbatim) {
    const FakeSurroundings surroundings;
    for (const char* text : {"", "$", "$$", "${", "${HOME}", "${HOME:-/x}", "$HOME", "%n", "}", "$$$", "${}", "${:a}",
                             "a$b$", "$$ {", "${a:b c}"}) {
        EXPECT_EQ(through(text, surroundings), text);
    }
}

TEST(Placeholders, AreEscapedByASecondDollar) {
    const FakeSurroundings surroundings;
    EXPECT_EQ(through("$${job:name}", surroundings), "${job:name}");
    EXPECT_EQ(through("$${env:HOME}$${HOME}", surroundings), "${env:HOME}${HOME}");
    EXPECT_EQ(through("$$${job:name}", surroundings), "$${job:name}");
}

TEST(Placeholders, ValuesOfVariablesAreNeverExpanded) {
    FakeSurroundings surroundings;
    for (const char* value : {"${job:name}", "$${job:name}", "${env:HOME}", "$$${job:port}", "$", "${", "{job:name}"}) {
        surroundings.variables["V"] = value;
        EXPECT_EQ(through("<${env:V}>", surroundings), "<" + std::string(value) + ">");
    }
    surroundings.variables["A"] = "$";
    surroundings.variables["B"] = "{job:name}";
    EXPECT_EQ(through("${env:A}${env:B}", surroundings), "${job:name}");
    EXPECT_EQ(through("${env:A}{job:name}", surroundings), "${job:name}");
    EXPECT_EQ(through("${env:A}${job:index}", surroundings), "error: '$' cannot stand directly before '${job:index}'");
}

TEST(Placeholders, ThatAreUnknownAreErrors) {
    const FakeSurroundings surroundings;
    for (const char* text : {"${job:}", "${job:x}", "${job:name", "${env:}", "${env:A-B}", "${env:NOT_SET}",
                             "${foo:bar}", "${cred:a}", "${job:na me}", "${env:HOME:-x}"}) {
        EXPECT_TRUE(through(text, surroundings).starts_with("error: ")) << text;
    }
}

TEST(Placeholders, ProtectedTextSurvivesExpansion) {
    for (const char* text : {"${job:name}", "$${job:name}", "$$${x}", "${HOME}", "a$${b", "$${", "${${job:name}}"}) {
        EXPECT_EQ(expand_job(protect(text), kSecond), text);
    }
}

TEST(InstanceNames, AreTheJobOrCountedOrNamed) {
    JobSpec spec;
    spec.name = "web";
    EXPECT_EQ(instance_names(spec).at(0).instance, "web");
    spec.port_base = 80;
    spec.instances = {"eu", "us"};
    const auto names = instance_names(spec);
    ASSERT_EQ(names.size(), 2u);
    EXPECT_EQ(names[1].instance, "web@us");
    EXPECT_EQ(names[1].index, 1u);
    EXPECT_EQ(names[1].port, 81);
}

TEST(InstanceNames, OfMoreThanTheFileSaysGoOnWithNumbers) {
    const auto names_of = [](const JobSpec& spec, std::size_t count) {
        std::string names;
        for (const auto& name : instance_names(spec, count)) {
            names += (names.empty() ? "" : " ") + name.instance + ":" + std::to_string(name.port.value_or(0));
        }
        return names;
    };
    JobSpec spec;
    spec.name = "web";
    spec.port_base = 80;
    EXPECT_EQ(names_of(spec, 3), "web:80 web@1:81 web@2:82");
    spec.instances = {"0", "1"};
    EXPECT_EQ(names_of(spec, 3), "web@0:80 web@1:81 web@2:82");
    EXPECT_EQ(names_of(spec, 1), "web@0:80");
}

TEST(InstanceNames, AreNumbersWhereNobodyHasGivenNames) {
    JobSpec spec;
    for (const auto& [names, numbered] : std::vector<std::pair<std::vector<std::string>, bool>>{
             {{}, true}, {{"0"}, true}, {{"0", "1"}, true}, {{"1", "0"}, false}, {{"eu"}, false}}) {
        spec.instances = names;
        EXPECT_EQ(has_numbered_instances(spec), numbered);
    }
}

}  // namespace
}  // namespace procsup
