#include "daemon/host/own_programs.h"

#include <unistd.h>

#include <array>
#include <filesystem>

namespace procsup {

std::string find_own_program(std::string_view name) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
    // "procsup-keeper" is built in keeper/.
    const fs::path built = folder / name.substr(name.rfind('-') + 1) / name;
    const std::array candidates{folder / name, built, folder / "../libexec/procsupd" / name,
                                fs::path(PROCSUP_LIBEXECDIR "/procsupd") / name};
    for (const auto& path : candidates) {
        if (access(path.c_str(), X_OK) == 0) return path.lexically_normal().string();
    }
    return {};
}

}  // namespace procsup
