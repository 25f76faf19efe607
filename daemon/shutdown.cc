#include "daemon/shutdown.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

namespace procsup {
namespace {

/// After shutdown_timeout everything is killed; what is still there this much later cannot be ended by anyone.
constexpr auto kAfterKill = std::chrono::seconds(5);

}  // namespace

void Shutdown::ask(std::string cause) {
    if (cause_.empty()) cause_ = std::move(cause);
}

void Shutdown::ask(int code, std::string cause) {
    if (!cause_.empty()) return;
    exit_code_ = code;
    cause_ = std::move(cause);
}

void Shutdown::begin(Duration timeout) {
    begun_ = true;
    parts_.log.info("shutting down: " + cause_);
    const auto now = parts_.loop.now();
    parts_.supervisor.shut_down("shutdown: " + cause_, now);
    if (timeout != kForever) timeout_ = parts_.loop.call_at(now + timeout, [this] { overdue(); });
}

std::string Shutdown::remaining() const {
    std::string text;
    for (const auto& [name, job] : parts_.supervisor.jobs()) {
        for (const auto* instance : all_of(job)) {
            if (is_live(instance->state()))
                text += fmt::format(" {} (pid {})", instance->name().instance, instance->pid());
        }
    }
    return text;
}

void Shutdown::overdue() {
    if (!killed_all_) {
        killed_all_ = true;
        parts_.log.warn("shutdown_timeout passed; killing what remains:" + remaining());
        parts_.supervisor.kill_all();
        timeout_ = parts_.loop.call_at(parts_.loop.now() + kAfterKill, [this] { overdue(); });
        return;
    }
    parts_.log.error("ending although these cannot be killed:" + remaining());
    end_(exit_code_ != 0 ? exit_code_ : EXIT_FAILURE);
}

void Shutdown::end_when_nothing_is_left(Guard* guard, BrokerProcess* broker) {
    if (guard != nullptr) guard->retire();
    if (broker != nullptr) broker->finish();
    const bool coordinating = broker != nullptr && !broker->finished();
    const bool strays = parts_.processes.end_strays();
    parts_.records.finish();
    const bool saving = parts_.store.saving() || parts_.records.saving();
    if (!strays && !saving) parts_.loggers.finish();
    const bool removing = parts_.processes.provisions().at_work();
    const bool helpers = parts_.processes.end_helpers();
    if (!saving && !helpers && !strays && !removing && !coordinating && parts_.loggers.finished()) {
        end_(exit_code_);
    } else if (!ending_) {
        ending_ = parts_.loop.call_at(parts_.loop.now() + kAfterKill, [this] {
            parts_.log.error("ending although " + unfinished());
            const bool output_waits = !parts_.loggers.finished();
            end_(exit_code_ == 0 && output_waits ? EXIT_FAILURE : exit_code_);
        });
    }
}

std::string Shutdown::unfinished() const {
    if (parts_.store.saving()) return "what is to be remembered is not on the disk yet in " + parts_.store.dir();
    if (parts_.records.saving()) return "the history of runs is not in its files yet in " + parts_.records.dir();
    if (!parts_.loggers.finished()) return "what jobs have written has not all been taken yet; procsup-logger goes on";
    if (parts_.processes.provisions().at_work())
        return "not all credentials and runtime directories of jobs are removed";
    return "orphans are left that cannot be killed";
}

}  // namespace procsup
