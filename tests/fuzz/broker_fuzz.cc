// Lets arbitrary bytes decide what happens to locks and semaphores, and compares with the model.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/broker/core/lockstep.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto* const end = data + size;
    procsup::broker::Lockstep run([&](std::uint32_t below) { return data == end ? 0 : *data++ % below; });
    while (data != end) {
        if (!run.step().empty()) abort();
    }
    if (!run.finish().empty()) abort();
    return 0;
}
