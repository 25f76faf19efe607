#include "daemon/control/control_fixture.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "common/send_fds.h"
#include "daemon/control/past_runs.h"

namespace procsup {
namespace {

const json::Value* member_at(const json::Value& whole, std::string_view path) {
    const auto* value = &whole;
    while (value != nullptr && !path.empty()) {
        const auto step = path.substr(0, path.find('.'));
        path.remove_prefix(std::min(path.size(), step.size() + 1));
        if (const auto* array = value->as_array()) {
            std::size_t index = array->size();
            std::from_chars(step.data(), step.data() + step.size(), index);
            value = index < array->size() ? &(*array)[index] : nullptr;
        } else {
            value = value->find(step);
        }
    }
    return value;
}

std::string names_of(const std::vector<const Instance*>& instances) {
    std::string names;
    for (const auto* instance : instances) names += (names.empty() ? "" : " ") + instance->name().instance;
    return names;
}

}  // namespace

std::shared_ptr<void> FakeHost::newest_lines(InstanceId id, LinesFound found) {
    newest_of.push_back(id);
    if (newest) found(*newest);
    return nullptr;
}

std::optional<ProcessOwner> FakeHost::who_is(pid_t pid) const {
    const auto found = owners.find(pid);
    if (found == owners.end()) return std::nullopt;
    return found->second;
}

void FakeHost::measure(const std::vector<const Instance*>& instances, Duration patient, Measured measured) {
    patience.push_back(patient);
    std::vector<InstanceUsage> uses;
    for (const auto* one : instances) {
        if (is_live(one->state())) uses.push_back({one->id(), one->name().instance, one->name().job, used});
    }
    measured(std::move(uses), unmeasured.message.empty() ? Result<void>() : unmeasured);
}

void FakeHost::list_processes(const std::vector<const Instance*>& instances, bool all,
                              std::function<void(Result<std::string>)> told) {
    listed.push_back(names_of(instances) + (all ? " and all else" : ""));
    told(processes);
}

Result<std::unique_ptr<Watch>> FakeHost::watch_process(pid_t pid, std::optional<uid_t> uid,
                                                       std::function<void()> ended) {
    struct None final : Watch {
        void set_events(std::uint32_t) override {}
    };
    const auto found = watched.find(pid);
    if (found == watched.end()) return os_failure("watch process " + std::to_string(pid), ESRCH);
    if (uid && found->second.first != *uid) return os_failure("watch process " + std::to_string(pid), EPERM);
    found->second.second = std::move(ended);
    return std::unique_ptr<Watch>(std::make_unique<None>());
}

void FakeHost::attach_streams(const std::string& job, std::array<Fd, 3> fds) { attached[job] = std::move(fds); }

Result<LogReading> FakeHost::open_logs(const std::vector<const Instance*>& instances, bool follow, std::size_t writer) {
    logs.push_back((follow ? "follow " : "open ") + names_of(instances));
    if (!no_logs.message.empty()) return no_logs;
    const auto value = static_cast<unsigned>(7 + writer);
    return LogReading{Fd(::eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK)), 2, "/var"};
}

Result<void> FakeHost::rotate_logs(const std::vector<const Instance*>& instances) {
    logs.push_back("rotate " + names_of(instances));
    if (!no_logs.message.empty()) return no_logs;
    return {};
}

PastRuns FakeHost::past_runs(const std::vector<std::string>& jobs) {
    auto& asked = past_runs_of.emplace_back();
    for (const auto& job : jobs) asked += (asked.empty() ? "" : " ") + job;
    return {past.records, Fd(::eventfd(5, EFD_CLOEXEC | EFD_NONBLOCK)), past.directory, past.problem};
}

ControlBox::ControlBox(std::vector<JobSpec> jobs, const DaemonSpec& spec) : supervisor(engine, engine, *this, 1) {
    host.known.version = "1.2.3";
    host.known.pid = 4242;
    host.known.runtime_dir = "/run/test";
    host.known.config = "/etc/test.toml";
    host.known.started = loop.now();
    supervisor.configure(std::move(jobs), loop.now());
    control = std::make_unique<Control>(loop, supervisor, host, spec);
    control->listen(address.take_listener());
}

void ControlBox::announce(const Transition& transition) {
    engine.announce(transition);
    if (transition.past != nullptr) records.push_back(past_run_record(transition, 77, host));
    if (control) control->on_transition(transition);
}

void ControlBox::says(InstanceId id) {
    if (control) control->on_words(id);
}

void ControlBox::roll(const RollNews& news) {
    engine.roll(news);
    if (control) control->on_roll(news);
}

const Instance& ControlBox::instance(std::string_view name) const {
    const auto ids = supervisor.select(name);
    EXPECT_EQ(ids.size(), 1u) << name;
    return *supervisor.find(ids.at(0));
}

void ControlBox::configure(std::vector<JobSpec> jobs) {
    supervisor.configure(std::move(jobs), loop.now());
    control->on_configured();
    turn();
}

void ControlBox::turn() {
    do {
        control->settle();
        supervisor.forget_ended();
    } while (loop.run_while_busy(1) > 0);
}

void ControlBox::pass(Duration by) {
    loop.put_forward(by);
    turn();
}

void ControlBox::executes(std::string_view name, pid_t pid) {
    const auto incarnation = instance(name).incarnation();
    supervisor.spawned(incarnation, pid, loop.now());
    supervisor.execed(incarnation, loop.now());
    turn();
}

void ControlBox::ends(std::string_view name, ExitStatus status, const Account& account) {
    supervisor.exited(instance(name).incarnation(), status, true, loop.now(), account);
    turn();
}

void ControlBox::cannot_start(std::string_view name, SpawnStage stage, int os_error) {
    supervisor.not_started(instance(name).incarnation(), stage, os_error, loop.now());
    turn();
}

void ControlBox::timer_fires(std::string_view name, TimerKind kind) {
    const auto id = instance(name).id();
    const auto armed = std::find_if(engine.timers.begin(), engine.timers.end(),
                                    [&](const auto& timer) { return timer.id == id && timer.kind == kind; });
    ASSERT_NE(armed, engine.timers.end()) << name;
    supervisor.timer_fired(id, kind, armed->generation, loop.now());
    turn();
}

std::string Answer::operator[](std::string_view path) const {
    const auto* value = member_at(parameters, path);
    if (value == nullptr) return "null";
    return value->as_string() != nullptr ? *value->as_string() : json::to_text(*value);
}

std::size_t Answer::count(std::string_view path) const {
    const auto* value = member_at(parameters, path);
    return value != nullptr && value->as_array() != nullptr ? value->as_array()->size() : 0;
}

ControlClient ControlClient::as_stranger(ControlBox& box) {
    return ControlClient(box, box.address.connect_as_stranger());
}

void ControlClient::send(std::string_view method, std::string_view parameters, bool more, const std::vector<int>& fds) {
    send_raw(varlink::call_message("io.procsupd." + std::string(method), parameters, more), fds);
}

void ControlClient::send_raw(std::string bytes, const std::vector<int>& fds) {
    EXPECT_EQ(send_with_fds(socket_.get(), bytes, fds, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    box_.turn();
}

Answer ControlClient::call(std::string_view method, std::string_view parameters, bool more,
                           const std::vector<int>& fds) {
    send(method, parameters, more, fds);
    return take_one();
}

Answer ControlClient::call_raw(std::string bytes, const std::vector<int>& fds) {
    send_raw(std::move(bytes), fds);
    return take_one();
}

std::vector<Answer> ControlClient::take() {
    while (inbox_.receive(socket_.get(), 1) == varlink::Inbox::Read::Some) box_.turn();  // there is room for more
    std::vector<Answer> answers;
    for (auto text = inbox_.next_message(); text.data() != nullptr; text = inbox_.next_message()) {
        auto reply = varlink::parse_reply(text);
        EXPECT_TRUE(reply) << text;
        auto fds = inbox_.consume(text.size());
        if (!reply) continue;
        auto& answer =
            answers.emplace_back(Answer{std::move(reply->error), reply->continues, std::move(reply->parameters), Fd()});
        if (!fds.empty()) answer.fd = std::move(fds.front());
    }
    return answers;
}

Answer ControlClient::take_one() {
    auto answers = take();
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? Answer{"nothing came", false, {}, {}} : std::move(answers.front());
}

void ControlClient::leave() {
    socket_.reset();
    box_.turn();
}

JobSpec job(std::string name, std::vector<std::string> instances) {
    JobSpec spec;
    spec.command = {"/bin/" + name};
    spec.name = std::move(name);
    spec.origin = "/etc/test.toml:7";
    spec.instances = std::move(instances);
    spec.enabled = false;
    return spec;
}

}  // namespace procsup
