#include "daemon/host/provide.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/json.h"
#include "daemon/host/credential_files.h"
#include "daemon/host/job_dirs.h"

namespace procsup {
namespace {

json::Writer begin(const char* what, const std::string& runtime_dir) {
    json::Writer writer;
    writer.begin_object().member("do", what).member("runtimeDir", runtime_dir);
    return writer;
}

void write_dirs(json::Writer& writer, const std::vector<JobDir>& dirs, const InstanceName* name) {
    writer.key("dirs").begin_array();
    for (const auto& dir : dirs) {
        writer.begin_object().member("base", dir.base);
        writer.member("name", name != nullptr ? expand_job(dir.name, *name) : dir.name);
        writer.member_bool("temporary", dir.kind == JobDir::Kind::Runtime).end_object();
    }
    writer.end_array();
}

const json::Value::Array& list_of(const json::Value& request, std::string_view name) {
    static const json::Value::Array kNone;
    const auto* member = request.find(name);
    const auto* list = member != nullptr ? member->as_array() : nullptr;
    return list != nullptr ? *list : kNone;
}

std::string text_of(const json::Value& object, std::string_view name) {
    return std::string(object.string_or(name, ""));
}

class Answer {
public:
    /// Whether it went well.
    bool note(SpawnStage stage, const Result<void>& done) {
        if (done) return true;
        writer_.begin_object().member("stage", stage == SpawnStage::Directories ? "directories" : "credentials");
        writer_.member_int("errno", done.error().os_error).member("text", done.error().message).end_object();
        failed_ = true;
        return false;
    }

    std::string take() { return failed_ ? "[" + writer_.take() + "]" : std::string(); }

private:
    json::Writer writer_;
    bool failed_ = false;
};

Result<void> made(const Result<Fd>& directory) { return directory ? Result<void>() : directory.error(); }

/// Ends with the first failure: the job is not started then.
void lay_out(const json::Value& request, Answer& answer) {
    // The next daemon removes what it finds of this one: nothing may be added behind its back.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != request.int_or("daemon", 0)) return;
    const Owner owner{static_cast<uid_t>(request.int_or("uid", geteuid())),
                      static_cast<gid_t>(request.int_or("gid", getegid()))};
    const auto runtime_dir = text_of(request, "runtimeDir");
    for (const auto& dir : list_of(request, "dirs")) {
        const auto base = text_of(dir, "base"), name = text_of(dir, "name");
        const auto directory = dir.bool_or("temporary", false) ? make_runtime_dir(runtime_dir, base, name, owner)
                                                               : make_job_dir(base, name, owner);
        if (!answer.note(SpawnStage::Directories, made(directory))) return;
    }
    std::vector<Credential> credentials;
    for (const auto& credential : list_of(request, "credentials")) {
        credentials.push_back({text_of(credential, "name"), text_of(credential, "path")});
    }
    if (credentials.empty()) return;
    answer.note(SpawnStage::Credentials,
                lay_out_credentials(runtime_dir, text_of(request, "instance"), credentials, owner));
}

/// What cannot be removed keeps nothing else from being.
void remove(const json::Value& request, Answer& answer) {
    const auto instance = text_of(request, "instance"), runtime_dir = text_of(request, "runtimeDir");
    if (!instance.empty()) answer.note(SpawnStage::Credentials, remove_credentials(runtime_dir, instance));
    for (const auto& dir : list_of(request, "dirs")) {
        answer.note(SpawnStage::Directories,
                    remove_runtime_dir(runtime_dir, text_of(dir, "base"), text_of(dir, "name")));
    }
}

}  // namespace

std::string request_to_lay_out(const std::string& runtime_dir, const JobSpec& spec, const InstanceName& name) {
    auto writer = begin("layOut", runtime_dir);
    writer.member_int("daemon", getpid());
    if (spec.identity) writer.member_int("uid", spec.identity->uid).member_int("gid", spec.identity->gid);
    writer.member("instance", name.instance);
    write_dirs(writer, spec.dirs, &name);
    writer.key("credentials").begin_array();
    for (const auto& credential : spec.credentials) {
        writer.begin_object().member("name", credential.name);
        writer.member("path", expand_job(credential.path, name)).end_object();
    }
    return writer.end_array().end_object().take();
}

std::string request_to_remove(const std::string& runtime_dir, const ToRemove& what) {
    auto writer = begin("remove", runtime_dir);
    writer.member("instance", what.credentials);
    write_dirs(writer, what.dirs, nullptr);
    return writer.end_object().take();
}

std::string request_to_remove_all(const std::string& runtime_dir) {
    return begin("removeAll", runtime_dir).end_object().take();
}

std::string provide(std::string_view request) {
    Answer answer;
    const auto asked = json::parse(request);
    const auto what = asked ? asked->string_or("do", "") : std::string_view();
    if (what == "layOut") {
        lay_out(*asked, answer);
    } else if (what == "remove") {
        remove(*asked, answer);
    } else if (what == "removeAll") {
        answer.note(SpawnStage::Credentials, remove_credentials(text_of(*asked, "runtimeDir"), {}));
    } else {
        answer.note(SpawnStage::Directories, Error{"cannot understand what is to be provided", EINVAL});
    }
    return answer.take();
}

std::vector<ProvisionFailure> failures_in(const std::string& answer) {
    std::vector<ProvisionFailure> failures;
    if (answer.empty()) return failures;
    const auto said = json::parse(answer);
    const auto* list = said ? said->as_array() : nullptr;
    for (const auto& failure : list != nullptr ? *list : json::Value::Array()) {
        const bool directories = failure.string_or("stage", "") == "directories";
        failures.push_back({directories ? SpawnStage::Directories : SpawnStage::Credentials,
                            static_cast<int>(failure.int_or("errno", EIO)), text_of(failure, "text")});
    }
    if (failures.empty()) {
        failures.push_back({SpawnStage::Directories, EIO,
                            "cannot understand what the process that lays out directories and "
                            "credentials said"});
    }
    return failures;
}

}  // namespace procsup
