#include "certification_service.h"

#include <algorithm>
#include <array>

namespace procsup::varlink {
namespace {

constexpr std::string_view kDescription = R"(# The methods with which implementations of Varlink test each other.
interface org.varlink.certification

type Interface (foo: ?[]?[string](foo, bar, baz), anon: (foo: bool, bar: bool))

type MyType (
  object: object,
  enum: (one, two, three),
  struct: (first: int, second: string),
  array: []string,
  dictionary: [string]string,
  stringset: [string](),
  nullable: ?string,
  nullable_array_struct: ?[](first: int, second: string),
  interface: Interface
)

method Start() -> (client_id: string)
method Test01(client_id: string) -> (bool: bool)
method Test02(client_id: string, bool: bool) -> (int: int)
method Test03(client_id: string, int: int) -> (float: float)
method Test04(client_id: string, float: float) -> (string: string)
method Test05(client_id: string, string: string) -> (bool: bool, int: int, float: float, string: string)
method Test06(client_id: string, bool: bool, int: int, float: float, string: string)
  -> (struct: (bool: bool, int: int, float: float, string: string))
method Test07(client_id: string, struct: (bool: bool, int: int, float: float, string: string))
  -> (map: [string]string)
method Test08(client_id: string, map: [string]string) -> (set: [string]())
method Test09(client_id: string, set: [string]()) -> (mytype: MyType)
method Test10(client_id: string, mytype: MyType) -> (string: string)
method Test11(client_id: string, last_more_replies: []string) -> ()
method End(client_id: string) -> (all_ok: bool)

error ClientIdError ()
error CertificationError (wants: object, got: object)
)";

#define FOUR R"("bool":false,"int":2,"float":3.141592653589793,"string":"a lot of string")"
#define MYTYPE                                                                                                \
    R"("mytype":{"object":{"method":"org.varlink.certification.Test09","parameters":{"map":{"foo":"Foo"}}},)" \
    R"("enum":"two","struct":{"first":1,"second":"2"},"array":["one","two","three"],)"                        \
    R"("dictionary":{"foo":"Foo","bar":"Bar"},"stringset":{"one":{},"two":{},"three":{}},"nullable":null,)"   \
    R"("nullable_array_struct":null,"interface":{"foo":[null,{"foo":"foo","bar":"bar"},null,{"one":"foo"}],)" \
    R"("anon":{"foo":true,"bar":false}}})"
#define ID R"("client_id":"client-1")"
#define REPLIES                                                                                                 \
    R"("Reply number 1","Reply number 2","Reply number 3","Reply number 4","Reply number 5","Reply number 6",)" \
    R"("Reply number 7","Reply number 8","Reply number 9","Reply number 10")"

constexpr std::array<CertificationStep, 13> kSteps{{
    {"Start", "{}", "{" ID "}"},
    {"Test01", "{" ID "}", R"({"bool":true})"},
    {"Test02", "{" ID R"(,"bool":true})", R"({"int":1})"},
    {"Test03", "{" ID R"(,"int":1})", R"({"float":1.0})"},
    {"Test04", "{" ID R"(,"float":1.0})", R"({"string":"ping"})"},
    {"Test05", "{" ID R"(,"string":"ping"})", "{" FOUR "}"},
    {"Test06", "{" ID "," FOUR "}", R"({"struct":{)" FOUR "}}"},
    {"Test07", "{" ID R"(,"struct":{)" FOUR "}}", R"({"map":{"foo":"Foo","bar":"Bar"}})"},
    {"Test08", "{" ID R"(,"map":{"foo":"Foo","bar":"Bar"}})", R"({"set":{"one":{},"two":{},"three":{}}})"},
    {"Test09", "{" ID R"(,"set":{"one":{},"two":{},"three":{}}})", "{" MYTYPE "}"},
    {"Test10", "{" ID "," MYTYPE "}", ""},
    {"Test11", "{" ID R"(,"last_more_replies":[)" REPLIES "]}", ""},
    {"End", "{" ID "}", R"({"all_ok":true})"},
}};

#undef FOUR
#undef MYTYPE
#undef ID
#undef REPLIES

bool same_object(const json::Value& a, const json::Value& b) {
    const auto within = [](const json::Value& part, const json::Value& whole) {
        return std::all_of(part.as_object()->begin(), part.as_object()->end(), [&whole](const auto& member) {
            const auto* other = whole.find(member.first);
            return other == nullptr ? member.second.is_null() : same_value(member.second, *other);
        });
    };
    return within(a, b) && within(b, a);
}

std::string reply_number(int number) {
    return json::Writer().begin_object().member("string", "Reply number " + std::to_string(number)).end_object().take();
}

}  // namespace

std::span<const CertificationStep> certification_steps() { return kSteps; }

bool same_value(const json::Value& a, const json::Value& b) {
    const auto number = [](const json::Value& value) {
        return value.as_int() != nullptr ? static_cast<double>(*value.as_int()) : *value.as_double();
    };
    const auto is_number = [](const json::Value& value) { return value.as_int() || value.as_double(); };
    if (is_number(a) && is_number(b)) return !(number(a) < number(b)) && !(number(b) < number(a));
    if (a.as_object() && b.as_object()) return same_object(a, b);
    if (a.as_array() && b.as_array()) {
        return std::equal(a.as_array()->begin(), a.as_array()->end(), b.as_array()->begin(), b.as_array()->end(),
                          same_value);
    }
    return json::to_text(a) == json::to_text(b);
}

Interface CertificationService::interface() {
    Interface interface {
        "org.varlink.certification", std::string(kDescription), {}
    };
    for (std::size_t step = 0; step < kSteps.size(); ++step) {
        interface.methods[std::string(kSteps[step].method)] = [this, step](PendingCall call) { serve(step, call); };
    }
    return interface;
}

void CertificationService::serve(std::size_t step, PendingCall call) {
    const auto& now = kSteps[step];
    const auto expected = json::parse(now.expected);
    if (step != next_step_ || !same_value(call.parameters(), *expected)) {
        json::Writer why;
        why.begin_object().key("wants").raw(now.expected).key("got").value(call.parameters()).end_object();
        return call.fail_with("org.varlink.certification.CertificationError", why.text());
    }
    ++next_step_;
    if (now.method == "Test10") {
        if (!call.call().more) return call.fail_with("org.varlink.service.ExpectedMore", {});
        for (int number = 1; number < kCertificationReplies; ++number) call.reply_continues(reply_number(number));
        return call.reply(reply_number(kCertificationReplies));
    }
    if (now.method == "Test11" && !call.call().oneway) {
        return call.fail("org.varlink.certification.CertificationError", "Test11 takes no reply");
    }
    all_ok_ = now.method == "End";
    call.reply(now.answer);
}

}  // namespace procsup::varlink
