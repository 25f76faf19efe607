# Completion of procsupctl for bash. Asks procsupctl itself, which knows its verbs, its options and the jobs.

_procsupctl() {
    local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[!=:@]/} words current candidates kept candidate
    # bash splits words at these characters too; procsupctl wants them as the user typed them.
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    current=${words[-1]}
    mapfile -t candidates < <("${words[0]/#~\//$HOME/}" __complete "${words[@]:1}" 2>/dev/null)

    # Only what follows the last of them is replaced, and an '@' itself.
    kept=
    [[ $breaks ]] && kept=${current%"${current##*[$breaks]}"}
    kept=${kept%@}
    COMPREPLY=()
    for candidate in "${candidates[@]}"; do
        case $candidate in
            :files) compopt -o default ;;
            :commands) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -- "$current") ;;
            *=)
                compopt -o nospace
                COMPREPLY+=("${candidate#"$kept"}")
                ;;
            *) COMPREPLY+=("${candidate#"$kept"}") ;;
        esac
    done
}

complete -F _procsupctl procsupctl
