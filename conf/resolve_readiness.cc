// What is run to find out whether a job is ready: procsup-probe, with arguments that say where to look.
#include <sys/un.h>

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
    if (job.spec.type == JobType::Oneshot) ready = {};
    if (!ready.is_declared()) return;
    if (!job.draft.written(Key::ReadyTimeout)) ready.timeout = job.spec.start_timeout;
    if (ready.kind != Readiness::Kind::Fd) ready.fd = -1;
    if (ready.kind == Readiness::Kind::Notify || ready.kind == Readiness::Kind::Fd) return;
    if (ready.kind == Readiness::Kind::Exec) {
        const auto command = resolve_words(job, "ready.exec", job.draft.ready_command);
        if (command.empty()) return;
        ready.target = command.argv.front();
    } else {
        const auto& target = job.draft.ready_target;
        if (target.place.file == nullptr) return;  // reported when it was read
        ready.target = prepare(job, target);
        for (const auto& value : values_of(job, ready.target)) check_target(job, value, target.place);
    }
    if (ready.kind != Readiness::Kind::LogLine) ready.probe.argv = probe_words(job, ready.target);
}

void JobResolver::check_target(const Job& job, const std::string& value, const Place& place) {
    std::string fault;
    const auto kind = job.spec.readiness.kind;
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
    if (!fault.empty()) problems_.add(place, "'ready." + std::string(word_of(kind)) + "': " + fault);
}

std::vector<std::string> JobResolver::probe_words(Job& job, const std::string& target) {
    const auto& ready = job.spec.readiness;
    std::vector<std::string> words{
        "procsup-probe",     "--interval", milliseconds(ready.interval),   "--timeout",
        milliseconds(kLook), "--report",   std::to_string(kProbeReportFd), std::string(word_of(ready.kind))};
    const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
    if (ready.kind == Readiness::Kind::Tcp) {
        const auto address = split_address(target);
        add({address.host, address.port});
    } else if (ready.kind == Readiness::Kind::Http) {
        const auto page = split_page(target).value_or(Page{});
        add({page.address.host, page.address.port, page.host_header, page.path});
    } else if (ready.kind == Readiness::Kind::Exec) {
        const auto command = resolve_words(job, "ready.exec", job.draft.ready_command);
        words.emplace_back("--");
        words.push_back(command.program.empty() ? command.argv.front() : command.program);
        words.insert(words.end(), command.argv.begin() + 1, command.argv.end());
    } else {
        words.push_back(target);
    }
    return words;
}

}  // namespace procsup
