#pragma once

#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.h"
#include "common/result.h"
#include "conf/job_draft.h"
#include "conf/job_spec.h"
#include "conf/resource_limits.h"
#include "conf/tree_limits.h"

namespace procsup {

/// What this kernel, user and container let one procsupd do for its jobs. By default everything, so what is not known (of an
/// older procsupd) is not complained of.
struct Abilities {
    std::uint64_t capabilities = ~std::uint64_t{0};          ///< effective ones: bit N for capability number N
    std::array<rlim_t, kResourceLimits.size()> hard_limits;  ///< in the order of kResourceLimits
    bool raises_limits = true;                               ///< above these
    bool is_root = false;  ///< of the first user namespace, whose processes RLIMIT_NPROC does not hold (fork(2))
    rlim_t most_open_files = RLIM_INFINITY;  ///< fs.nr_open, which nobody may pass
    int least_nice = -20;
    int most_realtime = 99;  ///< priority; 0: no real-time scheduling
    bool realtime_io = true;
    int least_oom_score = -1000;
    std::vector<int> cpus;  ///< sorted; empty: not known
    ControllerFaults controller_faults;
    int mounts_error = 0;  ///< errno with which mounts of its own are refused to a job; 0: it can have them
    int landlock = 1000;   ///< version of its ABI; 0: there is none

    Abilities() { hard_limits.fill(RLIM_INFINITY); }

    friend bool operator==(const Abilities&, const Abilities&) = default;
};

/// One setting of a job that cannot be enforced.
struct Shortfall {
    Key key;
    std::string value;   ///< as in a file: 1048576
    std::string reason;  ///< "above the hard limit 20000, and procsupd lacks CAP_SYS_RESOURCE"

    friend bool operator==(const Shortfall&, const Shortfall&) = default;
};

/// What of `spec` a procsupd with these abilities cannot enforce, in the order of the keys.
std::vector<Shortfall> shortfalls(const JobSpec& spec, const Abilities& abilities);

/// "limits.open_files = 1048576: above the hard limit …"
std::string to_text(const Shortfall& shortfall);
/// "limits.open_files", as messages call a key.
std::string key_path(Key key);
/// Whether `key` stands in [sandbox].
bool is_of_sandbox(Key key);
/// Whether the job is not to be started when `key` cannot be enforced.
bool is_strict(const JobSpec& spec, Key key);
/// The value of a key that shortfalls() names as it stands in a file; empty: it is not set.
std::string limit_setting(const JobSpec& spec, Key key);

/// As io.procsupd.Manager.GetAbilities and `procsupd --abilities` have it.
void write_json(json::Writer& writer, const Abilities& abilities);
/// Members that are not there stay as by default.
Result<Abilities> read_abilities(const json::Value& value);

}  // namespace procsup
