#pragma once

#include <span>
#include <string_view>

#include "ctl/socket_path.h"

namespace procsup::ctl {

/// Everything procsupctl does with the words behind its name; returns its exit code.
int invoke(std::span<const std::string_view> words, const Surroundings& surroundings);

}  // namespace procsup::ctl
