#include "ctl/broker.h"

#include "ctl/text.h"

namespace procsup::ctl {

Broker::Broker(Session& session, std::string_view interface) : supervisor_(session.socket_path()) {
    const auto slash = supervisor_.rfind('/');
    const auto dir = slash == std::string::npos ? std::string() : supervisor_.substr(0, slash + 1);
    session.use_socket(dir + std::string(interface));
}

std::string Broker::claimer(const json::Value& claim) {
    std::string text = process_text(claim.int_or("pid", 0));
    if (const auto owner = claim.int_or("owner", 0); owner != 0) text += ", owner " + std::to_string(owner);
    return text;
}

std::string Broker::waiters_text(const json::Value::Array& waiters, std::string (*more)(const json::Value& claim)) {
    constexpr std::size_t kMost = 3;
    std::string text;
    for (std::size_t i = 0; i < waiters.size() && i < kMost; ++i) {
        text += (text.empty() ? "" : "; ") + claimer(waiters[i]) + (more != nullptr ? more(waiters[i]) : "") + " for " +
                age_of(waiters[i]);
    }
    if (waiters.size() > kMost) text += "; and " + std::to_string(waiters.size() - kMost) + " more";
    return text.empty() ? "-" : text;
}

std::string Broker::process_text(std::int64_t pid) {
    if (pid == 0) return "in another container";
    const auto [name, is_new] = names_.try_emplace(pid);
    if (is_new) name->second = name_of(pid);
    const auto number = "pid " + std::to_string(pid);
    return name->second.empty() ? number : name->second + " (" + number + ")";
}

std::string Broker::name_of(std::int64_t pid) {
    if (!std::exchange(asked_, true)) {
        if (auto made = varlink::Client::connect(supervisor_)) client_.emplace(std::move(*made));
    }
    if (!client_) return {};
    json::Writer writer;
    writer.begin_object().member_int("pid", pid).end_object();
    const auto reply = client_->call("io.procsupd.Manager.WhoIs", writer.text());
    return reply && reply->error.empty() ? escaped(reply->parameters.string_or("instance", "")) : std::string();
}

std::string age_of(const json::Value& claim) { return age_text(Duration(claim.int_or("forUSec", 0))); }

std::optional<json::Value> list_named(Session& session, std::string_view interface) {
    const auto& line = session.line();
    json::Writer writer;
    writer.begin_object();
    if (!line.operands.empty()) {
        writer.key("names").begin_array();
        for (const auto name : line.operands) writer.string(name);
        writer.end_array();
    }
    auto reply = session.call(std::string(interface) + ".List", writer.end_object().text());
    return line.json ? std::nullopt : std::move(reply);
}

int call_for_name(Session& session, std::string_view interface, std::string_view method) {
    json::Writer writer;
    writer.begin_object().member("name", session.line().operands.front()).end_object();
    const auto reply = session.call(std::string(interface) + "." + std::string(method), writer.text());
    return reply ? kSuccess : session.exit_code();
}

int report_refusal(Session& session, const varlink::Reply& reply) {
    session.report(reply);
    session.out().flush();
    const bool in_time = !reply.error.ends_with(".TimedOut") && !reply.error.ends_with(".Busy");
    return in_time ? session.exit_code() : kTimedOut;
}

}  // namespace procsup::ctl
