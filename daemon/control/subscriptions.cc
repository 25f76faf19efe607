#include "daemon/control/subscriptions.h"

#include <algorithm>
#include <utility>

#include "daemon/control/instance_json.h"

namespace procsup {
namespace {

constexpr std::size_t kMostUnsent = varlink::Limits{}.unsent_stream;

bool concerns(const std::vector<InstanceId>& only, InstanceId id) {
    return only.empty() || std::binary_search(only.begin(), only.end(), id);
}

}  // namespace

void Subscriptions::add(varlink::PendingCall call, std::vector<InstanceId> only) {
    // What has changed in this turn is in the snapshot: the readers before this one get it first.
    settle();
    std::sort(only.begin(), only.end());
    json::Writer writer;
    writer.begin_object().key("snapshot").begin_object();
    writer.member_int("sequence", static_cast<std::int64_t>(context_.supervisor.last_sequence()));
    writer.key("instances").begin_array();
    for (const auto& [name, job] : context_.supervisor.jobs()) {
        for (const auto* one : present_of(job)) {
            if (!concerns(only, one->id())) continue;
            const bool operates = context_.access.allows(call.peer(), Tier::Operate, &one->spec());
            const Told told{operates ? Sees::Output : Sees::States};
            write_instance(writer, context_, *one, {}, told);
        }
    }
    writer.end_array().end_object().end_object();
    call.reply_continues(writer.text());
    call.when_gone([this] { some_left_ = true; });
    // The snapshot of many instances takes a while to be read, and its reader is not slow yet.
    const bool words = call.parameters().bool_or("words", false);
    readers_.push_back({std::move(call), std::move(only), kMostUnsent + writer.text().size(), 0, words});
}

void Subscriptions::on_transition(const Transition& transition) {
    if (readers_.empty()) return;
    // It is told again in another state.
    words_.erase(transition.id);
    json::Writer writer;
    writer.begin_object().key("event").begin_object();
    writer.member_int("sequence", static_cast<std::int64_t>(transition.sequence));
    writer.member_int("timeUSec", wall_usec(context_.host, transition.when));
    writer.member("name", transition.instance).member("from", to_text(transition.from));
    writer.member("to", to_text(transition.to)).member("cause", transition.cause);
    if (transition.pid > 0) writer.member_int("pid", transition.pid);
    write_exit(writer, transition.run);
    write_run(writer, "run", transition.run, context_.host);
    writer.end_object().end_object();
    changes_.push_back({transition.id, writer.take()});
}

void Subscriptions::on_words(InstanceId id) {
    const auto asks = [](const Reader& reader) { return reader.words; };
    if (std::any_of(readers_.begin(), readers_.end(), asks)) has_words_.insert(id);
}

void Subscriptions::settle() {
    if (std::exchange(some_left_, false)) {
        readers_.remove_if([](const Reader& reader) { return !reader.call.alive(); });
    }
    if (readers_.empty()) words_.clear();
    if (!changes_.empty() || someone_lost_) send_changes();
    send_words();
}

void Subscriptions::send_changes() {
    const auto changes = std::exchange(changes_, {});
    someone_lost_ = false;
    for (auto& reader : readers_) {
        tell_loss(reader);
        for (const auto& change : changes) send(reader, change);
        someone_lost_ = someone_lost_ || reader.lost > 0;
    }
}

/// Who says something else all the time is heard now and then.
void Subscriptions::send_words() {
    constexpr auto kRest = std::chrono::milliseconds(100);
    if (has_words_.empty() || words_rest_) return;
    for (const auto id : std::exchange(has_words_, {})) send_words(id);
    words_rest_ = context_.loop.call_at(context_.loop.now() + kRest, [this] {
        words_rest_.reset();
        send_words();
    });
}

void Subscriptions::send_words(InstanceId id) {
    const auto* instance = context_.supervisor.find(id);
    if (instance == nullptr) return;
    const Words now{instance->awaits_readiness() ? instance->awaited_with_output() : "", instance->status_text()};
    auto& before = words_[id];
    const bool awaits_other = now.awaits != before.awaits && !now.awaits.empty();
    const bool says_other = now.status != before.status;
    before = now;
    if (!awaits_other && !says_other) return;
    const auto text_for = [&](Sees sees) {
        json::Writer writer;
        writer.begin_object().key("words").begin_object();
        writer.member_int("timeUSec", wall_usec(context_.host, context_.loop.now()));
        writer.member("name", instance->name().instance);
        if (awaits_other) write_awaits(writer, *instance, sees);
        if (says_other) writer.member("statusText", now.status);
        writer.end_object().end_object();
        return writer.take();
    };
    const auto for_all = text_for(Sees::States), for_operators = text_for(Sees::Output);
    for (auto& reader : readers_) {
        if (!reader.words || !reader.call.alive() || !concerns(reader.only, id)) continue;
        if (reader.lost > 0 || reader.call.unsent() > reader.most_unsent) continue;
        const bool operates = context_.access.allows(reader.call.peer(), Tier::Operate, &instance->spec());
        reader.call.reply_continues(operates ? for_operators : for_all);
    }
}

/// As soon as there is room again, not only with the next event: until then the reader believes it knows everything.
void Subscriptions::tell_loss(Reader& reader) const {
    if (reader.lost == 0 || !reader.call.alive() || reader.call.unsent() > reader.most_unsent) return;
    json::Writer writer;
    writer.begin_object().member_int("lost", std::exchange(reader.lost, 0)).end_object();
    reader.call.reply_continues(writer.text());
}

void Subscriptions::send(Reader& reader, const Change& change) const {
    if (!reader.call.alive() || !concerns(reader.only, change.id)) return;
    if (reader.lost > 0 || reader.call.unsent() > reader.most_unsent) {
        ++reader.lost;
    } else {
        reader.call.reply_continues(change.json);
    }
}

}  // namespace procsup
