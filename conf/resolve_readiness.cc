// What is run to find out whether a job is ready, and stays well: procsup-probe, with arguments that say where to look.
#include <sys/un.h>

#include <algorithm>
#include <utility>

#include "common/regex.h"
#include "conf/address.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {
namespace {

/// One look takes no longer.
constexpr auto kLook = std::chrono::milliseconds(2000);

std::string milliseconds(Duration duration) {
    return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

std::string expression_fault(const std::string& expression) {
    const auto fault = regex_fault(expression);
    if (!fault) return {};
    if (expression.size() > kLongestRegex)
        return quoted(expression) + " " + *fault + ": write what is peculiar to the line";
    return quoted(expression) + ": " + *fault + ": write \\ in front of what means itself, and the whole in '...'";
}

}  // namespace

void JobResolver::resolve_readiness(Job& job) {
    auto& ready = job.spec.readiness;
    // Of [defaults]: a mistake in the job itself was told.
    if (job.spec.ends_by_itself()) ready = {};
    if (!ready.is_declared()) return;
    if (!job.draft.written(Key::ReadyTimeout)) ready.timeout = job.spec.start_timeout;
    if (ready.kind != Readiness::Kind::Fd) ready.fd = -1;
    if (ready.kind == Readiness::Kind::Notify || ready.kind == Readiness::Kind::Fd) return;
    resolve_look(job, "ready", job.draft.ready,
                 {"--interval", milliseconds(ready.interval), "--timeout", milliseconds(kLook)}, ready);
}

void JobResolver::resolve_health(Job& job) {
    auto& health = job.spec.health;
    if (job.spec.ends_by_itself()) health = {};
    if (!health.is_declared()) return;
    if (!job.draft.written(Key::HealthOf)) health.of = std::max(health.of, health.failures);
    if (!health.look.is_declared()) return;
    resolve_look(job, "health", job.draft.health,
                 {std::string(kWatchOption), "--interval", milliseconds(health.look.interval), "--timeout",
                  milliseconds(health.look.timeout), "--grace", milliseconds(health.grace), "--failures",
                  std::to_string(health.failures), "--of", std::to_string(health.of), "--successes",
                  std::to_string(health.successes)},
                 health.look);
}

void JobResolver::resolve_look(Job& job, std::string_view section, const JobDraft::Look& draft, Words options,
                               Readiness& look) {
    JobCommand command;
    if (look.kind == Readiness::Kind::Exec) {
        command = resolve_words(job, std::string(section) + ".exec", draft.command);
        if (command.empty()) return;
        look.target = command.argv.front();
    } else {
        if (draft.target.place.file == nullptr) return;  // reported when it was read
        look.target = prepare(job, draft.target);
        for (const auto& value : values_of(job, look.target))
            check_target(section, look.kind, value, draft.target.place);
    }
    if (look.kind == Readiness::Kind::LogLine) return;
    auto& words = look.probe.argv = {"procsup-probe"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--report", std::to_string(kProbeReportFd), std::string(word_of(look.kind))});
    for (auto& word : target_words(look, command)) words.push_back(std::move(word));
}

void JobResolver::check_target(std::string_view section, Readiness::Kind kind, const std::string& value,
                               const Place& place) {
    std::string fault;
    if (kind == Readiness::Kind::Tcp) {
        fault = address_fault(split_address(value));
    } else if (kind == Readiness::Kind::Http) {
        const auto page = split_page(value);
        fault = page ? address_fault(page->address)
                     : quoted(value) + " does not begin with http://; for anything else write exec = [\"curl\", …]";
        if (page && page->path.find_first_of(" \t\r\n") != std::string::npos) fault = "has a space in its path";
    } else if (kind == Readiness::Kind::Unix && value.size() >= sizeof(sockaddr_un::sun_path)) {
        fault = quoted(value) + " is longer than a socket's path can be";
    } else if (kind == Readiness::Kind::LogLine) {
        fault = expression_fault(value);
    }
    if (fault.empty()) return;
    problems_.add(place, "'" + std::string(section) + "." + std::string(word_of(kind)) + "': " + fault);
}

/// Where it is to look, behind the word for how.
JobResolver::Words JobResolver::target_words(const Readiness& look, const JobCommand& command) {
    if (look.kind == Readiness::Kind::Tcp) {
        const auto address = split_address(look.target);
        return {address.host, address.port};
    }
    if (look.kind == Readiness::Kind::Http) {
        const auto page = split_page(look.target).value_or(Page{});
        return {page.address.host, page.address.port, page.host_header, page.path};
    }
    if (look.kind != Readiness::Kind::Exec) return {look.target};
    Words words{"--", command.program.empty() ? command.argv.front() : command.program};
    words.insert(words.end(), command.argv.begin() + 1, command.argv.end());
    return words;
}

}  // namespace procsup
