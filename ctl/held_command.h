#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

#include "common/fd.h"
#include "common/result.h"

namespace procsup::ctl {

/// A command in a process that is there before it may begin, so that something can be held by that process. If procsupctl ends
/// before go(), the process ends too; afterwards it goes on alone.
class HeldCommand {
public:
    explicit HeldCommand(std::span<const std::string_view> words) : words_(words) {}
    ~HeldCommand();
    HeldCommand(const HeldCommand&) = delete;
    HeldCommand& operator=(const HeldCommand&) = delete;

    Result<void> begin();
    pid_t pid() const { return pid_; }
    /// `grant`: the broker's answer, for what the command finds in its environment.
    void go(const std::string& grant);
    /// Until it has ended; it is a zombie then. What ends or interrupts procsupctl goes to it meanwhile.
    void wait();
    /// Its exit code, or 128+N.
    int collect();

private:
    [[noreturn]] void become(const Fd& gate);

    std::span<const std::string_view> words_;
    Fd gate_;
    pid_t pid_ = 0;
};

}  // namespace procsup::ctl
