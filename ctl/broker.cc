#include "ctl/broker.h"

#include "ctl/text.h"

namespace procsup::ctl {

Broker::Broker(Session& session, std::string_view interface) : supervisor_(session.socket_path()) {
    const auto slash = supervisor_.rfind('/');
    const auto dir = slash == std::string::npos ? std::string() : supervisor_.substr(0, slash + 1);
    session.use_socket(dir + std::string(interface));
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

}  // namespace procsup::ctl
