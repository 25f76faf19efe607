#include "ctl/logs/source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// A thread costs more than unpacking less than this.
constexpr std::uint64_t kWorthAThread = 256u << 10;

std::int64_t modified_usec(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return kNoTime;
    return std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000;
}

}  // namespace

Source::Source(LogStream& stream, const Wanted& wanted, Range range, std::size_t block, LogStreams::Tell tell)
    : stream_(stream), wanted_(wanted), last_(range.last), block_(block), tell_(std::move(tell)) {
    open(range.first, range.offset);
    format_ = at_ < stream_.files.size() ? stream_.files[at_].file.format : LogFormat::Raw;
}

bool Source::next() {
    for (;;) {
        if (take_line()) {
            if (is_wanted()) return true;
        } else if (!refill()) {
            return false;
        }
    }
}

/// Whether what is searched for is found faster in all of a block than in line by line.
bool Source::skips_blocks() const {
    if (wanted_.grep == nullptr || !wanted_.grep->can_skip()) return false;
    return format_ != LogFormat::Json || wanted_.grep->plain_in_json();
}

bool Source::take_line() {
    if (begin_ == whole_) return false;
    const char* const bytes = buffer_.data();
    std::size_t from = begin_;
    if (skips_blocks()) {
        const auto found = wanted_.grep->find({bytes + begin_, whole_ - begin_});
        if (!found) {
            begin_ = whole_;
            return false;
        }
        const auto* const newline = ::memrchr(bytes + begin_, '\n', *found);
        if (newline != nullptr) from = static_cast<std::size_t>(static_cast<const char*>(newline) - bytes) + 1;
        // The expression can match nothing, and then at the very end.
        if (from == whole_) {
            begin_ = whole_;
            return false;
        }
    }
    const auto* const newline = static_cast<const char*>(::memchr(bytes + from, '\n', whole_ - from));
    const std::size_t to = newline == nullptr ? whole_ : static_cast<std::size_t>(newline - bytes);
    line_.raw = {bytes + from, to - from};
    line_.format = format_;
    line_.ended = newline != nullptr;
    line_.begins = from > 0 || !open_;
    line_.time = line_.begins ? stamps_.time_of(line_.raw, format_) : line_.time;
    begin_ = newline == nullptr ? whole_ : to + 1;
    return true;
}

bool Source::is_wanted() {
    const auto time = line_.time != kNoTime ? line_.time : format_ == LogFormat::Raw ? modified_ : kNoTime;
    key_ = std::max(key_, time);
    if (line_.time != kNoTime && (line_.time < wanted_.since || line_.time > wanted_.until)) return false;
    return wanted_.grep == nullptr || wanted_.grep->matches(text_of(line_, room_));
}

bool Source::refill() {
    if (whole_ > 0) {
        const bool at_boundary = std::exchange(boundary_, 0) > 0;
        open_ = !at_boundary && buffer_[whole_ - 1] != '\n';
        if (at_boundary) format_ = stream_.files[at_].file.format;
        buffer_.erase(0, whole_);
        begin_ = whole_ = searched_ = 0;
    }
    for (;;) {
        if (find_whole_lines()) return true;
        if (!read_more()) break;
    }
    if (!finishing_ || buffer_.empty()) return false;
    whole_ = buffer_.size();
    return true;
}

bool Source::find_whole_lines() {
    if (boundary_ > 0) {
        whole_ = boundary_;
        return true;
    }
    const auto* const newline =
        static_cast<const char*>(::memrchr(buffer_.data() + searched_, '\n', buffer_.size() - searched_));
    searched_ = buffer_.size();
    if (newline != nullptr) whole_ = static_cast<std::size_t>(newline - buffer_.data()) + 1;
    if (newline == nullptr && buffer_.size() >= kMaxLine) whole_ = buffer_.size();
    return whole_ > 0;
}

/// Appends to the buffer; false at the end of all files.
bool Source::read_more() {
    const auto held = buffer_.size();
    bool new_file = false;
    for (;;) {
        // No more than a piece may have, so that pieces are of one size.
        const auto room = held < kMaxLine ? std::min(block_, kMaxLine - held) : block_;
        std::size_t count = 0;
        buffer_.resize(held + room);
        if (opened_) count = read(buffer_.data() + held, room);
        buffer_.resize(held + count);
        if (count > 0) {
            const auto& file = stream_.files[at_].file;
            const auto bytes = std::string_view(buffer_).substr(held);
            if (new_file && held > 0 && (file.format != format_ || begins_line(bytes, file.format))) boundary_ = held;
            if (boundary_ == 0) format_ = file.format;
            return true;
        }
        if (!go_to_next_file()) return false;
        new_file = true;
    }
}

bool Source::is_last_file() const { return at_ + 1 >= stream_.files.size() || at_ >= last_; }

bool Source::go_to_next_file() {
    if (!opened_) {
        open(at_, 0);
        return opened_;
    }
    if (is_last_file()) return false;
    reading_ = std::monostate();
    if (closes_files_) stream_.files[at_].fd.reset();
    open(at_ + 1, 0);
    return true;
}

void Source::open(std::size_t file, std::uint64_t offset) {
    at_ = file;
    opened_ = at_ < stream_.files.size();
    if (!opened_) return;
    const auto& input = stream_.files[at_];
    offset_ = input.file.compressed ? 0 : std::max(offset, input.from);
    modified_ = modified_usec(input.fd.get());
    if (!input.file.compressed) {
        (void)::posix_fadvise(input.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    } else if (input.file.size < kWorthAThread || std::thread::hardware_concurrency() < 2 || block_ < kWorthAThread) {
        reading_ = std::make_unique<Unpacker>(input.fd.get());
    } else {
        reading_ = std::make_unique<ThreadedUnpacker>(input.fd.get());
    }
}

std::size_t Source::read(char* to, std::size_t size) {
    const auto& input = stream_.files[at_];
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, input.to - std::min(input.to, offset_)));
    if (size == 0) return 0;
    const auto count = std::holds_alternative<std::monostate>(reading_) ? read_plain(to, size) : read_packed(to, size);
    offset_ += count;
    return count;
}

/// What comes before the wanted part has to be unpacked too.
std::size_t Source::read_packed(char* to, std::size_t size) {
    for (const auto from = stream_.files[at_].from; offset_ < from;) {
        const auto skipped = unpack(to, static_cast<std::size_t>(std::min<std::uint64_t>(size, from - offset_)));
        if (skipped == 0) return 0;
        offset_ += skipped;
    }
    return unpack(to, size);
}

std::size_t Source::unpack(char* to, std::size_t size) {
    Result<std::size_t> count = std::size_t{0};
    if (auto* const plain = std::get_if<std::unique_ptr<Unpacker>>(&reading_)) {
        count = (*plain)->read(to, size);
    } else if (auto* const threaded = std::get_if<std::unique_ptr<ThreadedUnpacker>>(&reading_)) {
        count = (*threaded)->read(to, size);
    }
    if (count) return *count;
    tell_("warning: " + escaped(stream_.title()) + ": " + count.error().message);
    return 0;
}

std::size_t Source::read_plain(char* to, std::size_t size) {
    const auto& input = stream_.files[at_];
    if (input.file.current && at_ + 1 == stream_.files.size()) {
        size = std::min<std::uint64_t>(size, input.file.size - std::min(input.file.size, offset_));
    }
    if (size == 0) return 0;
    ssize_t count = 0;
    do {
        count = ::pread(input.fd.get(), to, size, static_cast<off_t>(offset_));
    } while (count < 0 && errno == EINTR);
    if (count < 0) tell_("warning: " + escaped(stream_.title()) + ": " + os_failure("read", errno).message);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace procsup::ctl
