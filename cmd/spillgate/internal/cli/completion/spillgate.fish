# Completion of spillgate for fish. What is typed is handed to the program as it
# is and never evaluated.
function __spillgate_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l program $before[1]
    set -e before[1]
    command -q -- $program; or set program spillgate
    string match -q -- '-*' $current; and set -a before $current
    set -l found (command $program $before --generate-shell-completion 2>/dev/null </dev/null)
    if test (count $found) -eq 0
        __fish_complete_path $current
        return
    end
    for line in $found
        string replace -- ':' \t $line
    end
end
complete -c spillgate -e
complete -c spillgate -f -a '(__spillgate_complete)'
