#include "common/varlink/message.h"

#include <utility>

namespace procsup::varlink {
namespace {

/// The position of the dot before the method's own name, or npos.
std::size_t last_dot(std::string_view method) { return method.rfind('.'); }

Error bad_message(std::string_view what, std::string_view why) {
    return Error{"cannot read the " + std::string(what) + ": " + std::string(why)};
}

/// Reads an envelope: one JSON object.
Result<json::Value> parse_envelope(std::string_view text, std::string_view what) {
    auto envelope = json::parse(text);
    if (!envelope) return bad_message(what, envelope.error().message);
    if (envelope->as_object() == nullptr) return bad_message(what, "it is not a JSON object");
    return envelope;
}

/// Absent, null and {} are equal.
bool take_parameters(json::Value& envelope, json::Value& parameters) {
    parameters = envelope.take("parameters");
    if (parameters.is_null()) parameters = json::Value(json::Value::Object());
    return parameters.as_object() != nullptr;
}

bool read_flag(const json::Value& envelope, std::string_view name, bool& flag) {
    const auto* value = envelope.find(name);
    if (value == nullptr) return true;
    if (value->as_bool() == nullptr) return false;
    flag = *value->as_bool();
    return true;
}

void append_parameters(std::string& message, std::string_view parameters) {
    if (parameters.empty() || parameters == "{}") return;
    if (message.size() > 1) message += ',';
    message.append("\"parameters\":").append(parameters);
}

void append_end(std::string& message) { message.append("}\0", 2); }

}  // namespace

std::string_view Call::interface_name() const {
    const auto dot = last_dot(method);
    return dot == std::string::npos ? std::string_view() : std::string_view(method).substr(0, dot);
}

std::string_view Call::method_name() const {
    const auto dot = last_dot(method);
    return dot == std::string::npos ? std::string_view(method) : std::string_view(method).substr(dot + 1);
}

Result<Call> parse_call(std::string_view text) {
    constexpr std::string_view kWhat = "call";
    auto envelope = parse_envelope(text, kWhat);
    if (!envelope) return envelope.error();
    Call call;
    const auto* method = envelope->find("method");
    if (method == nullptr || method->as_string() == nullptr) return bad_message(kWhat, "\"method\" is not a string");
    call.method = *method->as_string();
    if (!take_parameters(*envelope, call.parameters)) return bad_message(kWhat, "\"parameters\" is not an object");
    for (const auto& [name, flag] : {std::pair<std::string_view, bool*>{"more", &call.more},
                                     {"oneway", &call.oneway},
                                     {"upgrade", &call.upgrade}}) {
        if (!read_flag(*envelope, name, *flag)) {
            return bad_message(kWhat, "\"" + std::string(name) + "\" is neither true nor false");
        }
    }
    return call;
}

Result<Reply> parse_reply(std::string_view text) {
    constexpr std::string_view kWhat = "reply";
    auto envelope = parse_envelope(text, kWhat);
    if (!envelope) return envelope.error();
    Reply reply;
    if (const auto* error = envelope->find("error")) {
        if (error->as_string() == nullptr || error->as_string()->empty()) {
            return bad_message(kWhat, "\"error\" is not a name");
        }
        reply.error = *error->as_string();
    }
    if (!take_parameters(*envelope, reply.parameters)) return bad_message(kWhat, "\"parameters\" is not an object");
    if (!read_flag(*envelope, "continues", reply.continues)) {
        return bad_message(kWhat, "\"continues\" is neither true nor false");
    }
    return reply;
}

std::string call_message(std::string_view method, std::string_view parameters, bool more, bool oneway) {
    std::string message = json::Writer().begin_object().member("method", method).take();
    append_parameters(message, parameters);
    if (more) message.append(",\"more\":true");
    if (oneway) message.append(",\"oneway\":true");
    append_end(message);
    return message;
}

std::string reply_message(std::string_view parameters, bool continues) {
    std::string message;
    message.reserve(parameters.size() + 40);
    message += '{';
    append_parameters(message, parameters);
    if (continues) message.append(message.size() > 1 ? ",\"continues\":true" : "\"continues\":true");
    append_end(message);
    return message;
}

std::string error_message(std::string_view error, std::string_view parameters) {
    std::string message = json::Writer().begin_object().member("error", error).take();
    append_parameters(message, parameters);
    append_end(message);
    return message;
}

}  // namespace procsup::varlink
