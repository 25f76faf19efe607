// Whether what [[sockets]] says goes together, and with the rest of the job.
#include <algorithm>
#include <array>
#include <string>

#include "conf/key_reader.h"
#include "conf/settings_check.h"

namespace procsup {

void SettingsCheck::check_sockets() {
    if (spec_.ends_by_itself()) {
        return report_own(Key::Sockets,
                          "'sockets' are not for a " + type_word() +
                              ", which ends by itself: they are kept open from one run of a service to the next");
    }
    if (!draft_.own(Key::Sockets)) return;
    const auto& sockets = draft_.sockets;
    for (const auto& socket : sockets) {
        if (socket.accept && socket.on_demand)
            problems_.add(socket.on_demand_place,
                          "'sockets.on_demand' excludes 'sockets.accept', which starts nothing without a connection");
        if (socket.max_connections && !socket.accept)
            problems_.add(socket.max_connections_place,
                          "'sockets.max_connections' never takes effect: the program itself accepts connections, "
                          "unless accept = true");
        if (socket.idle_timeout && !socket.on_demand)
            problems_.add(socket.idle_timeout_place,
                          "'sockets.idle_timeout' never takes effect: what is ended is started again only with "
                          "on_demand = true");
    }
    const auto agree = [&](auto member, auto place, const char* key) {
        const SocketDraft* first = nullptr;
        for (const auto& socket : sockets) {
            if (!(socket.*member)) continue;
            if (first == nullptr) first = &socket;
            if (socket.*member != first->*member)
                problems_.add(socket.*place, "'sockets." + std::string(key) +
                                                 "' is one for all sockets of a job: write it at one of them");
        }
    };
    agree(&SocketDraft::max_connections, &SocketDraft::max_connections_place, "max_connections");
    agree(&SocketDraft::idle_timeout, &SocketDraft::idle_timeout_place, "idle_timeout");
    const auto accepting = std::find_if(sockets.begin(), sockets.end(), [](const auto& one) { return one.accept; });
    if (accepting == sockets.end()) return;
    const auto other = std::find_if(sockets.begin(), sockets.end(), [](const auto& one) { return !one.accept; });
    if (other != sockets.end())
        problems_.add(other->place,
                      "'sockets' has one with accept = true and one without, which nobody would be given: "
                      "a job accepts on all of its sockets, or on none");
    check_accepting();
}

/// What runs serves one connection, and the job itself runs nothing.
void SettingsCheck::check_accepting() {
    constexpr std::array<std::pair<Key, const char*>, 25> kOthers{{{Key::Instances, "instances"},
                                                                   {Key::PortBase, "port_base"},
                                                                   {Key::MaxLifetime, "max_lifetime"},
                                                                   {Key::MaxLifetimeVariance, "max_lifetime_variance"},
                                                                   {Key::Watchdog, "watchdog"},
                                                                   {Key::WatchdogSignal, "watchdog_signal"},
                                                                   {Key::DaemonOf, "daemon_of"},
                                                                   {Key::ReloadCommand, "reload_command"},
                                                                   {Key::LogStdin, "log.stdin"},
                                                                   {Key::LogStdout, "log.stdout"},
                                                                   {Key::LogPipeTo, "log.pipe_to"},
                                                                   {Key::ReadyNotify, "ready.notify"},
                                                                   {Key::ReadyFd, "ready.fd"},
                                                                   {Key::ReadyLogLine, "ready.log_line"},
                                                                   {Key::ReadyTcp, "ready.tcp"},
                                                                   {Key::ReadyUnix, "ready.unix"},
                                                                   {Key::ReadyHttp, "ready.http"},
                                                                   {Key::ReadyExec, "ready.exec"},
                                                                   {Key::ReadyFile, "ready.file"},
                                                                   {Key::HealthTcp, "health.tcp"},
                                                                   {Key::HealthUnix, "health.unix"},
                                                                   {Key::HealthHttp, "health.http"},
                                                                   {Key::HealthExec, "health.exec"},
                                                                   {Key::HealthMemoryAbove, "health.memory_above"},
                                                                   {Key::HealthCpuAbove, "health.cpu_above"}}};
    for (const auto& [key, name] : kOthers)
        report_own(key, quoted(name) +
                            " is not for a job with accept = true: each of its runs serves one connection, "
                            "which is its standard input and output, and ends with it");
}

}  // namespace procsup
