#include "common/fd.h"

#include <unistd.h>

#include <cerrno>

namespace procsup {

void Fd::reset(int number) {
    if (number_ >= 0) {
        const int saved = errno;
        if (closer_ != nullptr) {
            closer_->close(number_);
        } else {
            // Not repeated on EINTR: Linux has freed the number by then (close(2)).
            ::close(number_);
        }
        errno = saved;
    }
    number_ = number;
    closer_ = nullptr;
}

}  // namespace procsup
