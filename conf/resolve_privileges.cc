// Whether procsupd can give a job the rights that it asks for.
#include "conf/job_resolver.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {
namespace {

constexpr int kSetPcap = 8;

}  // namespace

void JobResolver::check_privileges(Job& job) {
    const auto& privileges = job.spec.privileges;
    const auto own = surroundings_.own_capabilities();
    const auto without =
        surroundings_.own_uid() == 0 ? " without CAP_SETPCAP, which procsupd does not have" : " without root";
    if (privileges.capabilities && (own & capability_bit(kSetPcap)) == 0) {
        problems_.add(job.key_place(Key::Capabilities), std::string("cannot limit capabilities") + without);
    }
    if (privileges.ambient == 0) return;
    const auto place = job.key_place(Key::AmbientCapabilities);
    if (job.uid == 0) {
        if (job.draft.own(Key::AmbientCapabilities) && !job.draft.outranks(Key::User, Key::AmbientCapabilities)) {
            problems_.add(place,
                          "'sandbox.ambient_capabilities' never takes effect: the job runs as root, which has all of "
                          "'sandbox.capabilities'; set 'user'");
        } else {
            job.spec.privileges.ambient = 0;
        }
        return;
    }
    const auto beyond = privileges.ambient & ~privileges.capabilities.value_or(privileges.ambient);
    if (beyond != 0) {
        problems_.add(place, "'sandbox.ambient_capabilities' has " + capabilities_text(beyond) +
                                 ", which 'sandbox.capabilities' does not have");
    }
    // What only a newer kernel knows is told at the start.
    const auto lacking = privileges.ambient & ~own & surroundings_.known_capabilities();
    if (lacking != 0) {
        problems_.add(place, "cannot give " + capabilities_text(lacking) +
                                 (surroundings_.own_uid() == 0 ? ", which procsupd does not have" : " without root"));
    }
}

}  // namespace procsup
