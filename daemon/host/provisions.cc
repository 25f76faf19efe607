#include "daemon/host/provisions.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/host/credential_files.h"
#include "daemon/host/helper_output.h"
#include "daemon/host/processes.h"

namespace procsup {
namespace {

constexpr std::size_t kMostAnswer = 1u << 20;

std::string path_of(const JobDir& dir) { return dir.base + "/" + dir.name; }

/// Whether one of them is the other, or in it.
bool overlap(const std::string& a, const std::string& b) {
    const auto is_in = [](const std::string& inner, const std::string& outer) {
        return inner == outer || inner.starts_with(outer + "/");
    };
    return is_in(a, b) || is_in(b, a);
}

}  // namespace

Provisions::Provisions(SdEventLoop& loop, Processes& processes) : loop_(loop), processes_(processes) {}

Provisions::~Provisions() = default;

void Provisions::open(const std::string& runtime_dir, std::vector<std::string> own_dirs) {
    runtime_dir_ = runtime_dir;
    own_dirs_ = std::move(own_dirs);
    std::erase(own_dirs_, std::string());
    if (runtime_dir_.empty()) return;
    if (access((runtime_dir_ + "/" + kCredentials).c_str(), F_OK) == 0) clear();
}

void Provisions::clear() {
    run_helper(clearing_, request_to_remove_all(runtime_dir_), true, [this](const Result<std::string>& answer) {
        tell(answer, "what an earlier procsupd has left");
        std::vector<InstanceId> waiting;
        for (const auto& [id, stand] : stands_) waiting.push_back(id);
        for (const auto id : waiting) settle(id);
    });
}

void Provisions::provide(InstanceId id, Incarnation incarnation, const JobSpec& spec, const InstanceName& name,
                         Provided provided) {
    if (auto fault = own_dir_fault(spec, name)) return provided(std::move(fault));
    if (runtime_dir_.empty() && !spec.credentials.empty()) {
        return provided(
            ProvisionFailure{SpawnStage::Credentials, ENOENT,
                             "cannot lay out its credentials: procsupd could not make a runtime directory, where "
                             "they would be; mount a tmpfs on /run"});
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

/// Goes on with what is to be done for the instance.
void Provisions::settle(InstanceId id) {
    const auto found = stands_.find(id);
    if (found == stands_.end() || found->second.helper || clearing_.helper) return;
    auto& stand = found->second;
    if (stand.next) return lay_out(id, stand);
    ToRemove what;
    if (std::exchange(stand.remove_credentials, false)) {
        what.credentials = stand.instance;
        stand.credentials = false;
    }
    if (std::exchange(stand.remove_dirs, false)) what.dirs = release_dirs(stand);
    if (!what.credentials.empty() || !what.dirs.empty()) return remove(id, stand, what);
    if (!stand.credentials && stand.runtime_dirs.empty()) stands_.erase(found);
}

/// Those of the instance that no other has, itself or something in it: they are removed when the last has stopped.
std::vector<JobDir> Provisions::release_dirs(Stand& stand) {
    auto dirs = std::exchange(stand.runtime_dirs, {});
    for (const auto& dir : dirs) used_.erase(used_.find(path_of(dir)));
    std::erase_if(dirs, [&](const JobDir& dir) {
        const auto path = path_of(dir);
        const auto below = used_.lower_bound(path + "/");
        return used_.contains(path) || (below != used_.end() && below->starts_with(path + "/"));
    });
    return dirs;
}

void Provisions::lay_out(InstanceId id, Stand& stand) {
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
        if (auto order = std::exchange(done.current, std::nullopt)) {
            auto failures = answer ? failures_in(*answer) : std::vector<ProvisionFailure>();
            if (!answer) {
                failures.push_back(
                    {SpawnStage::Credentials, EIO,
                     "the process that lays out directories and credentials failed: " + answer.error().message});
            }
            // What is in the place of one that could not be made is not ours to remove.
            if (!failures.empty() && failures.front().stage == SpawnStage::Directories) forget_dirs(done, added);
            order->provided(failures.empty() ? std::nullopt : std::optional(std::move(failures.front())));
        }
        settle(id);
    };
    run_helper(stand, request_to_lay_out(runtime_dir_, spec, name), false, ended);
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
    run_helper(stand, request_to_remove(runtime_dir_, what), true, [this, id](const Result<std::string>& answer) {
        tell(answer, stands_.at(id).instance);
        settle(id);
    });
}

void Provisions::run_helper(Stand& stand, const std::string& request, bool lasting,
                            std::function<void(const Result<std::string>&)> done) {
    stand.helper = std::make_unique<HelperOutput>(loop_, processes_);
    ++at_work_;
    const auto ended = [this, &stand, done = std::move(done)](const Result<std::string>& answer) {
        --at_work_;
        // Held until the end of this call, which comes from it.
        const auto helper = std::move(stand.helper);
        done(answer);
    };
    auto input = as_file(request);
    if (!input) return ended(input.error());
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
    if (!answer) return on_failure_(of + ": cannot remove directories and credentials: " + answer.error().message);
    for (const auto& failure : failures_in(*answer)) on_failure_(of + ": " + failure.text + "; it is left");
}

}  // namespace procsup
