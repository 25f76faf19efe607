#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "daemon/host/helper_output.h"

namespace procsup {

/// Questions to a helper (`procsupd WORD`), which gets one as its input and answers by its output: one after the other, and each
/// asker waits no longer than it wants to, whatever a helper hangs on.
class HelperQueue {
public:
    using Answered = std::function<void(Result<std::string>)>;

    HelperQueue(SdEventLoop& loop, Processes& processes, std::string word)
        : loop_(loop), helper_(loop, processes), word_(std::move(word)) {}

    /// `answered` is called once, at once when there are too many questions or this one cannot be asked.
    void ask(std::string question, Duration patience, Answered answered);

private:
    struct Question {
        std::string text;
        Duration patience;
        Answered answered;  ///< null: nobody waits any more
        std::unique_ptr<Watch> limit;
    };

    void begin();
    void give_up(Question& question);

    SdEventLoop& loop_;
    HelperOutput helper_;
    std::string word_;
    std::list<Question> questions_;  ///< the helper has the first
};

}  // namespace procsup
