# Completion of spillgate for bash, 3.2 and later. What is typed is handed to the
# program as it is and never evaluated: words like $(…) in it do nothing.
_spillgate() {
	local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} line
	local before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
	type -P -- "$program" >/dev/null || program=spillgate
	[[ $current != -* ]] || before+=("$current")
	COMPREPLY=()
	while IFS= read -r line; do
		line=${line%%:*}
		[[ -z $line || $line != "$current"* ]] || COMPREPLY+=("$line")
	done < <("$program" ${before[@]+"${before[@]}"} --generate-shell-completion 2>/dev/null </dev/null)
}
complete -o bashdefault -o default -F _spillgate spillgate
