#include "daemon/logger/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace procsup::logger {

static_assert(std::atomic<Phase>::is_always_lock_free);

Result<Fd> Memory::create() {
    // Pages that were never written take no memory.
    Fd file(memfd_create("procsup-logger", MFD_CLOEXEC));
    if (!file || ftruncate(file.get(), sizeof(Memory)) < 0)
        return os_failure("make the memory of procsup-logger", errno);
    return file;
}

Result<Memory*> Memory::map(const Fd& file) {
    void* const place = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (place == MAP_FAILED) return os_failure("map the memory of procsup-logger", errno);
    return static_cast<Memory*>(place);
}

}  // namespace procsup::logger
