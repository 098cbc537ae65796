/** The completion script for fish. It needs only fish itself, and never evaluates what is typed. */

export const FISH_SCRIPT = `# fish completion for hermes

function __hermes_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l out ($program complete -- $words (string unescape -- "$current"; or echo -- "$current") 2>/dev/null)
    or return
    # The values of --option=value come without the option.
    set -l prefix (string match -r -- '^--[^=]*=' "$current")
    # The last line is a number for the shell; without :4 files are offered.
    if string match -q '*:4' -- $out[-1]
        set -e out[-1]
    else
        set out (__fish_complete_path (string replace -- "$prefix" '' "$current"))
    end
    for entry in $out
        printf '%s%s\\n' "$prefix" $entry
    end
end

complete -c hermes -f -a '(__hermes_complete)'
`;
