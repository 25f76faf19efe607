#pragma once

/// What the verbs of the table do, one function each; each returns the exit code.
namespace procsup::ctl {

class Session;

// state_verbs.cc, why.cc, history.cc, graph.cc, groups.cc, schedule.cc, tree.cc, top.cc, events.cc, metrics.cc
int status(Session& session);
int status_of_everything(Session& session);  // what `up` ends with
int list(Session& session);
int show(Session& session);
int cat(Session& session);
int why(Session& session);
int history(Session& session);
int graph(Session& session);
int tree(Session& session);
int top(Session& session);
int is_active(Session& session);
int is_failed(Session& session);
int events(Session& session);
int metrics(Session& session);
int groups(Session& session);
int schedule(Session& session);

// apply.cc
int apply(Session& session);
int rollback(Session& session);

// action_verbs.cc
int start(Session& session);
int stop(Session& session);
int restart(Session& session);
int scale(Session& session);
int reload(Session& session);
int signal_jobs(Session& session);
int pause_jobs(Session& session);
int resume(Session& session);
int reset(Session& session);
int wait_for_jobs(Session& session);
int check_health(Session& session);

// logs/logs_verbs.cc
int logs(Session& session);
int rotate_logs(Session& session);

// run_verbs.cc
int run(Session& session);
int exec_like(Session& session);

// lock_verbs.cc
int lock(Session& session);
int release_lock(Session& session);
int list_locks(Session& session);
int break_lock(Session& session);

// semaphore_verbs.cc
int acquire_permits(Session& session);
int release_permits(Session& session);
int list_semaphores(Session& session);
int remove_semaphore(Session& session);

// event_verbs.cc
int set_event(Session& session);
int clear_event(Session& session);
int wait_for_event(Session& session);
int list_events(Session& session);

// value_verbs.cc
int get_value(Session& session);
int set_value(Session& session);
int add_to_value(Session& session);
int compare_and_set_value(Session& session);
int wait_for_value(Session& session);
int list_values(Session& session);
int remove_value(Session& session);

// project_verbs.cc
int up(Session& session);
int down(Session& session);
int check(Session& session);
int schema(Session& session);

// daemon_verbs.cc
int ping(Session& session);
int shut_down(Session& session);
int daemon_status(Session& session);
int version(Session& session);

// help.cc, completion.cc
int help(Session& session);
int print_manual(Session& session);
int completion(Session& session);
int complete(Session& session);
int describe(Session& session);

}  // namespace procsup::ctl
