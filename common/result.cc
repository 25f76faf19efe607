#include "common/result.h"

#include <cstring>

namespace procsup {

Error os_failure(std::string what, int os_error) {
    const char* const cause = strerrordesc_np(os_error);
    const std::string text = cause != nullptr ? cause : "error " + std::to_string(os_error);
    return Error{"cannot " + std::move(what) + ": " + text, os_error};
}

}  // namespace procsup
