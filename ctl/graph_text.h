#pragma once

#include <string>
#include <vector>

#include "common/json.h"
#include "ctl/job_graph.h"
#include "ctl/output.h"

/// How jobs that depend on each other are shown. Pure.
namespace procsup::ctl {

/// "requires db (ready), migrate (exited_ok, not yet); wants cache; after proxy"; empty: nothing.
std::string needs_text(const std::vector<JobLink>& links, const Output& out);

/// Of an object of the member `dependencies` of Manager.Status: its needs, and who needs it; some of many.
std::string dependencies_text(const json::Value& dependencies, const Output& out);

/// A line for each job, in the order in which they can be started. Unless `whole`, only jobs that depend on others or others on them,
/// and how many there are besides.
std::string graph_table(const JobGraph& graph, bool whole, const Output& out);

/// The same for Graphviz: an arrow from each job to what it depends on. What is on `path` is marked.
std::string graph_dot(const JobGraph& graph, bool whole, const std::vector<CriticalStep>& path);

/// A line for each step of the path, which is not empty, and what else was to be started and is not ready.
std::string critical_text(const JobGraph& graph, const std::vector<CriticalStep>& path, bool of_asked,
                          const Output& out);

}  // namespace procsup::ctl
