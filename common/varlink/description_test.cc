#include "common/varlink/description.h"

#include <gtest/gtest.h>

#include <string>

namespace procsup::varlink {
namespace {

constexpr auto kText = R"(# About the interface.
interface org.example.test-1

type Pair (first: int, second: ?string)
type Colour (red, green)

# A method.
method Nothing() -> ()
method Basic(b: bool, i: int, f: float, s: string, o: object) -> (pair: Pair)
method Optional(i: ?int, names: ?[]string) -> ()
method Nested(pairs: []Pair, by_name: [string]Pair, colour: Colour, set: [string](), inline: (x: int, y: ?int),
              holes: []?int, word: ?(one, two)) -> ()

error Bad (why: string)
)";

std::string problem(std::string_view method, std::string_view parameters) {
    const auto description = Description::parse(kText);
    if (!description) return description.error().message;
    const auto bad = description->check(description->methods().find(method)->second, *json::parse(parameters));
    return bad ? bad->path + ": " + bad->message : "";
}

TEST(Description, KnowsTheNamesOfItsParts) {
    const auto description = Description::parse(kText);
    ASSERT_TRUE(description) << description.error().message;
    EXPECT_EQ(description->interface_name(), "org.example.test-1");
    EXPECT_EQ(description->methods().size(), 4u);
    EXPECT_TRUE(description->methods().contains("Basic"));
    EXPECT_TRUE(description->errors().contains("Bad"));
}

TEST(Description, NamesTheLineThatIsWrong) {
    const auto broken = [](std::string_view text) {
        const auto result = Description::parse(text);
        return result ? std::string() : result.error().message;
    };
    EXPECT_EQ(broken("interface a.b\n\nmethod Do(x: Missing) -> ()\n"),
              "cannot read the interface description: line 3: 'Missing' is no type");
    EXPECT_NE(broken("interface a.b\nmethod Do(x: int ()\n"), "");
    for (const auto* text :
         {"", "interface", "interface nodot", "interface a.b\nmethod do() -> ()", "interface a.b\nmethod Do()",
          "interface a.b\nfrob Do ()", "interface a.b\nmethod Do(a, b: int) -> ()",
          "interface a.b\nmethod A() -> ()\nmethod A() -> ()", "interface a.b\ntype T (a: []",
          "interface a.b\ntype T (a: )", "interface a.b\ntype T (a: int b: int)"}) {
        EXPECT_NE(broken(text), "") << text;
    }
}

TEST(Description, RefusesEndlessNesting) {
    std::string text = "interface a.b\ntype T (a: ";
    for (int i = 0; i < 100000; ++i) text += "[]";
    EXPECT_FALSE(Description::parse(text + "int)"));
    text = "interface a.b\ntype T ";
    for (int i = 0; i < 100000; ++i) text += "(a: ";
    EXPECT_FALSE(Description::parse(text));
}

TEST(CheckParameters, AcceptsWhatTheDescriptionAllows) {
    EXPECT_EQ(problem("Nothing", "{}"), "");
    EXPECT_EQ(problem("Basic", R"({"b":true,"i":1,"f":1.5,"s":"x","o":{"any":[1]}})"), "");
    EXPECT_EQ(problem("Basic", R"({"b":true,"i":1,"f":2,"s":"x","o":5})"), "");
    EXPECT_EQ(problem("Optional", "{}"), "");
    EXPECT_EQ(problem("Optional", R"({"i":null,"names":["a"]})"), "");
    EXPECT_EQ(problem("Nested", R"({"pairs":[{"first":1},{"first":2,"second":"x"}],"by_name":{"a":{"first":3}},
        "colour":"red","set":{"k":{}},"inline":{"x":1},"holes":[1,null],"word":"two"})"),
              "");
}

TEST(CheckParameters, RefusesAnUnknownMemberWithAHint) {
    EXPECT_EQ(problem("Nothing", R"({"x":1})"), "x: unknown parameter 'x'");
    EXPECT_EQ(problem("Optional", R"({"nmaes":[]})"), "nmaes: unknown parameter 'nmaes' (did you mean 'names'?)");
    EXPECT_EQ(problem("Nothing", R"({"x":null})"), "x: unknown parameter 'x'");
}

TEST(CheckParameters, RefusesWhatIsMissing) {
    EXPECT_EQ(problem("Basic", R"({"b":true,"i":1,"f":1.5,"s":"x"})"), "o: 'o' is missing");
    EXPECT_EQ(problem("Basic", R"({"b":true,"i":null,"f":1.5,"s":"x","o":{}})"), "i: 'i' is missing");
}

TEST(CheckParameters, RefusesAWrongType) {
    EXPECT_EQ(problem("Optional", R"({"i":"1"})"), "i: 'i' must be an integer");
    EXPECT_EQ(problem("Optional", R"({"i":1.0})"), "i: 'i' must be an integer");
    EXPECT_EQ(problem("Optional", R"({"names":"web"})"), "names: 'names' must be an array");
    EXPECT_EQ(problem("Optional", R"({"names":["a",1]})"), "names: 'names' must be a string");
    EXPECT_EQ(problem("Optional", R"({"names":[null]})"), "names: 'names' must not be null");
}

TEST(CheckParameters, LooksInsideOfStructsArraysAndMaps) {
    const auto nested = [](std::string_view pairs, std::string_view by_name, std::string_view rest) {
        return problem("Nested", "{\"pairs\":" + std::string(pairs) + ",\"by_name\":" + std::string(by_name) +
                                     ",\"holes\":[]," + std::string(rest) + "}");
    };
    constexpr auto kGood = R"("colour":"red","set":{},"inline":{"x":1})";
    EXPECT_EQ(nested("[]", "{}", kGood), "");
    EXPECT_EQ(nested(R"([{"first":"1"}])", "{}", kGood), "pairs.first: 'pairs.first' must be an integer");
    EXPECT_EQ(nested("[]", R"({"k":{}})", kGood), "by_name.first: 'by_name.first' is missing");
    EXPECT_EQ(nested("[]", "[]", kGood), "by_name: 'by_name' must be an object");
    EXPECT_EQ(nested("[]", "{}", R"("colour":"blue","set":{},"inline":{"x":1})"),
              "colour: 'colour' must be one of red, green");
    EXPECT_EQ(nested("[]", "{}", R"("colour":"red","set":{"k":{"z":1}},"inline":{"x":1})"),
              "set.z: unknown parameter 'set.z'");
    EXPECT_EQ(nested("[]", "{}", R"("colour":"red","set":{},"inline":7)"), "inline: 'inline' must be an object");
}

}  // namespace
}  // namespace procsup::varlink
