#include "daemon/host/provide.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "common/json.h"
#include "common/packet_socket.h"
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

void write_socket_files(json::Writer& writer, const std::vector<SocketFile>& files) {
    writer.key("removeSockets").begin_array();
    for (const auto& file : files) {
        writer.begin_object().member("path", file.path);
        // As text: an inode can be a number that JSON's have no room for.
        writer.member("device", std::to_string(file.device)).member("inode", std::to_string(file.inode)).end_object();
    }
    writer.end_array();
}

void write_sockets(json::Writer& writer, const std::vector<ListeningSocket>& sockets) {
    writer.key("sockets").begin_array();
    for (const auto& socket : sockets) {
        writer.begin_object().member("listen", socket.listen).member_int("mode", socket.mode);
        writer.member_int("uid", socket.uid).member_int("gid", socket.gid).end_object();
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

std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::vector<SocketFile> socket_files(const json::Value& request) {
    std::vector<SocketFile> files;
    for (const auto& file : list_of(request, "removeSockets"))
        files.push_back({text_of(file, "path"), number_in(text_of(file, "device")), number_in(text_of(file, "inode"))});
    return files;
}

std::string_view word_of(SpawnStage stage) {
    if (stage == SpawnStage::Directories) return "directories";
    return stage == SpawnStage::Sockets ? "sockets" : "credentials";
}

SpawnStage stage_of(std::string_view word) {
    if (word == "directories") return SpawnStage::Directories;
    return word == "sockets" ? SpawnStage::Sockets : SpawnStage::Credentials;
}

class Answer {
public:
    /// Whether it went well.
    bool note(SpawnStage stage, const Result<void>& done) {
        if (done) return true;
        writer_.begin_object().member("stage", word_of(stage));
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

Result<void> bind_and_pass(const ListeningSocket& wanted, std::size_t number) {
    auto bound = bind_socket(wanted);
    if (!bound) return bound.error();
    auto text = std::to_string(number);
    if (const auto& file = bound->file)
        text += " " + std::to_string(file->device) + " " + std::to_string(file->inode) + " " + file->path;
    if (send_packet_with(kSocketChannel, text, bound->fd.get()) == Sent::Yes) return {};
    if (bound->file) (void)remove_socket(*bound->file);
    return os_failure("pass the socket " + wanted.listen + " to procsupd", errno);
}

/// Those of before that are not wanted any more make place for the new ones.
bool lay_out_sockets(const json::Value& request, Answer& answer) {
    for (const auto& file : socket_files(request)) {
        if (!answer.note(SpawnStage::Sockets, remove_socket(file))) return false;
    }
    std::size_t number = 0;
    for (const auto& socket : list_of(request, "sockets")) {
        const ListeningSocket wanted{{},
                                     text_of(socket, "listen"),
                                     static_cast<mode_t>(socket.int_or("mode", 0)),
                                     static_cast<uid_t>(socket.int_or("uid", 0)),
                                     static_cast<gid_t>(socket.int_or("gid", 0))};
        if (!answer.note(SpawnStage::Sockets, bind_and_pass(wanted, number++))) return false;
    }
    return true;
}

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
    if (!lay_out_sockets(request, answer)) return;
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
    for (const auto& file : socket_files(request)) answer.note(SpawnStage::Sockets, remove_socket(file));
    for (const auto& dir : list_of(request, "dirs")) {
        answer.note(SpawnStage::Directories,
                    remove_runtime_dir(runtime_dir, text_of(dir, "base"), text_of(dir, "name")));
    }
}

}  // namespace

std::string request_to_lay_out(const std::string& runtime_dir, const JobSpec& spec, const InstanceName& name,
                               const SocketWork& sockets) {
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
    writer.end_array();
    write_socket_files(writer, sockets.to_remove);
    write_sockets(writer, sockets.to_bind);
    return writer.end_object().take();
}

std::optional<PassedSocket> receive_socket(const Fd& channel) {
    Packet packet;
    while (receive_packet(channel.get(), packet) == Received::Packet) {
        // What a library may say on standard error has none.
        if (packet.fds.size() != 1) continue;
        std::string_view rest = packet.text;
        const auto next = [&] {
            const auto word = rest.substr(0, rest.find(' '));
            rest.remove_prefix(std::min(word.size() + 1, rest.size()));
            return number_in(word);
        };
        PassedSocket passed;
        passed.number = next();
        passed.socket.fd = std::move(packet.fds.front());
        if (rest.empty()) return passed;
        const auto device = next(), inode = next();
        passed.socket.file = SocketFile{std::string(rest), device, inode};
        return passed;
    }
    return std::nullopt;
}

std::string request_to_remove(const std::string& runtime_dir, const ToRemove& what) {
    auto writer = begin("remove", runtime_dir);
    writer.member("instance", what.credentials);
    write_dirs(writer, what.dirs, nullptr);
    write_socket_files(writer, what.sockets);
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
        failures.push_back({stage_of(failure.string_or("stage", "")), static_cast<int>(failure.int_or("errno", EIO)),
                            text_of(failure, "text")});
    }
    if (failures.empty()) {
        failures.push_back({SpawnStage::Directories, EIO,
                            "cannot understand what the process that lays out directories and "
                            "credentials said"});
    }
    return failures;
}

}  // namespace procsup
