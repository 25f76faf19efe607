#include "daemon/control/groups.h"

#include <algorithm>

namespace procsup {
namespace {

void write_group(json::Writer& writer, const std::string& name, const Group& group, TimePoint now) {
    const auto& settings = group.settings();
    writer.begin_object().member("name", name).member("strategy", word_of(settings.strategy));
    writer.member("intensity", to_text(settings.intensity));
    writer.member("onExhausted", word_of(settings.on_exhausted));
    writer.member_int("restarts", group.restarts.count(settings.intensity, now));
    std::int64_t instances = 0, up = 0;
    writer.key("members").begin_array();
    for (const auto* member : group.members) {
        writer.string(member->spec->name);
        instances += static_cast<std::int64_t>(member->instances.size());
        up += std::count_if(member->instances.begin(), member->instances.end(),
                            [](const auto& one) { return one->ready(); });
    }
    writer.end_array().member_int("instances", instances).member_int("ready", up).end_object();
}

}  // namespace

void groups(const ControlContext& context, varlink::PendingCall call) {
    if (!admitted(context, call)) return;
    json::Writer writer;
    writer.begin_object().key("groups").begin_array();
    for (const auto& [name, group] : context.supervisor.groups()) {
        write_group(writer, name, group, context.loop.now());
    }
    call.reply(writer.end_array().end_object().text());
}

}  // namespace procsup
