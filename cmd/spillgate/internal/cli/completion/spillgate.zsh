#compdef spillgate
# Completion of spillgate for zsh. What is typed is handed to the program as it
# is and never evaluated.
_spillgate() {
	local program=$words[1] current=$words[CURRENT]
	local -a before found
	whence -p -- "$program" >/dev/null || program=spillgate
	before=("${(@)words[2,CURRENT-1]}")
	[[ $current != -* ]] || before+=("$current")
	found=("${(@f)$("$program" "${before[@]}" --generate-shell-completion 2>/dev/null </dev/null)}")
	if [[ -n $found[1] ]]; then
		_describe spillgate found
	else
		_files
	fi
}
# From $fpath the file is the function's body; sourced, it names the function.
if [[ $funcstack[1] == _spillgate ]]; then
	_spillgate "$@"
else
	compdef _spillgate spillgate
fi
