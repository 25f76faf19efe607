#include <sys/resource.h>

#include <cerrno>

#include "ctl/clock.h"
#include "ctl/handlers.h"
#include "ctl/logs/log_viewer.h"
#include "ctl/session.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

/// Each file of each job is a descriptor.
void allow_many_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int logs(Session& session) {
    auto query = LogQuery::of(session.line(), realtime_usec());
    if (!query) {
        session.out().error(query.error().message);
        return kUsage;
    }
    allow_many_descriptors();
    return LogViewer(session, std::move(*query)).run();
}

int rotate_logs(Session& session) {
    if (!session.call("io.procsupd.Log.Rotate", names_parameters(session.line()))) return session.exit_code();
    return kSuccess;
}

}  // namespace procsup::ctl
