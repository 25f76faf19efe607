#include "daemon/control/graph.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "daemon/control/instance_json.h"

namespace procsup {
namespace {

/// Of one answer, in bytes; what goes on comes with the next.
constexpr std::size_t kEnough = std::size_t{1} << 20;
/// Of those that depend on one job.
constexpr std::size_t kMostDependents = 100;

/// What the job is a daemon of; null: nothing.
const Instance* parent_of(const Supervisor& supervisor, const Job& job) {
    for (const auto& instance : job.instances) {
        if (const auto* parent = supervisor.parent_of(instance->id())) return parent;
    }
    return nullptr;
}

bool parents_run(const Supervisor& supervisor, const Job& job) {
    return std::all_of(job.instances.begin(), job.instances.end(), [&](const auto& instance) {
        const auto* parent = supervisor.parent_of(instance->id());
        return parent == nullptr || is_executing(parent->state());
    });
}

const Job* job_of(const Supervisor& supervisor, const Instance& instance) {
    const auto found = supervisor.jobs().find(instance.name().job);
    return found == supervisor.jobs().end() ? nullptr : &found->second;
}

std::string_view kind_of(const Link& link, const Job& job) {
    switch (link.kind) {
        case Link::Kind::Wants: return "wants";
        case Link::Kind::Requires: return "requires";
        case Link::Kind::Group: return "group";
        case Link::Kind::After: break;
    }
    const auto& after = job.spec->dependencies.after;
    return std::find(after.begin(), after.end(), link.to->spec->name) != after.end() ? "after" : "before";
}

/// Both of two jobs may say the same of their order.
bool is_said_before(const std::vector<Link>& links, const Link& link) {
    return link.kind == Link::Kind::After && std::any_of(links.data(), &link, [&](const Link& other) {
               return other.kind == link.kind && other.to == link.to;
           });
}

void write_links(json::Writer& writer, const Supervisor& supervisor, const Job& job) {
    writer.key("links").begin_array();
    for (const auto& link : job.links) {
        if (is_said_before(job.links, link)) continue;
        writer.begin_object().member("to", link.to->spec->name).member("kind", kind_of(link, job));
        if (link.kind == Link::Kind::Requires) {
            writer.member("condition", word_of(link.condition)).member("onRestart", word_of(link.on_restart));
        }
        writer.member_bool("met", look_at(link).met).end_object();
    }
    if (const auto* parent = parent_of(supervisor, job)) {
        writer.begin_object().member("to", parent->name().job).member("kind", "daemon_of");
        writer.member_bool("met", parents_run(supervisor, job)).end_object();
    }
    writer.end_array();
}

std::string name_of(const Supervisor& supervisor, InstanceId id) {
    if (const auto* instance = supervisor.find(id)) return instance->name().instance;
    const auto former = supervisor.former_starts().find(id);
    return former == supervisor.former_starts().end() ? std::string() : former->second.instance;
}

void write_first_start(json::Writer& writer, const Supervisor& supervisor, const FirstStart& first) {
    if (first.wanted == TimePoint()) return;
    const auto time = [&](std::string_view name, TimePoint when) {
        if (when != TimePoint()) writer.member_int(name, (when - supervisor.booted()).count());
    };
    writer.key("firstStart").begin_object();
    time("wantedUSec", first.wanted);
    time("startedUSec", first.began);
    time("readyUSec", first.ready);
    time("failedUSec", first.failed);
    if (const auto other = name_of(supervisor, first.waited_for); !other.empty()) writer.member("waitedFor", other);
    writer.member_bool("atBoot", first.wanted == supervisor.booted()).end_object();
}

/// The jobs that were asked for and all that they depend on, as far as the caller may know them.
class Chosen {
public:
    Chosen(const ControlContext& context, const varlink::Peer& peer, const std::vector<const Instance*>& asked)
        : supervisor_(context.supervisor) {
        for (const auto* instance : asked) {
            const auto* job = job_of(supervisor_, *instance);
            if (job != nullptr && asked_.insert(job).second) add(*job);
        }
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            for (const auto* other : above(*jobs_[i])) {
                if (context.access.allows(peer, Tier::Read, other->spec.get())) add(*other);
            }
        }
        find_steps();
    }

    /// In the order in which they can be started.
    const std::vector<const Job*>& jobs() const { return jobs_; }
    bool is_asked(const Job& job) const { return asked_.contains(&job); }
    std::int64_t step(const Job& job) const { return steps_.at(&job); }

private:
    void add(const Job& job) {
        if (steps_.emplace(&job, 1).second) jobs_.push_back(&job);
    }

    std::vector<const Job*> above(const Job& job) const {
        std::vector<const Job*> others;
        for (const auto& link : job.links) others.push_back(link.to);
        const auto* parent = parent_of(supervisor_, job);
        if (const auto* its = parent == nullptr ? nullptr : job_of(supervisor_, *parent)) others.push_back(its);
        return others;
    }

    /// A rank is that of links alone: a daemon comes behind its parent all the same.
    void find_steps() {
        const auto by_name = [](const Job* a, const Job* b) { return a->spec->name < b->spec->name; };
        std::sort(jobs_.begin(), jobs_.end(), by_name);
        std::stable_sort(jobs_.begin(), jobs_.end(), [](const Job* a, const Job* b) { return a->rank < b->rank; });
        constexpr int kMostDaemonsOfDaemons = 64;
        bool moved = true;
        for (int pass = 0; moved && pass < kMostDaemonsOfDaemons; ++pass) {
            moved = false;
            for (const auto* job : jobs_) moved = move_behind(*job, above(*job)) || moved;
        }
        std::stable_sort(jobs_.begin(), jobs_.end(), [&](const Job* a, const Job* b) { return step(*a) < step(*b); });
    }

    bool move_behind(const Job& job, const std::vector<const Job*>& others) {
        auto& own = steps_.at(&job);
        const auto before = own;
        for (const auto* other : others) {
            const auto known = steps_.find(other);
            if (known != steps_.end()) own = std::max(own, known->second + 1);
        }
        return own != before;
    }

    const Supervisor& supervisor_;
    std::set<const Job*> asked_;
    std::vector<const Job*> jobs_;
    std::unordered_map<const Job*, std::int64_t> steps_;
};

void write_job(json::Writer& writer, const Supervisor& supervisor, const Job& job, const Chosen& chosen) {
    writer.begin_object().member("name", job.spec->name).member_int("step", chosen.step(job));
    writer.member_bool("asked", chosen.is_asked(job));
    writer.member_bool("oneshot", job.spec->type == JobType::Oneshot);
    write_links(writer, supervisor, job);
    writer.key("instances").begin_array();
    for (const auto& instance : job.instances) {
        writer.begin_object().member("name", instance->name().instance);
        writer.member("state", to_text(instance->state())).member_bool("ready", instance->ready());
        if (instance->awaits_readiness()) writer.member("awaits", instance->awaited());
        write_first_start(writer, supervisor, instance->first_start());
        writer.end_object();
    }
    writer.end_array().end_object();
}

void write_former_starts(json::Writer& writer, const Supervisor& supervisor) {
    writer.key("former").begin_array();
    for (const auto& [id, former] : supervisor.former_starts()) {
        writer.begin_object().member("name", former.instance).member("job", former.job);
        writer.member_bool("oneshot", former.oneshot);
        write_first_start(writer, supervisor, former.start);
        writer.end_object();
    }
    writer.end_array();
}

/// Of those that depend on a job in one way, the first, and how many there are besides.
struct Names {
    std::vector<std::string> first;
    std::int64_t omitted = 0;

    bool empty() const { return first.empty(); }
    void add(const std::string& name) {
        if (first.size() < kMostDependents) {
            first.push_back(name);
        } else {
            ++omitted;
        }
    }
    void write(json::Writer& writer, std::string_view member) const {
        writer.key(member).begin_array();
        for (const auto& name : first) writer.string(name);
        writer.end_array();
        if (omitted > 0) writer.member_int(std::string(member) + "Omitted", omitted);
    }
};

/// That need a job, and that are only started after it.
struct Dependents {
    Names needing, following;
};

Dependents dependents_of(const ControlContext& context, const varlink::Peer& peer, const Job& job) {
    const auto may_know = [&](const JobSpec& spec) { return context.access.allows(peer, Tier::Read, &spec); };
    Dependents found;
    for (const auto* other : job.dependents) {
        if (!may_know(*other->spec)) continue;
        const bool needs = std::any_of(other->links.begin(), other->links.end(), [&](const Link& link) {
            return link.to == &job && link.kind != Link::Kind::After && link.kind != Link::Kind::Group;
        });
        (needs ? found.needing : found.following).add(other->spec->name);
    }
    std::set<std::string> daemons;
    for (const auto& instance : job.instances) {
        for (const auto id : context.supervisor.daemons_of(instance->id())) {
            const auto* child = context.supervisor.find(id);
            if (child != nullptr && may_know(child->spec())) daemons.insert(child->name().job);
        }
    }
    for (const auto& name : daemons) found.needing.add(name);
    return found;
}

}  // namespace

void graph(const ControlContext& context, varlink::PendingCall call) {
    const auto asked = selected_or_all(context, call);
    if (!asked) return;
    const auto asked_from = call.parameters().int_or("from", 0);
    if (asked_from < 0) return call.fail_invalid_parameter("from");
    const Chosen chosen(context, call.peer(), *asked);
    const auto& jobs = chosen.jobs();
    auto at = std::min(static_cast<std::size_t>(asked_from), jobs.size());
    json::Writer writer;
    writer.begin_object();
    if (context.supervisor.booted() != TimePoint()) {
        writer.member_int("bootUSec", wall_usec(context.host, context.supervisor.booted()));
    }
    writer.key("jobs").begin_array();
    for (; at < jobs.size() && writer.text().size() < kEnough; ++at) {
        write_job(writer, context.supervisor, *jobs[at], chosen);
    }
    writer.end_array();
    const bool all = !has_names(call) && asked_from == 0 && context.access.allows(call.peer(), Tier::Read);
    if (all && !context.supervisor.former_starts().empty()) write_former_starts(writer, context.supervisor);
    if (at < jobs.size()) writer.member_int("next", static_cast<std::int64_t>(at));
    call.reply(writer.end_object().text());
}

void write_dependencies(json::Writer& writer, const ControlContext& context, const varlink::Peer& peer,
                        const std::vector<InstanceId>& ids) {
    writer.key("dependencies").begin_array();
    std::set<const Job*> known;
    for (const auto id : ids) {
        const auto* instance = context.supervisor.find(id);
        const auto* job = instance == nullptr ? nullptr : job_of(context.supervisor, *instance);
        if (job == nullptr || !known.insert(job).second) continue;
        const auto dependents = dependents_of(context, peer, *job);
        const bool none = job->links.empty() && parent_of(context.supervisor, *job) == nullptr;
        if (none && dependents.needing.empty() && dependents.following.empty()) continue;
        writer.begin_object().member("job", job->spec->name);
        write_links(writer, context.supervisor, *job);
        dependents.needing.write(writer, "neededBy");
        dependents.following.write(writer, "before");
        writer.end_object();
    }
    writer.end_array();
}

}  // namespace procsup
