// What follows the end of a run of an instance.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "common/signal_name.h"
#include "conf/limits_behind.h"
#include "conf/resource_limits.h"
#include "conf/tree_limits.h"
#include "daemon/engine/instance.h"

namespace procsup {
namespace {

/// As much of what a job says of itself as has a place in a cause.
std::string beginning_of(const std::string& words) {
    constexpr std::size_t kMost = 200;
    if (words.size() <= kMost) return words;
    std::size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0) == 0x80) --end;
    return words.substr(0, end) + "…";
}

std::string size_text(const TreeLimit& limit) {
    return limit.value == TreeLimit::kUnlimited ? "unlimited" : exact_size(limit.value);
}

}  // namespace

/// No process of this run is left, but perhaps some of the command beside it, which has nothing to do any more.
void Instance::run_ended(Context& context) {
    pid_ = 0;
    told_ = {};
    said_last_ = ready_ || stop_asked_ ? std::string() : beginning_of(status_text_);
    status_text_.clear();
    if (sides_.empty()) {
        after_run(context);
        return;
    }
    run_over_ = true;
    enter(State::Stopping, end_text() + "; ending " + std::string(to_text(sides_.front().role)), context);
    ends_by_itself_ = stop_held_ = false;
    end_sides(context);
}

void Instance::settle_end(Context& context) {
    if (taken_down_) return settle_undone(context);
    ++runs_ended_;
    ++results_[static_cast<std::size_t>(result())];
    over_ = run_exit_.has_value();
    note_past_run(context);
    limits_behind_.clear();
    if (!stop_asked_) {
        if (run_exit_) limits_behind_ = limits_behind_end(*spec_, *run_exit_);
        if (start_stage_ == SpawnStage::Exec) limits_behind_ = limits_behind_error(*spec_, start_error_);
        settle_unasked_end(run_end(), context);
    } else if (wanted_) {
        start_run(pending_cause_, context);
    } else if (!fails_with_.empty()) {
        fail(fails_with_ + "; " + end_text(), std::nullopt, context);
    } else {
        enter(State::Stopped, pending_cause_ + "; " + end_text(), context);
    }
}

RunEnd Instance::run_end() const { return {run_exit_, timed_out_, uptime_, run_exit_ && last_run_->out_of_memory}; }

bool Instance::may_be_mended() const {
    if (state_ != State::Stopping || stop_asked_ || !wanted_) return false;
    if (!run_exit_ && !failure_ && start_stage_ == SpawnStage::None) return false;
    const auto end = run_end();
    return failure_ || !is_success(spec_->restart, end) || wants_restart(spec_->restart, end);
}

void Instance::note_past_run(const Context& context) {
    start_over_ = true;
    past_run_ = std::make_unique<PastRun>();
    past_run_->began = began_;
    past_run_->ended = run_exit_ ? last_run_->when : context.now;
    past_run_->start_cause = start_cause_;
    past_run_->end_cause = stop_cause_.empty() ? end_text() : stop_cause_ + "; " + end_text();
    past_run_->failed = !stop_asked_ && !is_success(spec_->restart, run_end());
}

void Instance::settle_unasked_end(const RunEnd& end, Context& context) {
    if (listens_ && end.status && is_success(spec_->restart, end)) return listen_again(context);
    // What procsupd is able to do does not change while it runs.
    if (start_stage_ != SpawnStage::Enforce && wants_restart(spec_->restart, end)) {
        schedule_restart(end, context);
        return;
    }
    if (!is_success(spec_->restart, end)) {
        fail(end_text(), spec_->essential ? std::optional(exit_code()) : std::nullopt, context);
        return;
    }
    const bool essential = spec_->essential;
    enter(State::Exited, end_text(), context);
    if (essential) context.actions.push_back(EndDaemonAction{0});
}

void Instance::schedule_restart(const RunEnd& end, Context& context) {
    const auto& policy = spec_->restart;
    const bool quick = end.uptime < policy.min_uptime || !end.status || (!ready_ && !is_ready_at_once());
    if (quick) {
        ++quick_deaths_;
    } else if (end.uptime > policy.reset) {
        quick_deaths_ = 0;
    }
    if (!starts_.admit(policy.start_limit, context.now)) {
        std::optional<int> end_code;
        if (spec_->essential || policy.on_exhausted == OnExhausted::Exit) {
            end_code = is_success(policy, end) ? 0 : exit_code();
        }
        fail("start_limit (" + to_text(policy.start_limit) + ") reached; last: " + end_text(), end_code, context);
        return;
    }
    const auto delay =
        quick ? with_jitter(restart_delay(policy, quick_deaths_), policy.jitter, context.random) : Duration::zero();
    // What that is for the other members of its group is settled first.
    const bool at_once = delay == Duration::zero() && spec_->membership.group.empty();
    if (at_once) {
        ++restarts_;
        start_run("restarted after " + end_text(), context);
        return;
    }
    next_start_ = context.now + delay;
    enter(State::Backoff, end_text(), context);
    arm(TimerKind::Backoff, delay, context);
}

int Instance::exit_code() const {
    if (held_back_) return 1;
    if (timed_out_) return 124;
    if (run_exit_) return run_exit_->shell_code();
    return start_error_ == ENOENT ? 127 : 126;
}

void Instance::forget_failures() {
    restarts_ = 0;
    quick_deaths_ = 0;
    starts_.clear();
}

/// How the main process of this run has ended.
std::string Instance::exit_text() const {
    const auto text = to_text(*run_exit_);
    const auto& oom = last_run_->account.oom;
    if (oom.count == 0) return text;
    const auto* limit = oom.by_limit ? find_tree_limit(*spec_, TreeLimit::Kind::MemoryMax) : nullptr;
    const auto why = limit == nullptr ? std::string("by the kernel's OOM killer")
                                      : "out of memory (memory_max = " + size_text(*limit) + ")";
    if (last_run_->out_of_memory) return text + ": " + why;
    return fmt::format("{} ({} of its processes killed: {})", text, oom.count, why);
}

std::string Instance::end_text() const {
    std::string text;
    if (start_stage_ != SpawnStage::None && !start_text_.empty()) {
        text = start_text_;
    } else if (start_stage_ == SpawnStage::Cancelled) {
        text = describe(start_stage_, *spec_);
    } else if (start_stage_ != SpawnStage::None) {
        text = "cannot " + describe(start_stage_, *spec_) + ": " + strerrordesc_np(start_error_);
    } else {
        text = run_exit_        ? exit_text()
               : preparing_     ? "pre_start was ended"
               : listens_first_ ? "it had only begun to listen"
                                : "ended";
    }
    const auto codes = stop_asked_ ? std::string_view() : deciding_codes(spec_->restart, run_end());
    if (!codes.empty()) {
        const auto code = run_exit_->by_signal() ? signal_name(run_exit_->value) : std::to_string(run_exit_->value);
        text += fmt::format("; {} is in {}", code, codes);
    }
    if (timed_out_) text = limit_text_ + ", " + text;
    if (!said_last_.empty()) text += "; it said: " + said_last_;
    if (!failures_beside_.empty()) text += " (" + failures_beside_ + ")";
    if (killed_) text += " (did not end within stop_timeout, " + to_text(spec_->stop_timeout) + ")";
    return text;
}

}  // namespace procsup
