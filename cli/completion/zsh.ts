/** The completion script for zsh. It needs only zsh's own completion system, and never evaluates what is typed. */

export const ZSH_SCRIPT = `#compdef hermes
# zsh completion for hermes

_hermes() {
    local program=\${(Q)words[1]} current=\${(Q)PREFIX} out entry value
    local -a typed values shown
    program=\${program/#\\~\\//$HOME/}
    typed=("\${(@Q)words[2,CURRENT-1]}" "$current")
    out=$("$program" complete -- "\${typed[@]}" 2>/dev/null) || return 1
    # The values of --option=value come without the option.
    [[ $current == --*=* ]] && compset -P '*='
    # The last line is a number for the shell; without :4 files are offered.
    if [[ \${out##*$'\\n'} != *:4 ]]; then
        _files
        return
    fi
    for entry in "\${(@f)out}"; do
        [[ $entry == :* || -z $entry ]] && continue
        value=\${entry%%$'\\t'*}
        values+=("$value")
        shown+=("\${value}\${\${entry#"$value"}:+  \${entry#*$'\\t'}}")
    done
    compadd -l -d shown -a values
}

# Loaded from a folder of functions, the file is the function; sourced, it defines it.
if [[ "\${funcstack[1]}" == _hermes ]]; then
    _hermes "$@"
else
    compdef _hermes hermes
fi
`;
