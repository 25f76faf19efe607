// For each line "ZONE TIME EXPRESSION" of its input, TIME in seconds since 1970: the first moment after that, "never", or why there is none.
#include <cstdint>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "conf/cron.h"

int main() {
    using namespace procsup;
    std::map<std::string, Zone> zones;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string name, text;
        std::int64_t time = 0;
        words >> name >> time >> std::ws;
        std::getline(words, text);
        auto known = zones.find(name);
        if (known == zones.end()) {
            auto zone = load_zone(name, std::nullopt);
            if (!zone) {
                std::cout << zone.error().message << '\n';
                continue;
            }
            known = zones.emplace(name, std::move(*zone)).first;
        }
        const auto cron = parse_cron(text);
        if (!cron) {
            std::cout << cron.error().message << '\n';
            continue;
        }
        const auto next = next_after(*cron, known->second, std::chrono::sys_seconds(std::chrono::seconds(time)));
        if (next) {
            std::cout << next->time_since_epoch().count() << '\n';
        } else {
            std::cout << "never\n";
        }
    }
}
