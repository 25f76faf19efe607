// The configuration or its problems as JSON, between the process that loads and the daemon. Members that are as by
// default are left out.
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "common/json.h"
#include "conf/load.h"

namespace procsup {
namespace {

// The largest enumerator of each enumeration that crosses the pipe.
constexpr std::int64_t last_of(JobType) { return static_cast<std::int64_t>(JobType::Oneshot); }
constexpr std::int64_t last_of(Restart) { return static_cast<std::int64_t>(Restart::UnlessStopped); }
constexpr std::int64_t last_of(OnExhausted) { return static_cast<std::int64_t>(OnExhausted::Exit); }
constexpr std::int64_t last_of(Stream::Kind) { return static_cast<std::int64_t>(Stream::Kind::File); }
constexpr std::int64_t last_of(LogLevel) { return static_cast<std::int64_t>(LogLevel::Error); }

// What each structure consists of, said once for both directions.
template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, ExitSet>
{
    archive.field("codes", value.codes);
    archive.field("signals", value.signals);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, RateLimit>
{
    archive.field("count", value.count);
    archive.field("window", value.window);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, Stream>
{
    archive.field("kind", value.kind);
    archive.field("path", value.path);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, Credentials>
{
    archive.field("uid", value.uid);
    archive.field("gid", value.gid);
    archive.field("groups", value.groups);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, ResourceLimit>
{
    archive.field("resource", value.resource);
    archive.field("value", value.value);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, RestartPolicy>
{
    archive.field("when", value.when);
    archive.field("minUptime", value.min_uptime);
    archive.field("delay", value.delay);
    archive.field("backoff", value.backoff);
    archive.field("delayMax", value.delay_max);
    archive.field("jitter", value.jitter);
    archive.field("reset", value.reset);
    archive.field("startLimit", value.start_limit);
    archive.field("success", value.success);
    archive.field("prevent", value.prevent);
    archive.field("force", value.force);
    archive.field("onExhausted", value.on_exhausted);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, JobSpec>
{
    const JobSpec usual;
    archive.field("name", value.name);
    archive.field("description", value.description, usual.description);
    archive.field("origin", value.origin);
    archive.field("command", value.command);
    archive.field("program", value.program, usual.program);
    archive.field("env", value.env, usual.env);
    archive.field("workingDir", value.working_dir, usual.working_dir);
    archive.field("umask", value.umask, usual.umask);
    archive.field("credentials", value.credentials, usual.credentials);
    archive.field("type", value.type, usual.type);
    archive.field("enabled", value.enabled, usual.enabled);
    archive.field("essential", value.essential, usual.essential);
    archive.field("manuallyStopped", value.manually_stopped, usual.manually_stopped);
    archive.field("instances", value.instances, usual.instances);
    archive.field("portBase", value.port_base, usual.port_base);
    archive.field("restart", value.restart, usual.restart);
    archive.field("startTimeout", value.start_timeout, usual.start_timeout);
    archive.field("stopTimeout", value.stop_timeout, usual.stop_timeout);
    archive.field("runTimeout", value.run_timeout, usual.run_timeout);
    archive.field("stopSignal", value.stop_signal, usual.stop_signal);
    archive.field("reloadSignal", value.reload_signal, usual.reload_signal);
    archive.field("stdin", value.stdin_stream, usual.stdin_stream);
    archive.field("stdout", value.stdout_stream, usual.stdout_stream);
    archive.field("stderr", value.stderr_stream, usual.stderr_stream);
    archive.field("limits", value.limits, usual.limits);
    archive.field("strictLimits", value.strict_limits, usual.strict_limits);
    archive.field("nice", value.nice, usual.nice);
    archive.field("oomScoreAdjust", value.oom_score_adjust, usual.oom_score_adjust);
    archive.field("owner", value.owner, usual.owner);
    archive.field("tags", value.tags, usual.tags);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, AccessRule>
{
    archive.field("users", value.users);
    archive.field("groups", value.groups);
    archive.field("everyone", value.everyone);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, DaemonSpec>
{
    archive.field("runtimeDir", value.runtime_dir);
    archive.field("stateDir", value.state_dir);
    archive.field("logLevel", value.log_level);
    archive.field("shutdownTimeout", value.shutdown_timeout);
    archive.field("maxClients", value.max_clients);
    archive.field("admin", value.admin);
    archive.field("operate", value.operate);
    archive.field("read", value.read);
}

template <typename Archive, typename T>
void describe(Archive& archive, T& value)
    requires std::is_same_v<std::remove_const_t<T>, Problem>
{
    archive.field("file", value.file);
    archive.field("line", value.line);
    archive.field("column", value.column);
    archive.field("message", value.message);
}

/// Writes one value; of a job only what is not as by default, which keeps thousands of them short.
class Encoder {
public:
    explicit Encoder(json::Writer& writer) : writer_(writer) {}

    template <typename T>
    void field(std::string_view name, const T& value) {
        writer_.key(name);
        put(value);
    }
    template <typename T>
    void field(std::string_view name, const T& value, const T& usual) {
        if (!(value == usual)) field(name, value);
    }

    void put(const std::string& text) { writer_.string(text); }
    void put(bool value) { writer_.boolean(value); }
    void put(double value) { writer_.real(value); }
    void put(Duration value) { writer_.number(value.count()); }
    template <typename T>
    void put(const std::optional<T>& value) {
        if (value) {
            put(*value);
        } else {
            writer_.null();
        }
    }
    template <typename T>
    void put(const std::vector<T>& values) {
        writer_.begin_array();
        for (const auto& value : values) put(value);
        writer_.end_array();
    }
    template <typename T>
    void put(const T& value) {
        if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
            // RLIM_INFINITY, the one number beyond 63 bits, goes as -1.
            writer_.number(static_cast<std::int64_t>(value));
        } else {
            writer_.begin_object();
            describe(*this, value);
            writer_.end_object();
        }
    }

private:
    json::Writer& writer_;
};

/// Takes one object apart, strictly: a member that is missing, unknown or of a wrong type makes it fail. The sender is this
/// same program, but a child that read hostile files.
class Decoder {
public:
    explicit Decoder(json::Value& object) : object_(object) {}

    template <typename T>
    void field(std::string_view name, T& out) {
        if (!fault_.empty()) return;
        ++fields_;
        auto value = object_.take(name);
        if (!get(value, out)) fault_ = name;
    }
    /// One that may be left out; `out` is as by default then.
    template <typename T>
    void field(std::string_view name, T& out, const T&) {
        if (object_.find(name) != nullptr) field(name, out);
    }

    /// Why it cannot be; empty when all went well.
    std::string fault() const {
        if (!fault_.empty()) return fault_;
        const auto* members = object_.as_object();
        if (members == nullptr) return "not an object";
        return members->size() == fields_ ? std::string() : "unknown members";
    }

private:
    static bool get(json::Value& value, std::string& out) {
        const auto* text = value.as_string();
        // What the kernel takes ends at a NUL, and would not be what was checked.
        if (text == nullptr || text->find('\0') != std::string::npos) return false;
        out = *text;
        return true;
    }
    static bool get(json::Value& value, bool& out) {
        const auto* truth = value.as_bool();
        if (truth != nullptr) out = *truth;
        return truth != nullptr;
    }
    static bool get(json::Value& value, double& out) {
        const auto* number = value.as_double();
        if (number != nullptr) out = *number;
        return number != nullptr;
    }
    static bool get(json::Value& value, Duration& out) {
        const auto* number = value.as_int();
        if (number == nullptr || *number < 0) return false;
        out = Duration(*number);
        return true;
    }
    static bool get(json::Value& value, rlim_t& out) {
        const auto* number = value.as_int();
        if (number == nullptr || *number < -1) return false;
        out = static_cast<rlim_t>(*number);
        return true;
    }
    template <typename T>
    static bool get(json::Value& value, std::optional<T>& out) {
        out.reset();
        return value.is_null() || get(value, out.emplace());
    }
    template <typename T>
    static bool get(json::Value& value, std::vector<T>& out) {
        const auto* elements = value.as_array();
        if (elements == nullptr) return false;
        out.clear();
        out.reserve(elements->size());
        for (auto& element : const_cast<json::Value::Array&>(*elements)) {
            if (!get(element, out.emplace_back())) return false;
        }
        return true;
    }
    template <typename T>
    static bool get(json::Value& value, T& out) {
        if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
            const auto* number = value.as_int();
            if (number == nullptr || !fits<T>(*number)) return false;
            out = static_cast<T>(*number);
            return true;
        } else {
            Decoder inner(value);
            describe(inner, out);
            return inner.fault().empty();
        }
    }
    template <typename T>
    static bool fits(std::int64_t number) {
        if constexpr (std::is_enum_v<T>) {
            return number >= 0 && number <= last_of(T{});
        } else {
            return std::in_range<T>(number);
        }
    }

    json::Value& object_;
    std::size_t fields_ = 0;
    std::string fault_;
};

Error unusable(const std::string& why) { return Error{"cannot use what the load process sent: " + why}; }

template <typename T>
Result<std::vector<T>> decode_list(json::Value list) {
    const auto* elements = list.as_array();
    if (elements == nullptr) return unusable("not a list");
    std::vector<T> result;
    result.reserve(elements->size());
    for (auto& element : const_cast<json::Value::Array&>(*elements)) {
        Decoder decoder(element);
        describe(decoder, result.emplace_back());
        if (const auto fault = decoder.fault(); !fault.empty()) return unusable(fault);
    }
    return result;
}

}  // namespace

std::string encode_load_result(const std::variant<Configuration, std::vector<Problem>>& result) {
    json::Writer writer;
    Encoder encoder(writer);
    writer.begin_object();
    if (const auto* configuration = std::get_if<Configuration>(&result)) {
        encoder.field("daemon", configuration->daemon);
        encoder.field("jobs", configuration->jobs);
    } else {
        encoder.field("problems", std::get<std::vector<Problem>>(result));
    }
    writer.end_object();
    return writer.take();
}

Result<std::variant<Configuration, std::vector<Problem>>> decode_load_result(std::string_view text) {
    using Outcome = std::variant<Configuration, std::vector<Problem>>;
    auto parsed = json::parse(text);
    if (!parsed) return unusable(parsed.error().message);
    const auto* members = parsed->as_object();
    if (members == nullptr) return unusable("not an object");
    if (members->size() == 1 && (*members)[0].first == "problems") {
        auto problems = decode_list<Problem>(parsed->take("problems"));
        if (!problems) return problems.error();
        return Outcome(std::move(*problems));
    }
    if (members->size() != 2) return unusable("neither a configuration nor problems");
    Configuration configuration;
    auto daemon = parsed->take("daemon");
    Decoder decoder(daemon);
    describe(decoder, configuration.daemon);
    if (const auto fault = decoder.fault(); !fault.empty()) return unusable(fault);
    auto jobs = decode_list<JobSpec>(parsed->take("jobs"));
    if (!jobs) return jobs.error();
    configuration.jobs = std::move(*jobs);
    return Outcome(std::move(configuration));
}

}  // namespace procsup
