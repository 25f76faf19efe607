// Feeds arbitrary bytes to everything that reads what a peer of the control socket has sent: the JSON reader, calls and
// replies, the interface language, and a whole server connection.

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "common/utf8.h"
#include "common/varlink/description.h"
#include "common/varlink/message.h"
#include "common/varlink/server.h"
#include "common/varlink/test_loop.h"

namespace procsup::varlink {
namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// What was read is written, and what was written is read, always with the same text.
void check_json(std::string_view text) {
    const auto value = json::parse(text);
    if (value) {
        const auto written = json::to_text(*value);
        const auto again = json::parse(written);
        require(again.has_value() && json::to_text(*again) == written && is_utf8(written));
    }
    const auto quoted = json::Writer().string(text).take();
    require(json::parse(quoted).has_value());
}

void check_messages(std::string_view text) {
    if (const auto call = parse_call(text)) {
        const auto written = call_message(call->method, json::to_text(call->parameters), call->more, call->oneway);
        const auto again = parse_call(std::string_view(written).substr(0, written.size() - 1));
        require(again.has_value() && again->method == call->method && again->more == call->more);
    }
    if (const auto reply = parse_reply(text); reply && !reply->error.empty()) {
        const auto written = error_message(reply->error, json::to_text(reply->parameters));
        require(parse_reply(std::string_view(written).substr(0, written.size() - 1)).has_value());
    }
}

constexpr std::string_view kDescription = R"(interface org.example.test
type Part (name: string, size: ?int, kind: (small, large))
method Echo(text: ?string) -> (text: ?string)
method Keep(parts: []Part, by_name: ?[string]Part, any: ?object) -> ()
method Stream(count: ?int) -> (number: int)
)";

/// A server with one connected client, on a loop of its own.
class Fixture {
public:
    Fixture() : server_(loop_, {}, limits()) {
        Interface interface {
            "org.example.test", std::string(kDescription), {}
        };
        interface.methods["Echo"] = [](PendingCall call) { call.reply(json::to_text(call.parameters())); };
        interface.methods["Keep"] = [this](PendingCall call) { kept_.push_back(std::move(call)); };
        interface.methods["Stream"] = [](PendingCall call) {
            if (call.call().more) call.reply_continues("{}");
            call.reply("{}");
        };
        server_.add_interface(std::move(interface));
        Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        // Without a name: the kernel picks one in the abstract namespace.
        require(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)) == 0);
        require(::listen(listener.get(), 4) == 0);
        socklen_t size = sizeof address;
        require(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        require(::connect(client_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
        server_.listen(std::move(listener));
    }

    void send(std::string_view bytes) {
        if (client_ && !bytes.empty())
            (void)::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        settle();
    }
    void half_close() {
        ::shutdown(client_.get(), SHUT_WR);
        settle();
    }
    void answer_kept() {
        const auto calls = std::exchange(kept_, {});
        for (auto call : calls) call.reply();
        settle();
    }
    void forget_kept() {
        kept_.clear();
        settle();
    }
    void close() {
        client_.reset();
        answer_kept();
        settle();
        require(server_.connection_count() == 0);
    }

private:
    static Limits limits() {
        Limits limits;
        limits.message = 2000;
        return limits;
    }
    void settle() { require(loop_.run_while_busy(2000) < 2000); }

    TestLoop loop_;
    std::vector<PendingCall> kept_;
    Server server_;
    Fd client_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
};

/// The input is sent in pieces; the byte before each says how long it is and what happens after it.
void check_connection(std::string_view input) {
    Fixture fixture;
    while (!input.empty()) {
        const auto control = static_cast<unsigned char>(input[0]);
        input.remove_prefix(1);
        const auto piece = input.substr(0, (control & 31u) * 8u);
        input.remove_prefix(piece.size());
        fixture.send(piece);
        switch (control >> 5) {
            case 1: fixture.answer_kept(); break;
            case 2: fixture.forget_kept(); break;
            case 3: fixture.half_close(); break;
            case 4: fixture.send(std::string_view("\0", 1)); break;
            default: break;
        }
    }
    fixture.close();
}

}  // namespace
}  // namespace procsup::varlink

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace procsup::varlink;
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_json(text);
    check_messages(text);
    (void)Description::parse(text);
    if (data[0] == '\n') check_connection(text.substr(1));  // a minority: system calls are slow
    return 0;
}
