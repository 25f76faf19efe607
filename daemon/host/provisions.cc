#include "daemon/host/provisions.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/packet_socket.h"
#include "daemon/host/credential_files.h"
#include "daemon/host/helper_output.h"
#include "daemon/host/processes.h"

namespace procsup {
namespace {

constexpr std::size_t kMostAnswer = 1u << 20;
/// They are programs with a memory of their own, of which a boot could start as many as there are jobs.
constexpr std::ptrdiff_t kMostAtWork = 16;
/// One that takes longer no longer keeps others waiting: what it reads is on a file system that hangs, or a pipe.
constexpr auto kHangs = std::chrono::milliseconds(200);

std::string path_of(const JobDir& dir) { return dir.base + "/" + dir.name; }

/// Whether one of them is the other, or in it.
bool overlap(const std::string& a, const std::string& b) {
    const auto is_in = [](const std::string& inner, const std::string& outer) {
        return inner == outer || inner.starts_with(outer + "/");
    };
    return is_in(a, b) || is_in(b, a);
}

/// Whether `path` is one of them, or one of them is in it.
bool reaches_into(const std::string& path, const std::multiset<std::string>& paths) {
    if (paths.contains(path)) return true;
    const auto below = paths.lower_bound(path + "/");
    return below != paths.end() && below->starts_with(path + "/");
}

std::vector<std::string> paths_of(const std::vector<JobDir>& dirs) {
    std::vector<std::string> paths;
    for (const auto& dir : dirs) paths.push_back(path_of(dir));
    return paths;
}

std::vector<std::string> paths_of(const JobSpec& spec, const InstanceName& name) {
    std::vector<std::string> paths;
    for (const auto& dir : spec.dirs) paths.push_back(dir.base + "/" + expand_job(dir.name, name));
    return paths;
}

}  // namespace

Provisions::Provisions(SdEventLoop& loop, Processes& processes) : loop_(loop), processes_(processes), sockets_(loop) {}

Provisions::~Provisions() = default;

void Provisions::open(const std::string& runtime_dir, std::vector<std::string> own_dirs) {
    runtime_dir_ = runtime_dir;
    own_dirs_ = std::move(own_dirs);
    std::erase(own_dirs_, std::string());
    if (runtime_dir_.empty()) return;
    if (access((runtime_dir_ + "/" + kCredentials).c_str(), F_OK) == 0) clear();
}

void Provisions::clear() {
    run_helper(clearing_, request_to_remove_all(runtime_dir_), {}, true, [this](const Result<std::string>& answer) {
        tell(answer, "what an earlier procsupd has left");
        for (auto& [id, stand] : stands_) wait(id, stand, {});
        settle_waiting();
    });
}

void Provisions::provide(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name,
                         Provided provided) {
    if (auto fault = own_dir_fault(spec, name)) return provided(std::move(fault));
    if (auto fault = sockets_.fault(spec)) return provided(std::move(fault));
    if (runtime_dir_.empty() && !spec.credentials.empty()) {
        return provided(
            ProvisionFailure{SpawnStage::Credentials, ENOENT,
                             "cannot lay out its credentials: procsupd could not make a runtime directory, where "
                             "they would be; mount a tmpfs on /run"});
    }
    const bool temporary = std::any_of(spec.dirs.begin(), spec.dirs.end(),
                                       [](const JobDir& dir) { return dir.kind == JobDir::Kind::Runtime; });
    if (runtime_dir_.empty() && temporary) {
        return provided(
            ProvisionFailure{SpawnStage::Directories, ENOENT,
                             "cannot make its runtime directories: procsupd could not make a runtime directory of its "
                             "own, where it notes what it has made; mount a tmpfs on /run"});
    }
    stands_[id].next = Order{incarnation, &spec, &name, std::move(provided)};
    settle(id);
}

bool Provisions::cancel(InstanceId id, Incarnation incarnation) {
    const auto found = stands_.find(id);
    if (found == stands_.end()) return false;
    auto& stand = found->second;
    if (stand.next && stand.next->incarnation == incarnation) {
        stand.next.reset();
        return true;
    }
    if (!stand.current || stand.current->incarnation != incarnation) return false;
    // Whoever comes next waits until it has ended: it must not go on in what that is given.
    stand.current.reset();
    stand.helper->kill();
    return true;
}

void Provisions::run_over(InstanceId id, bool for_good) {
    const auto found = stands_.find(id);
    if (found == stands_.end()) return;
    auto& stand = found->second;
    stand.remove_credentials = stand.credentials;
    stand.remove_dirs = for_good;
    settle(id);
}

void Provisions::needs_nothing(InstanceId id) {
    run_over(id, false);
    const auto found = stands_.find(id);
    if (found == stands_.end() || !sockets_.has(id)) return;
    release_sockets(id, found->second);
    settle(id);
}

void Provisions::release_sockets(InstanceId id, Stand& stand) {
    for (auto& file : sockets_.release(id)) stand.socket_files.push_back(std::move(file));
}

/// Mostly its sockets are there since an earlier run, and nothing else is to be made.
bool Provisions::needs_helper(InstanceId id, const Stand& stand) const {
    const auto& spec = *stand.next->spec;
    const bool former = stand.credentials || !stand.runtime_dirs.empty() || !stand.socket_files.empty();
    return former || !spec.credentials.empty() || !spec.dirs.empty() ||
           !sockets_.work_paths(id, spec, *stand.next->name).empty();
}

std::vector<std::string> Provisions::paths_of_order(InstanceId id, const Stand& stand) const {
    auto paths = paths_of(*stand.next->spec, *stand.next->name);
    for (auto& path : sockets_.work_paths(id, *stand.next->spec, *stand.next->name)) paths.push_back(std::move(path));
    for (const auto& file : stand.socket_files) paths.push_back(file.path);
    return paths;
}

/// Nothing is to be laid out.
void Provisions::has_all(InstanceId id, Stand& stand) {
    const auto order = *std::exchange(stand.next, std::nullopt);
    stand.remove_dirs = false;
    stand.instance = order.name->instance;
    // What this lets go of has no file: that would have been work.
    (void)sockets_.take(id, *order.spec, *order.name);
    order.provided(std::nullopt);
}

/// Goes on with what is to be done for the instance.
void Provisions::settle(InstanceId id) {
    const auto found = stands_.find(id);
    if (found == stands_.end() || found->second.helper || clearing_.helper) return;
    auto& stand = found->second;
    if (stand.next && !needs_helper(id, stand)) return has_all(id, stand);
    if (stand.remove_dirs && !stand.next) release_sockets(id, stand);
    if (is_busy()) return wait(id, stand, {});
    if (stand.next) {
        auto paths = paths_of_order(id, stand);
        if (const auto taken = taken_of(paths)) return wait(id, stand, *taken);
        return lay_out(id, stand, std::move(paths));
    }
    ToRemove what;
    if (std::exchange(stand.remove_credentials, false)) {
        what.credentials = stand.instance;
        stand.credentials = false;
    }
    if (stand.remove_dirs) {
        if (const auto taken = taken_of(paths_of(stand.runtime_dirs))) {
            wait(id, stand, *taken);
        } else {
            stand.remove_dirs = false;
            what.dirs = release_dirs(stand);
        }
    }
    what.sockets = std::exchange(stand.socket_files, {});
    if (!what.empty()) return remove(id, stand, what);
    const bool empty = !stand.credentials && stand.runtime_dirs.empty() && !sockets_.has(id);
    if (empty && !stand.waits_for) stands_.erase(found);
}

void Provisions::wait(InstanceId id, Stand& stand, const std::string& path) {
    if (!stand.waits_for) waiting_.push_back(id);
    stand.waits_for = path;
    look_again();
}

bool Provisions::is_busy() const {
    const auto working = std::distance(begun_.upper_bound(loop_.now() - kHangs), begun_.end());
    return working >= kMostAtWork;
}

/// Whether a helper is at work on it, or on what is in it or above it.
bool Provisions::is_taken(const std::string& path) const {
    if (reaches_into(path, taken_)) return true;
    for (auto end = path.rfind('/'); end != std::string::npos && end > 0; end = path.rfind('/', end - 1)) {
        if (taken_.contains(path.substr(0, end))) return true;
    }
    return false;
}

std::optional<std::string> Provisions::taken_of(const std::vector<std::string>& paths) const {
    const auto taken = std::find_if(paths.begin(), paths.end(), [this](const auto& path) { return is_taken(path); });
    return taken != paths.end() ? std::optional(*taken) : std::nullopt;
}

void Provisions::settle_waiting() {
    // Each has one turn: those that have to wait again keep nobody else waiting.
    auto turns = std::exchange(waiting_, {});
    while (!turns.empty() && !is_busy()) {
        const auto id = turns.front();
        turns.pop_front();
        auto& waits_for = stands_.at(id).waits_for;
        if (!waits_for->empty() && is_taken(*waits_for)) {
            waiting_.push_back(id);
            continue;
        }
        waits_for.reset();
        settle(id);
    }
    waiting_.insert(waiting_.end(), turns.begin(), turns.end());
    look_again();
}

/// Helpers that come to hang keep nobody waiting any longer, though none ends.
void Provisions::look_again() {
    if (waiting_.empty() || !is_busy()) return look_again_.reset();
    if (look_again_) return;
    look_again_ = loop_.call_at(loop_.now() + kHangs, [this] {
        look_again_.reset();
        settle_waiting();
    });
}

/// Those of the instance that no other has, itself or something in it: they are removed when the last has stopped.
std::vector<JobDir> Provisions::release_dirs(Stand& stand) {
    auto dirs = std::exchange(stand.runtime_dirs, {});
    for (const auto& dir : dirs) used_.erase(used_.find(path_of(dir)));
    std::erase_if(dirs, [&](const JobDir& dir) { return reaches_into(path_of(dir), used_); });
    return dirs;
}

void Provisions::lay_out(InstanceId id, Stand& stand, std::vector<std::string> paths) {
    stand.current = std::exchange(stand.next, std::nullopt);
    const JobSpec& spec = *stand.current->spec;
    const InstanceName& name = *stand.current->name;
    stand.instance = name.instance;
    stand.remove_credentials = stand.credentials && spec.credentials.empty();
    stand.remove_dirs = false;
    stand.credentials = stand.credentials || !spec.credentials.empty();
    const auto added = take_dirs(stand, spec, name);
    const auto ended = [this, id, added](const Result<std::string>& answer) {
        auto& done = stands_.at(id);
        receive_sockets(id, done);
        if (auto order = std::exchange(done.current, std::nullopt)) {
            auto failures = answer ? failures_in(*answer) : std::vector<ProvisionFailure>();
            if (!answer) {
                failures.push_back({SpawnStage::Credentials, EIO,
                                    "the process that lays out directories, credentials and sockets failed: " +
                                        answer.error().message});
            }
            // What is in the place of one that could not be made is not ours to remove.
            if (!failures.empty() && failures.front().stage == SpawnStage::Directories) forget_dirs(done, added);
            order->provided(failures.empty() ? std::nullopt : std::optional(std::move(failures.front())));
        }
        settle(id);
    };
    auto work = sockets_.take(id, spec, name);
    work.to_remove.insert(work.to_remove.begin(), stand.socket_files.begin(), stand.socket_files.end());
    stand.socket_files.clear();
    run_helper(stand, request_to_lay_out(runtime_dir_, spec, name, work), std::move(paths), false, ended);
}

void Provisions::receive_sockets(InstanceId id, Stand& stand) {
    if (!stand.channel) return;
    while (auto passed = receive_socket(stand.channel)) sockets_.bound(id, std::move(*passed));
    stand.channel.reset();
}

/// Notes the runtime directories of `spec`; those that were not noted before.
std::vector<JobDir> Provisions::take_dirs(Stand& stand, const JobSpec& spec, const InstanceName& name) {
    std::vector<JobDir> added;
    for (JobDir dir : spec.dirs) {
        dir.name = expand_job(dir.name, name);
        const auto& known = stand.runtime_dirs;
        if (dir.kind != JobDir::Kind::Runtime || std::find(known.begin(), known.end(), dir) != known.end()) continue;
        used_.insert(path_of(dir));
        stand.runtime_dirs.push_back(dir);
        added.push_back(std::move(dir));
    }
    return added;
}

void Provisions::forget_dirs(Stand& stand, const std::vector<JobDir>& dirs) {
    for (const auto& dir : dirs) {
        used_.erase(used_.find(path_of(dir)));
        std::erase(stand.runtime_dirs, dir);
    }
}

void Provisions::remove(InstanceId id, Stand& stand, const ToRemove& what) {
    const auto ended = [this, id](const Result<std::string>& answer) {
        tell(answer, stands_.at(id).instance);
        settle(id);
    };
    auto paths = paths_of(what.dirs);
    for (const auto& file : what.sockets) paths.push_back(file.path);
    run_helper(stand, request_to_remove(runtime_dir_, what), std::move(paths), true, ended);
}

void Provisions::run_helper(Stand& stand, const std::string& request, std::vector<std::string> paths, bool lasting,
                            std::function<void(const Result<std::string>&)> done) {
    stand.helper = std::make_unique<HelperOutput>(loop_, processes_);
    stand.begun = *begun_.insert(loop_.now());
    stand.paths = std::move(paths);
    taken_.insert(stand.paths.begin(), stand.paths.end());
    const auto ended = [this, &stand, done = std::move(done)](const Result<std::string>& answer) {
        begun_.erase(begun_.find(stand.begun));
        for (const auto& path : stand.paths) taken_.erase(taken_.find(path));
        // Held until the end of this call, which comes from it.
        const auto helper = std::move(stand.helper);
        done(answer);
        settle_waiting();
    };
    auto input = as_file(request);
    if (!input) return ended(input.error());
    auto channel = packet_socket_pair();
    if (!channel) return ended(channel.error());
    stand.channel = std::move(channel->first);
    stand.helper->set_error_output(std::move(channel->second));
    auto spec = helper_spec("procsupd --provide", {"--provide"});
    lasting ? stand.helper->run_lasting(std::move(spec), std::move(*input), kMostAnswer, ended)
            : stand.helper->run(std::move(spec), std::move(*input), kMostAnswer, ended);
}

std::optional<ProvisionFailure> Provisions::own_dir_fault(const JobSpec& spec, const InstanceName& name) const {
    for (const auto& dir : spec.dirs) {
        const auto path = dir.base + "/" + expand_job(dir.name, name);
        const bool own =
            std::any_of(own_dirs_.begin(), own_dirs_.end(), [&](const auto& other) { return overlap(path, other); });
        if (own) {
            return ProvisionFailure{SpawnStage::Directories, EBUSY,
                                    "cannot make directory " + path + ": procsupd has it itself"};
        }
    }
    return std::nullopt;
}

void Provisions::tell(const Result<std::string>& answer, const std::string& of) const {
    if (!on_failure_) return;
    if (!answer)
        return on_failure_(of + ": cannot remove directories, credentials and sockets: " + answer.error().message);
    for (const auto& failure : failures_in(*answer)) on_failure_(of + ": " + failure.text + "; it is left");
}

}  // namespace procsup
