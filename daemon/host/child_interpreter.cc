#include "daemon/host/child_interpreter.h"

#include <elf.h>
#include <fcntl.h>

#include <cstdint>

#include "common/raw_syscall.h"

namespace procsup {
namespace {

bool read_at(long fd, void* to, std::size_t size, std::uint64_t at) {
    return raw_syscall(SYS_pread64, fd, to, size, at) == static_cast<long>(size);
}

template <typename Header, typename Segment>
void read_loader(long fd, char* name, std::size_t size) {
    constexpr unsigned kMostSegments = 64;
    Header header;
    if (!read_at(fd, &header, sizeof(header), 0)) return;
    for (unsigned i = 0; i < header.e_phnum && i < kMostSegments; ++i) {
        Segment segment;
        if (!read_at(fd, &segment, sizeof(segment), header.e_phoff + std::uint64_t{i} * sizeof(segment))) return;
        if (segment.p_type != PT_INTERP) continue;
        const std::size_t length = segment.p_filesz < size ? segment.p_filesz : size - 1;
        name[read_at(fd, name, length, segment.p_offset) ? length : 0] = '\0';
        return;
    }
}

/// `name` has the beginning of the file.
void keep_named(char* name, std::size_t length) {
    std::size_t from = 2, to = 0;
    while (from < length && (name[from] == ' ' || name[from] == '\t')) ++from;
    while (from < length && name[from] != ' ' && name[from] != '\t' && name[from] != '\n' && name[from] != '\0') {
        name[to++] = name[from++];
    }
    name[to] = '\0';
}

}  // namespace

void read_interpreter(const char* program, char* name, std::size_t size) {
    name[0] = '\0';
    // A FIFO or a device is no program, and is not waited for.
    const long fd = raw_syscall(SYS_openat, AT_FDCWD, program, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return;
    const long got = raw_syscall(SYS_pread64, fd, name, size - 1, 0);
    const auto begins = [&](const char* mark, long length) {
        for (long i = 0; i < length; ++i) {
            if (got <= i || name[i] != mark[i]) return false;
        }
        return true;
    };
    const bool elf = got > EI_CLASS && begins(ELFMAG, SELFMAG);
    const char bits = elf ? name[EI_CLASS] : '\0';
    if (begins("#!", 2)) {
        keep_named(name, static_cast<std::size_t>(got));
    } else {
        name[0] = '\0';
        if (bits == ELFCLASS64) read_loader<Elf64_Ehdr, Elf64_Phdr>(fd, name, size);
        if (bits == ELFCLASS32) read_loader<Elf32_Ehdr, Elf32_Phdr>(fd, name, size);
    }
    raw_syscall(SYS_close, fd);
}

}  // namespace procsup
