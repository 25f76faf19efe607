#pragma once

#include "conf/expand.h"
#include "conf/job_resolver.h"

namespace procsup {

/// What the parts of JobResolver hand to each other.
struct JobResolver::Job {
    const JobDraft& draft;
    JobSpec spec;
    EnvPlaces& env_places;
    PlaceholderScope scope;
    InstanceName first;              ///< the first instance, for what is looked up once
    std::optional<UserEntry> entry;  ///< whom it runs as, when that user is in the database
    uid_t uid = 0;
    bool uses_port = false;

    Place key_place(Key key) const { return draft.mark(key).place; }
};

}  // namespace procsup
