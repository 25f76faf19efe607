#include "daemon/host/process_table.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <unordered_map>
#include <vector>

#include "common/json.h"

namespace procsup {
namespace {

/// All trees together; what is beyond is only counted.
constexpr std::size_t kMostListed = 20000;
constexpr std::size_t kLongestCommand = 200;

struct Row {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    char state = '?';
    std::string name;
    std::int64_t cpu_usec = 0;
    std::int64_t collected_cpu_usec = 0;  ///< of children that it has collected
    std::int64_t threads = 0;
    std::int64_t resident = 0;      ///< bytes
    std::int64_t started_usec = 0;  ///< CLOCK_REALTIME
};

std::string contents(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::int64_t boot_time_usec() {
    timespec real{}, boot{};
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (real.tv_sec - boot.tv_sec) * 1'000'000 + (real.tv_nsec - boot.tv_nsec) / 1000;
}

/// Everything that runs, from one pass over /proc.
class ProcessTable {
public:
    ProcessTable() {
        const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir("/proc"), &closedir);
        while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
            const auto pid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
            if (pid > 0) add(pid);
        }
        for (const auto& [pid, row] : rows_) children_[row.parent].push_back(pid);
        for (auto& [pid, children] : children_) std::sort(children.begin(), children.end());
    }

    const Row* find(pid_t pid) const {
        const auto found = rows_.find(pid);
        return found == rows_.end() ? nullptr : &found->second;
    }
    const std::map<pid_t, Row>& rows() const { return rows_; }
    std::vector<pid_t> children_of(pid_t pid) const {
        const auto found = children_.find(pid);
        return found == children_.end() ? std::vector<pid_t>() : found->second;
    }
    /// All below `root`, without it.
    void add_below(pid_t root, std::set<pid_t>& members) const {
        std::vector<pid_t> todo{root};
        while (!todo.empty()) {
            const pid_t pid = todo.back();
            todo.pop_back();
            for (const pid_t child : children_of(pid)) {
                if (members.insert(child).second) todo.push_back(child);
            }
        }
    }

private:
    void add(pid_t pid) {
        const auto text = contents(fmt::format("/proc/{}/stat", pid));
        const auto open = text.find('('), close = text.rfind(')');
        if (open == std::string::npos || close == std::string::npos || close + 2 > text.size()) return;
        Row row;
        row.pid = pid;
        row.name = text.substr(open + 1, close - open - 1);
        std::istringstream fields(text.substr(close + 2));
        std::int64_t skipped = 0, user = 0, system = 0, started = 0;
        fields >> row.state >> row.parent >> skipped >> row.session;
        for (int field = 7; field <= 13; ++field) fields >> skipped;
        std::int64_t child_user = 0, child_system = 0, pages = 0;
        fields >> user >> system >> child_user >> child_system;
        for (int field = 18; field <= 19; ++field) fields >> skipped;
        fields >> row.threads >> skipped >> started >> skipped >> pages;
        row.resident = pages * page_;
        row.collected_cpu_usec = (child_user + child_system) * 1'000'000 / ticks_;
        row.cpu_usec = (user + system) * 1'000'000 / ticks_;
        row.started_usec = boot_ + started * 1'000'000 / ticks_;
        rows_.emplace(pid, std::move(row));
    }

    const std::int64_t ticks_ = sysconf(_SC_CLK_TCK);
    const std::int64_t page_ = sysconf(_SC_PAGESIZE);
    const std::int64_t boot_ = boot_time_usec();
    std::map<pid_t, Row> rows_;
    std::unordered_map<pid_t, std::vector<pid_t>> children_;
};

std::string command_of(const Row& row) {
    std::string text = contents(fmt::format("/proc/{}/cmdline", row.pid)).substr(0, kLongestCommand);
    while (!text.empty() && text.back() == '\0') text.pop_back();
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text.empty() ? "[" + row.name + "]" : text;
}

void add_group(const std::filesystem::path& directory, std::set<pid_t>& members) {
    std::ifstream processes(directory / "cgroup.procs");
    for (pid_t pid = 0; processes >> pid;) members.insert(pid);
    std::error_code error;
    for (const auto& below : std::filesystem::directory_iterator(directory, error)) {
        if (below.is_directory(error)) add_group(below.path(), members);
    }
}

/// The group of the run, and those that earlier runs were allowed to leave behind ("web~2.job" beside "web.job").
void add_groups(const std::filesystem::path& place, std::set<pid_t>& members) {
    add_group(place, members);
    const auto earlier = place.stem().string() + "~";
    std::error_code error;
    for (const auto& other : std::filesystem::directory_iterator(place.parent_path(), error)) {
        if (other.path().filename().string().starts_with(earlier)) add_group(other.path(), members);
    }
}

std::vector<pid_t> pids_in(const json::Value& object, std::string_view key) {
    std::vector<pid_t> pids;
    const auto* list = object.find(key);
    if (list == nullptr || list->as_array() == nullptr) return pids;
    for (const auto& value : *list->as_array()) {
        if (const auto* pid = value.as_int()) pids.push_back(static_cast<pid_t>(*pid));
    }
    return pids;
}

std::set<pid_t> members_of(const json::Value& tree, const ProcessTable& table) {
    std::set<pid_t> members;
    const auto place = tree.string_or("place", "");
    const auto main = static_cast<pid_t>(tree.int_or("main", 0));
    if (!place.empty()) {
        add_groups(std::string(place), members);
        // Zombies are listed in no group: they are found below the members that do not collect them.
        for (const pid_t member : std::set<pid_t>(members)) {
            for (const pid_t child : table.children_of(member)) {
                if (table.find(child)->state == 'Z') members.insert(child);
            }
        }
    } else {
        for (const pid_t root : pids_in(tree, "roots")) table.add_below(root, members);
        if (tree.string_or("containment", "") == "group" && main > 0) {
            for (const auto& [pid, row] : table.rows()) {
                if (row.session == main) members.insert(pid);
            }
        }
    }
    if (main > 0 && table.find(main) != nullptr) members.insert(main);
    return members;
}

class Report {
public:
    explicit Report(const ProcessTable& table) : table_(table) {}

    /// `first`: those that were made for the instance, not by others of its processes.
    void add_processes(const std::set<pid_t>& members, const std::vector<pid_t>& first) {
        std::size_t omitted = 0;
        writer_.key("processes").begin_array();
        for (const pid_t pid : members) {
            const auto* row = table_.find(pid);
            if (row == nullptr) continue;
            if (listed_++ >= kMostListed) {
                ++omitted;
                continue;
            }
            writer_.begin_object().member_int("pid", pid).member_int("parent", row->parent);
            writer_.member("state", std::string(1, row->state)).member("command", command_of(*row));
            writer_.member_int("startedUSec", row->started_usec).member_int("cpuUSec", row->cpu_usec);
            const bool has_parent =
                members.contains(row->parent) || std::find(first.begin(), first.end(), pid) != first.end();
            writer_.member_bool("orphan", !has_parent).end_object();
        }
        writer_.end_array().member_int("omitted", static_cast<std::int64_t>(omitted));
    }
    void add_sums(const std::set<pid_t>& members) {
        std::int64_t cpu = 0, memory = 0, tasks = 0;
        for (const pid_t pid : members) {
            const auto* row = table_.find(pid);
            if (row == nullptr) continue;
            cpu += row->cpu_usec + row->collected_cpu_usec;
            memory += row->resident;
            tasks += row->threads;
        }
        writer_.member_int("cpuUSec", cpu).member_int("memory", memory).member_int("tasks", tasks);
    }
    json::Writer& writer() { return writer_; }

private:
    const ProcessTable& table_;
    json::Writer writer_;
    std::size_t listed_ = 0;
};

}  // namespace

Result<std::string> list_processes(std::string_view request) {
    const auto asked = json::parse(request);
    if (!asked) return asked.error();
    const ProcessTable table;
    Report report(table);
    auto& writer = report.writer();
    const bool sums = asked->bool_or("sums", false);
    std::set<pid_t> known;
    for (const pid_t pid : pids_in(*asked, "known")) known.insert(pid);
    writer.begin_object().key("trees").begin_array();
    const auto* trees = asked->find("trees");
    for (const auto& tree :
         trees != nullptr && trees->as_array() != nullptr ? *trees->as_array() : json::Value::Array()) {
        const auto members = members_of(tree, table);
        known.insert(members.begin(), members.end());
        writer.begin_object().member("name", tree.string_or("name", "")).member("job", tree.string_or("job", ""));
        writer.member("containment", tree.string_or("containment", "")).member("place", tree.string_or("place", ""));
        const auto main = static_cast<pid_t>(tree.int_or("main", 0));
        if (main > 0) writer.member_int("main", main);
        if (sums) {
            report.add_sums(members);
        } else {
            report.add_processes(members, pids_in(tree, "first"));
        }
        writer.end_object();
    }
    if (sums) return writer.end_array().end_object().take();
    writer.end_array().key("strays").begin_object();
    std::set<pid_t> strays;
    const auto daemon = static_cast<pid_t>(asked->bool_or("all", false) ? asked->int_or("daemon", 0) : 0);
    for (const pid_t child : daemon > 0 ? table.children_of(daemon) : std::vector<pid_t>()) {
        if (!known.contains(child) && child != getpid()) strays.insert(child);
    }
    for (const pid_t stray : std::set<pid_t>(strays)) table.add_below(stray, strays);
    report.add_processes(strays, {});
    return writer.end_object().end_object().take();
}

ZombieCount zombies_in(const std::string& listed) {
    ZombieCount result;
    const auto value = json::parse(listed);
    const auto* trees = value ? value->find("trees") : nullptr;
    if (trees == nullptr || trees->as_array() == nullptr || trees->as_array()->empty()) return result;
    const auto* processes = trees->as_array()->front().find("processes");
    if (processes == nullptr || processes->as_array() == nullptr) return result;
    std::map<std::int64_t, std::uint32_t> by_parent;
    std::map<std::int64_t, std::string_view> commands;
    for (const auto& process : *processes->as_array()) {
        commands[process.int_or("pid", 0)] = process.string_or("command", "");
        if (process.string_or("state", "") != "Z") continue;
        ++result.count;
        ++by_parent[process.int_or("parent", 0)];
    }
    const auto most = std::max_element(by_parent.begin(), by_parent.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most != by_parent.end()) result.neglected_by = fmt::format("{} ({})", most->first, commands[most->first]);
    return result;
}

}  // namespace procsup
