#pragma once

#include "conf/job_draft.h"
#include "conf/job_resolver.h"
#include "conf/job_spec.h"

namespace procsup {

/// Where the keys of `draft`, of which `spec` was made, are written; for to_toml_with_places().
KeyPlaces key_places(const JobDraft& draft, const JobSpec& spec, const JobResolver::EnvPlaces& env);

}  // namespace procsup
