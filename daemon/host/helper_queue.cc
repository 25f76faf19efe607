#include "daemon/host/helper_queue.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/units.h"

namespace procsup {
namespace {

constexpr std::size_t kMostOutput = 32u << 20;
/// Each question is work of some milliseconds: who asks more at a time waits for nobody's good.
constexpr std::size_t kMostQuestions = 64;

}  // namespace

void HelperQueue::ask(std::string question, Duration patience, Answered answered) {
    if (questions_.size() >= kMostQuestions) return answered(Error{"too many ask at the same time", EAGAIN});
    auto& added = questions_.emplace_back(std::move(question), patience, std::move(answered), nullptr);
    added.limit = loop_.call_at(loop_.now() + patience, [this, &added] { give_up(added); });
    if (!helper_.running()) begin();
}

void HelperQueue::begin() {
    const auto answer = [this](Result<std::string> output) {
        const auto question = std::move(questions_.front());
        questions_.pop_front();
        if (!questions_.empty()) begin();
        if (question.answered) question.answered(std::move(output));
    };
    auto input = as_file(questions_.front().text);
    if (!input) return answer(input.error());
    helper_.run(helper_spec("procsupd " + word_, {word_}), std::move(*input), kMostOutput, answer);
}

void HelperQueue::give_up(Question& question) {
    const auto answered = std::exchange(question.answered, nullptr);
    const Error late{"procsupd " + word_ + " did not answer within " + to_text(question.patience), ETIMEDOUT};
    if (&question == &questions_.front()) {
        helper_.kill();
    } else {
        questions_.remove_if([&](const Question& other) { return &other == &question; });
    }
    answered(late);
}

}  // namespace procsup
