// Feeds arbitrary bytes to what the logger finds when it begins anew, to what it is told, and to what it tells readers.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/json.h"
#include "common/log_file.h"
#include "common/varlink/test_loop.h"
#include "daemon/logger/pump.h"
#include "daemon/logger/tail.h"

namespace procsup::logger {
namespace {

void require(bool holds) {
    if (!holds) abort();
}

std::string make_place() {
    char name[] = "/tmp/procsup-fuzz-XXXXXX";
    return mkdtemp(name);
}

/// One that takes everything, as fast as it is read.
struct Journal {
    explicit Journal(const std::string& path) : socket(path) {
        sockaddr_un address{AF_UNIX, {}};
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        unlink(path.c_str());
        require(bind(end.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    }
    void read() const {
        char datagram[1];
        while (recv(end.get(), datagram, sizeof(datagram), 0) >= 0) continue;
    }

    Fd end{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    JournalSocket socket;
};

/// What procsupd keeps of a logger, filled with the input.
class World {
public:
    explicit World(std::string_view input) {
        require(pipe2(staging_, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(job_, O_CLOEXEC | O_NONBLOCK) == 0);
        const auto file = Memory::create();
        const auto memory = file ? Memory::map(*file) : Result<Memory*>(Error{});
        require(memory.has_value());
        memory_ = *memory;
        fill(memory_->batches[0], input);
        fill(memory_->batches[1], input);
        fill(memory_->streams[1], input);
        fill(memory_->rest, input);
        const auto some = input.substr(0, 4096);
        require(write(staging_[1], some.data(), some.size()) == static_cast<ssize_t>(some.size()));
        require(write(job_[1], input.data(), std::min<std::size_t>(input.size(), 65536)) >= 0);
    }
    ~World() {
        for (const int fd : {staging_[0], staging_[1], job_[0], job_[1]}) close(fd);
        munmap(memory_, sizeof(Memory));
    }

    void recover(const CapturedStream& settings) {
        Journal journal(settings.dir + "/journal");
        TestLoop loop;
        OwnOutput output(loop, null_.get(), memory_->rest);
        Stream stream(settings, Fd(dup(job_[0])),
                      std::make_shared<LogDir>(settings.dir, std::make_shared<LockedDirs>()), journal.socket, output,
                      memory_->begun[settings.slot]);
        Pump pump(*memory_, Fd(dup(staging_[1])), Fd(dup(staging_[0])),
                  Pump::Hooks{[&](std::uint32_t slot) { return slot == settings.slot ? &stream : nullptr; }});
        pump.adopt(stream, 1);
        pump.recover(1);
        std::size_t bytes = 0;
        const auto moves = [](Pump::Moved moved) { return moved == Pump::Moved::Some || moved == Pump::Moved::HeldUp; };
        do {
            journal.read();
        } while (moves(pump.move(stream, 2, bytes)));
        pump.note_runs(stream);
        pump.end_line(stream, 3);
        journal.read();
        pump.settle_losses(stream, 3);
        last_lines(stream, 0);
        require(!pump.has_waiting(stream));
    }

private:
    /// The head of it; what is behind stays 0.
    template <typename T>
    static void fill(T& place, std::string_view& input) {
        const auto size = std::min<std::size_t>({input.size(), sizeof(T), 512});
        memcpy(static_cast<void*>(&place), input.data(), size);
        input.remove_prefix(size);
    }

    Fd null_{open("/dev/null", O_WRONLY | O_CLOEXEC)};
    int staging_[2], job_[2];
    Memory* memory_ = nullptr;
};

void check_packets(std::string_view text) {
    const auto value = json::parse(text);
    if (!value) return;
    if (const auto file = log_reading::file_of(*value)) {
        const auto again = json::parse(log_reading::file_packet(*file));
        require(again.has_value() && log_reading::file_of(*again).has_value());
    }
    const auto stream = stream_of(*value);
    const auto again = json::parse(stream_packet(stream));
    require(again.has_value() && stream_of(*again->find("stream")) == stream);
    slots_of(*value);
}

}  // namespace
}  // namespace procsup::logger

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace procsup::logger;
    static const std::string place = make_place();
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    check_packets(input);
    if (input.empty()) return 0;
    CapturedStream settings;
    settings.slot = 1;
    settings.job = settings.instance = "web";
    settings.name = "stdout";
    settings.dir = place;
    settings.format = static_cast<procsup::LogFormat>(data[0] % 3);
    settings.retention.max_size = data[0] % 2 == 0 ? 4096 : 0;
    settings.retention.keep = 2;
    if (data[0] % 5 < 2) settings.to = data[0] % 5 == 0 ? Destination::Journal : Destination::Output;
    World(input.substr(1)).recover(settings);
    for (const auto& entry : std::filesystem::directory_iterator(place)) std::filesystem::remove(entry.path());
    return 0;
}
