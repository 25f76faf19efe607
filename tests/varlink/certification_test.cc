#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "certification_service.h"
#include "common/varlink/client.h"
#include "common/varlink/test_loop.h"

namespace procsup::varlink {
namespace {

constexpr const char* kOtherProgram = "/usr/bin/varlink-go-certification";

/// A directory of its own that is removed with everything in it.
class Directory {
public:
    Directory() {
        std::string name = testing::TempDir() + "varlink-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::string socket() const { return path_ + "/socket"; }

private:
    std::string path_;
};

/// varlink-go-certification as a child; killed at the end if it still runs.
class OtherProgram {
public:
    explicit OtherProgram(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), kOtherProgram);
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        started_ = ::posix_spawn(&pid_, kOtherProgram, nullptr, nullptr, argv.data(), environ) == 0;
    }
    ~OtherProgram() {
        if (!started_ || status_) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    OtherProgram(const OtherProgram&) = delete;
    OtherProgram& operator=(const OtherProgram&) = delete;

    bool started() const { return started_; }
    bool ended() {
        int status = 0;
        if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
        return status_.has_value();
    }
    int status() const { return status_.value_or(-1); }

private:
    pid_t pid_ = -1;
    bool started_ = false;
    std::optional<int> status_;
};

Fd listening_socket(const std::string& path) {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket.get(), 16), 0);
    return socket;
}

std::string with_client_id(json::Value parameters, std::string_view id) {
    json::Writer text;
    text.begin_object().member("client_id", id);
    for (const auto& [name, value] : *parameters.as_object()) {
        if (name != "client_id") text.key(name).value(value);
    }
    return text.end_object().take();
}

TEST(VarlinkCertification, OurServerSatisfiesTheGoClient) {
    if (::access(kOtherProgram, X_OK) != 0) GTEST_SKIP() << "varlink-go is not installed";
    const Directory directory;
    TestLoop loop;
    CertificationService service;
    Server server(loop, {});
    server.add_interface(service.interface());
    server.listen(listening_socket(directory.socket()));

    OtherProgram client({"-client", "-varlink", "unix:" + directory.socket()});
    ASSERT_TRUE(client.started());
    ASSERT_TRUE(loop.run_until([&client] { return client.ended(); }));

    EXPECT_EQ(client.status(), 0);
    EXPECT_TRUE(service.all_ok());
}

/// Calls one method as the certification demands; its answer is what the next one takes.
Result<Reply> take_step(Client& client, std::string_view name, const std::string& parameters,
                        json::Value::Array& many) {
    const std::string method = "org.varlink.certification." + std::string(name);
    if (name != "Test10") return client.call(method, parameters);
    return client.call_more(method, parameters, [&many](const Reply& reply) {
        many.emplace_back(std::string(reply.parameters.string_or("string", "")));
        return true;
    });
}

TEST(VarlinkCertification, OurClientSatisfiesTheGoServer) {
    if (::access(kOtherProgram, X_OK) != 0) GTEST_SKIP() << "varlink-go is not installed";
    const Directory directory;
    OtherProgram server({"-varlink", "unix:" + directory.socket()});
    ASSERT_TRUE(server.started());
    TestLoop loop;
    std::optional<Client> client;
    ASSERT_TRUE(loop.run_until([&] {
        auto connected = Client::connect(directory.socket());
        if (connected) client.emplace(std::move(*connected));
        return client.has_value() || server.ended();
    }));
    ASSERT_TRUE(client.has_value());

    std::string id;
    json::Value last{json::Value::Object()};
    for (const auto& step : certification_steps()) {
        const auto parameters = step.method == "Start" ? std::string()
                                : step.method == "End" ? with_client_id(json::Value(json::Value::Object()), id)
                                                       : with_client_id(last, id);
        if (step.method == "Test11") {
            ASSERT_TRUE(client->send_oneway("org.varlink.certification.Test11", parameters));
            continue;
        }
        json::Value::Array many;
        const auto reply = take_step(*client, step.method, parameters, many);
        ASSERT_TRUE(reply) << step.method << ": " << reply.error().message;
        ASSERT_EQ(reply->error, "") << step.method << ": " << json::to_text(reply->parameters);
        if (step.method == "Start") id = reply->parameters.string_or("client_id", "");
        last = step.method == "Start" ? json::Value(json::Value::Object()) : reply->parameters;
        if (step.method == "Test10") last = json::Value(json::Value::Object{{"last_more_replies", std::move(many)}});
    }
    EXPECT_TRUE(last.bool_or("all_ok", false));
}

}  // namespace
}  // namespace procsup::varlink
