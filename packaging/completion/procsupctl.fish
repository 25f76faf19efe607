# Completion of procsupctl for fish. Asks procsupctl itself, which knows its verbs, its options and the jobs.

function __procsupctl_candidates
    set -l words (commandline --current-process --cut-at-cursor --tokenize)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l program (string replace --regex '^~/' "$HOME/" -- $words[1])
    for answer in ($program __describe $words[2..] "$current" 2>/dev/null)
        switch $answer
            case :files
                # What stands before the path in --socket=PATH.
                set -l option (string match --regex '^--[^=]*=' -- "$current")
                set -l path (string replace --regex '^--[^=]*=' '' -- "$current")
                printf '%s\n' "$option"(__fish_complete_path "$path")
            case :commands
                complete --do-complete "$current"
            case '*'
                echo $answer
        end
    end
end

complete --command procsupctl --no-files --arguments '(__procsupctl_candidates)'
