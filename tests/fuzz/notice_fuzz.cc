// Feeds arbitrary datagrams to what reads the notifications of jobs.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/utf8.h"
#include "daemon/host/notice_text.h"

namespace {

void require(bool holds) {
    if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto notice = procsup::parse_notice({reinterpret_cast<const char*>(data), size});
    require(notice.main_pid >= 0);
    if (notice.extend_timeout) {
        require(*notice.extend_timeout > procsup::Duration::zero());
        // Twice as long from any time on can still be counted.
        require(*notice.extend_timeout < procsup::Duration::max() / 1000);
    }
    if (!notice.status) return 0;
    require(notice.status->size() <= 256);
    require(procsup::is_utf8(*notice.status));
    require(std::none_of(notice.status->begin(), notice.status->end(),
                         [](unsigned char c) { return c < 0x20 || c == 0x7F; }));
    return 0;
}
