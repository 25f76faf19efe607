#include "common/varlink/registry.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/json.h"

namespace procsup::varlink {
namespace {

constexpr std::string_view kServiceName = "org.varlink.service";
constexpr std::string_view kServiceDescription = R"(# What every Varlink service answers about itself.
interface org.varlink.service

method GetInfo() -> (
    vendor: string,
    product: string,
    version: string,
    url: string,
    interfaces: []string
)

method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound (interface: string)
error MethodNotFound (method: string)
error MethodNotImplemented (method: string)
error InvalidParameter (parameter: string)
error PermissionDenied ()
error ExpectedMore ()
)";

[[noreturn]] void programming_error(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::abort();
}

std::string full_name(std::string_view interface, std::string_view member) {
    return std::string(interface) + "." + std::string(member);
}

/// Answers with an error of org.varlink.service that names one thing.
void fail_naming(PendingCall& call, std::string_view error, std::string_view member, std::string_view name,
                 std::string_view message) {
    json::Writer parameters;
    parameters.begin_object().member(member, name).member("message", message).end_object();
    call.fail_with(full_name(kServiceName, error), parameters.text());
}

}  // namespace

Registry::Registry(ServerInfo info) : info_(std::move(info)) {
    Interface service{std::string(kServiceName), std::string(kServiceDescription), {}};
    service.methods["GetInfo"] = [this](PendingCall call) { get_info(std::move(call)); };
    service.methods["GetInterfaceDescription"] = [this](PendingCall call) {
        get_interface_description(std::move(call));
    };
    add(std::move(service));
}

void Registry::add(Interface interface) {
    auto description = Description::parse(interface.description);
    if (!description) programming_error(interface.name + ": " + description.error().message);
    if (description->interface_name() != interface.name) programming_error(interface.name + ": described as another");
    const auto [place, fresh] =
        interfaces_.try_emplace(interface.name, Entry{std::move(interface.description), std::move(*description)});
    if (!fresh) programming_error(interface.name + ": added twice");
    const auto& described = place->second.description;
    for (auto& [name, handler] : interface.methods) {
        const auto method = described.methods().find(name);
        const auto full = full_name(interface.name, name);
        if (method == described.methods().end()) programming_error(full + ": not in the description");
        methods_.emplace(full, Method{std::move(handler), &described, &method->second});
    }
    for (const auto& [name, input] : described.methods()) {
        if (!interface.methods.contains(name)) programming_error(full_name(interface.name, name) + ": no handler");
    }
}

void Registry::dispatch(PendingCall call) const {
    // Nothing here turns a connection into another protocol.
    if (call.call().upgrade) {
        return fail_naming(call, "InvalidParameter", "parameter", "upgrade", "no method here can be upgraded");
    }
    const auto found = methods_.find(std::string_view(call.call().method));
    if (found == methods_.end()) return refuse_unknown(std::move(call));
    const auto& method = found->second;
    if (!method.handler) {
        return fail_naming(call, "MethodNotImplemented", "method", found->first, "this method is not implemented");
    }
    if (const auto bad = method.description->check(*method.input, call.parameters())) {
        return fail_naming(call, "InvalidParameter", "parameter", bad->path, bad->message);
    }
    method.handler(std::move(call));
}

void Registry::refuse_unknown(PendingCall call) const {
    const auto interface = call.call().interface_name();
    if (!interfaces_.contains(interface)) {
        return fail_naming(call, "InterfaceNotFound", "interface", interface, "no such interface");
    }
    fail_naming(call, "MethodNotFound", "method", call.call().method, "the interface has no such method");
}

void Registry::get_info(PendingCall call) const {
    json::Writer reply;
    reply.begin_object().member("vendor", info_.vendor).member("product", info_.product);
    reply.member("version", info_.version).member("url", info_.url).key("interfaces").begin_array();
    for (const auto& [name, entry] : interfaces_) reply.string(name);
    call.reply(reply.end_array().end_object().text());
}

void Registry::get_interface_description(PendingCall call) const {
    const auto name = call.parameters().string_or("interface", {});
    const auto found = interfaces_.find(name);
    if (found == interfaces_.end()) {
        return fail_naming(call, "InterfaceNotFound", "interface", name, "no such interface");
    }
    call.reply(json::Writer().begin_object().member("description", found->second.text).end_object().text());
}

}  // namespace procsup::varlink
