// What a job has executed: the words with their placeholders replaced, and the program, looked up once.
#include <algorithm>
#include <utility>

#include "conf/expand.h"
#include "conf/key_reader.h"
#include "conf/resolving_job.h"

namespace procsup {

void JobResolver::resolve_command(Job& job) {
    const auto& draft = job.draft;
    // A job's own command takes the place of a shell in [defaults], one of an overlay that of the job file, and the
    // other way round.
    const bool use_shell = draft.outranks(Key::Shell, Key::Command);
    if (draft.written(Key::Shell) && !use_shell && !draft.outranks(Key::Command, Key::Shell)) {
        problems_.add(job.key_place(Key::Shell), "'shell' and 'command' exclude each other: write one of them");
        return;
    }
    if (use_shell) {
        if (draft.shell.place.file == nullptr) return;  // reported when it was read
        job.spec.command = {"/bin/sh", "-c", prepare_with_credentials(job, draft.shell)};
        job.spec.program = "/bin/sh";
        return;
    }
    if (!draft.written(Key::Command)) {
        problems_.add(draft.place, "job " + quoted(draft.name) + " needs 'command' or 'shell'");
        return;
    }
    JobCommand command = resolve_words(job, "command", draft.command);
    job.spec.command = std::move(command.argv);
    job.spec.program = std::move(command.program);
}

void JobResolver::resolve_commands_beside(Job& job) {
    job.spec.stop_command = resolve_words(job, "stop_command", job.draft.stop_command);
    job.spec.reload_command = resolve_words(job, "reload_command", job.draft.reload_command);
    for (std::size_t i = 0; i < job.draft.hooks.size(); ++i) {
        const auto hook = static_cast<Hook>(i);
        auto command = resolve_words(job, word_of(hook), job.draft.hooks[i]);
        if (!command.empty()) job.spec.hooks.push_back({hook, std::move(command)});
    }
}

JobCommand JobResolver::resolve_words(Job& job, std::string_view key, const std::vector<PlacedText>& words) {
    JobCommand command;
    for (const auto& word : words) command.argv.push_back(prepare_with_credentials(job, word));
    if (!words.empty() && !command.argv[0].empty()) {
        command.program = resolve_program(job, key, command.argv[0], words[0].place);
    }
    return command;
}

/// Empty: it is looked up when it is started, or was reported.
std::string JobResolver::resolve_program(const Job& job, std::string_view key, const std::string& written,
                                         const Place& place) {
    const std::string name = expand_job(written, job.first);
    if (name.empty()) {
        problems_.add(place, "'" + std::string(key) + "' must name a program");
    } else if (name[0] == '/') {
        // Not looked at: it may be put there later, and a start that fails says why.
        return written;
    } else if (name.find('/') != std::string::npos) {
        return (job.spec.working_dir == "/" ? "" : job.spec.working_dir) + "/" + written;
    } else if (values_of(job, written).size() == 1) {
        return find_program(job, name, place);
    }
    return {};
}

std::string JobResolver::find_program(const Job& job, const std::string& name, const Place& place) {
    const std::string path = expand_job(environment_value(job.spec.env, "PATH"), job.first);
    std::string_view rest = path;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::string folder(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        // An entry that depends on a working directory would find another program each time.
        if (!folder.starts_with('/')) continue;
        std::string program = folder + (folder.ends_with('/') ? "" : "/") + name;
        if (surroundings_.is_program(program)) return protect(program);
    }
    std::string message = "cannot find program " + quoted(name) + " in PATH=" + path;
    if (name.find(' ') != std::string::npos) message += ": write each argument as an element of its own";
    problems_.add(place, std::move(message));
    return {};
}

}  // namespace procsup
