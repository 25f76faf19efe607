#include "daemon/control/rolls.h"

#include <algorithm>
#include <utility>

#include "daemon/control/instance_json.h"

namespace procsup {
namespace {

std::string list_of(const std::vector<std::string>& outcomes) {
    std::string text = "[";
    for (const auto& outcome : outcomes) text += (text.size() > 1 ? "," : "") + outcome;
    return text + "]";
}

std::string names_in(const std::vector<std::string>& names) {
    constexpr std::size_t kMostNamed = 10;
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < kMostNamed; ++i) text += (i > 0 ? ", " : "") + names[i];
    return names.size() > kMostNamed ? text + ", …" : text;
}

}  // namespace

void Rolls::begin(varlink::PendingCall call) {
    if (!open_for_work(context_, call) || !has_valid_timeout(call)) return;
    const auto job = selected_job(context_, call);
    if (!job) return;
    // Before it begins: it may end at once.
    Caller& caller = callers_.emplace_back(Caller{call, *job, {}, nullptr, false});
    const auto begun = context_.supervisor.roll(*job, asked_by("rolling restart", call.peer()), context_.loop.now(),
                                                context_.access.behalf_of(call.peer()));
    if (!begun) {
        callers_.pop_back();
        json::Writer writer;
        writer.begin_object().member("name", *job).member("message", begun.error().message).end_object();
        return call.fail_with(error_name(call, "CannotRoll"), writer.text());
    }
    if (!call.parameters().bool_or("wait", true)) {
        callers_.pop_back();
        return call.reply(R"({"outcomes":[],"note":"the rolling restart has begun","done":true})");
    }
    if (const auto usec = call.parameters().int_or("timeoutUSec", -1); usec >= 0) {
        constexpr std::int64_t kLongest = 100LL * 365 * 86400 * 1'000'000;
        const auto when = context_.loop.now() + std::chrono::microseconds(std::min(usec, kLongest));
        caller.timeout = context_.loop.call_at(when, [this, &caller] { time_out(caller); });
    }
    call.when_gone([&caller] { caller.answered = true; });
}

void Rolls::on_news(const RollNews& news) {
    const bool awaited =
        std::any_of(callers_.begin(), callers_.end(), [&](const Caller& caller) { return caller.job == news.job; });
    if (!awaited) return;
    News& noted = news_.emplace_back(News{news.kind, std::string(news.job), {}, {}, {}});
    if (news.kind == RollNews::Kind::Up) {
        const auto& instance = *context_.supervisor.find(news.id);
        json::Writer writer;
        write_outcome(writer, instance, true, instance.cause());
        noted.outcome = writer.take();
    }
    noted.why =
        news.instance.empty() ? std::string(news.text) : std::string(news.instance) + ": " + std::string(news.text);
    noted.untouched.assign(news.untouched.begin(), news.untouched.end());
}

void Rolls::settle() {
    for (const auto& news : std::exchange(news_, {})) {
        for (auto& caller : callers_) {
            if (!caller.answered && caller.job == news.job) tell(caller, news);
        }
    }
    callers_.remove_if([](const Caller& caller) { return caller.answered; });
}

void Rolls::tell(Caller& caller, const News& news) const {
    if (news.kind == RollNews::Kind::Up) {
        caller.outcomes.push_back(news.outcome);
        if (caller.call.call().more) caller.call.reply_continues(R"({"outcomes":[)" + news.outcome + "]}");
        return;
    }
    caller.answered = true;
    if (news.kind == RollNews::Kind::Failed) return fail(caller, news);
    std::string reply = R"({"done":true,"outcomes":)" + list_of(caller.outcomes);
    if (caller.outcomes.size() == 1) {
        json::Writer note;
        note.string(caller.job + " has one instance: while it was restarted there was none");
        reply += R"(,"note":)" + note.take();
    }
    caller.call.reply(reply + "}");
}

void Rolls::fail(Caller& caller, const News& news) const {
    json::Writer writer;
    writer.begin_object().member("name", caller.job);
    writer.key("untouched").begin_array();
    for (const auto& name : news.untouched) writer.string(name);
    writer.end_array();
    const auto rest = news.untouched.empty() ? std::string() : "; not restarted: " + names_in(news.untouched);
    writer.member("message", "the rolling restart has ended: " + news.why + rest);
    writer.member("hint", "procsupctl why " + caller.job).end_object();
    auto text = writer.take();
    text.insert(text.size() - 1, R"(,"outcomes":)" + list_of(caller.outcomes));
    caller.call.fail_with(error_name(caller.call, "RollFailed"), text);
}

void Rolls::time_out(Caller& caller) const {
    if (std::exchange(caller.answered, true)) return;
    json::Writer writer;
    writer.begin_object().member("message",
                                 "not all instances came so far in the time given; the rolling restart goes on");
    auto text = writer.end_object().take();
    text.insert(text.size() - 1, R"(,"outcomes":)" + list_of(caller.outcomes));
    caller.call.fail_with(error_name(caller.call, "TimedOut"), text);
}

}  // namespace procsup
