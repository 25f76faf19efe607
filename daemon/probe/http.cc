#include "daemon/probe/http.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>

#include "common/raw_syscall.h"
#include "daemon/keeper/clock.h"

namespace procsup::probe {
namespace {

constexpr long kMostReceived = 4096;
/// For the rest of an answer: a server whose client is gone while it writes may complain, and the job's log is full of that.
constexpr std::int64_t kTimeForRest = 50 * keeper::kMillisecond;

iovec piece(const char* text) {
    std::size_t size = 0;
    while (text[size] != '\0') ++size;
    return {const_cast<char*>(text), size};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether a status line can begin so.
bool is_http(const char* text, long size) {
    constexpr char kForm[] = "HTTP/#.# ###";  // a digit for each #
    constexpr long kFormSize = sizeof(kForm) - 1;
    for (long i = 0; i < size && i < kFormSize; ++i) {
        if (kForm[i] == '#' ? !is_digit(text[i]) : text[i] != kForm[i]) return false;
    }
    return size <= kFormSize || text[kFormSize] == ' ' || text[kFormSize] == '\r' || text[kFormSize] == '\n';
}

}  // namespace

bool Http::fail(const char* what, long errno_value) {
    Line& reason = attempt_.reason;
    reason.clear();
    called_.put_into(reason) << what;
    if (errno_value != 0) reason.cause(errno_value);
    return false;
}

/// The time is over.
bool Http::give_up() {
    fail(" did not answer");
    attempt_.add_patience();
    return false;
}

bool Http::send_request() {
    iovec pieces[] = {piece("GET "), piece(line_.path), piece(" HTTP/1.1\r\nHost: "), piece(line_.host),
                      piece("\r\nUser-Agent: procsup-probe\r\nConnection: close\r\n\r\n")};
    constexpr std::size_t kPieces = sizeof(pieces) / sizeof(pieces[0]);
    for (std::size_t first = 0; first < kPieces;) {
        msghdr message;
        message.msg_name = message.msg_control = nullptr;
        message.msg_namelen = 0;
        message.msg_controllen = 0;
        message.msg_flags = 0;
        message.msg_iov = pieces + first;
        message.msg_iovlen = kPieces - first;
        const long sent = raw_syscall(SYS_sendmsg, connection_.fd(), &message, MSG_NOSIGNAL);
        if (sent == -EAGAIN) {
            if (!connection_.await(POLLOUT)) return give_up();
            continue;
        }
        // Who has answered and closed before it has read all still has answered.
        if (sent == -EPIPE || sent == -ECONNRESET) return true;
        if (sent < 0) return fail(": cannot send the request", -sent);
        auto rest = static_cast<std::size_t>(sent);
        for (; first < kPieces && rest >= pieces[first].iov_len; ++first) rest -= pieces[first].iov_len;
        if (first == kPieces) break;
        pieces[first].iov_base = static_cast<char*>(pieces[first].iov_base) + rest;
        pieces[first].iov_len -= rest;
    }
    return true;
}

/// What has come, or -errno.
long Http::receive() {
    char text[512] = {};
    const long left = kMostReceived - received_;
    const long size = raw_syscall(SYS_recvfrom, connection_.fd(), text,
                                  left < static_cast<long>(sizeof(text)) ? left : static_cast<long>(sizeof(text)),
                                  MSG_DONTWAIT, nullptr, nullptr);
    for (long i = 0; i < size && received_ + i < kStatusSize; ++i) status_[received_ + i] = text[i];
    if (size > 0) received_ += size;
    if (size <= 0 && size != -EAGAIN) at_end_ = true;
    return size;
}

bool Http::read_status() {
    while (received_ < kStatusSize) {
        const long size = receive();
        if (size == -EAGAIN) {
            if (!connection_.await(POLLIN)) return give_up();
            continue;
        }
        if (size < 0) return fail(": cannot read the answer", -size);
        if (size == 0)
            return fail(received_ == 0 ? " closed the connection without an answer" : " answered, but not with HTTP");
        if (!is_http(status_, received_ < kStatusSize ? received_ : kStatusSize))
            return fail(" answered, but not with HTTP");
    }
    return true;
}

void Http::let_end() {
    const std::int64_t until = keeper::monotonic_now() + kTimeForRest;
    while (!at_end_ && received_ < kMostReceived) {
        if (receive() == -EAGAIN && !connection_.await(POLLIN, until < attempt_.deadline ? until : attempt_.deadline))
            return;
    }
}

bool Http::judge() {
    constexpr int kFirstGood = 200, kBehindGood = 400, kStatusAt = 9;
    int status = 0;
    for (int i = 0; i < 3; ++i) status = status * 10 + (status_[kStatusAt + i] - '0');
    if (status >= kFirstGood && status < kBehindGood) return true;
    fail(" answered ");
    attempt_.reason << status;
    return false;
}

bool Http::ask() {
    if (!send_request() || !read_status()) return false;
    let_end();
    attempt_.cut_short = false;
    return judge();
}

}  // namespace procsup::probe
