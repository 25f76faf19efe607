#include "ctl/invoke.h"

#include "ctl/help.h"
#include "ctl/session.h"

namespace procsup::ctl {

int invoke(std::span<const std::string_view> words, const Surroundings& surroundings) {
    auto line = parse_command_line(words);
    if (!line) {
        Output out(ColorChoice::Auto, false);
        out.error(line.error().message);
        if (line.error().message.find("did you mean") == std::string::npos) out.hint("procsupctl help");
        return kUsage;
    }
    Session session(std::move(*line), surroundings);
    int code = kSuccess;
    if (session.line().help && session.line().verb->name != "help") {
        session.out().add(verb_text(*session.line().verb));
    } else {
        code = session.line().verb->handler(session);
    }
    // A result that nobody got is no success.
    if (!session.out().flush() && code == kSuccess) code = kFailed;
    return code;
}

}  // namespace procsup::ctl
