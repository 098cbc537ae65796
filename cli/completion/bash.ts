/** The completion script for bash. It needs nothing but bash itself, and never evaluates what is typed. */

export const BASH_SCRIPT = `# bash completion for hermes

__hermes_complete() {
    local line=\${COMP_LINE:0:COMP_POINT} word out entry value prefix cur i
    local -a words=()
    # Bash splits words at : and =, too. Only blanks separate those of hermes.
    for (( i = 0; i <= COMP_CWORD; i++ )); do
        word=\${COMP_WORDS[i]}
        if (( i == 0 )) || [[ $line == [[:space:]]* ]]; then
            line=\${line#"\${line%%[![:space:]]*}"}
            words+=("")
        fi
        (( i == COMP_CWORD )) && word=$line
        words[\${#words[@]}-1]+=$word
        line=\${line#"$word"}
    done
    # What is typed may begin with a quote or hold backslashes; the values that are offered don't.
    cur=\${words[\${#words[@]}-1]//\\\\/}
    cur=\${cur#[\\"\\']}
    words[\${#words[@]}-1]=$cur

    out=$("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null) || return
    # The last line is a number for the shell; without :4 files are offered, too.
    [[ \${out##*$'\\n'} == *:4 ]] && compopt +o default
    # The values of --option=value come without the option.
    [[ $cur == --*=* ]] && cur=\${cur#*=}
    prefix=""
    [[ $cur == *[:=]* ]] && prefix=\${cur%"\${cur##*[:=]}"}
    COMPREPLY=()
    while IFS= read -r entry; do
        value=\${entry%%$'\\t'*}
        [[ $entry == :* || -z $value || $value != "$cur"* ]] && continue
        printf -v value '%q' "\${value#"$prefix"}"
        COMPREPLY+=("$value")
    done <<< "$out"
}

complete -o default -F __hermes_complete hermes
`;
