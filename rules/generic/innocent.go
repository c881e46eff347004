package generic

import "bytes"

// innocentWords are words that hold a key word and mean something else.
var innocentWords = [...]string{
	"author", "authors", "authored", "authoring", "authority", "authorities", "authentic", "bypass", "bypassed", "compass", "passage", "passes", "passed", "passing",
	"passive", "passenger", "passport", "password_policy", "credit", "credits", "accredited", "incredible", "secretary", "secretion", "keyboard", "keyboards", "keyword",
	"keywords", "keynote", "keypress", "keydown", "keyup", "keyframe", "keyframes", "keycode", "keymap", "keyspace", "monkey", "donkey", "turkey", "hockey", "whiskey",
	"jockey", "tokenize", "tokenizer", "tokenized", "tokens", "tokenization", "sessions", "obsession", "possession", "signatures", "thispasses", "trespass", "overpass",
	"encompass", "surpass", "pubkey", "publickey",
}

// innocentNames are names, without their signs and in lower case, of tokens
// and keys that give access to nothing: places in a listing, numbers that make
// a request idempotent, check values, public halves.
var innocentNames = [...]string{
	"nexttoken", "nextpagetoken", "pagetoken", "continuationtoken", "nextcontinuationtoken", "clientrequesttoken", "requesttoken", "clienttoken", "creationtoken",
	"idempotencytoken", "idempotencykey", "changetoken", "locktoken", "updatetoken", "startingtoken", "paginationtoken", "nextsynctoken", "synctoken", "keycheckvalue",
	"publickey", "publickeytoken", "sshpublickey", "publickeyid", "publickeyhash", "primarykey", "foreignkey", "partitionkey", "sortkey", "cachekey", "objectkey",
	"resultkey", "keyid", "secwebsocketkey", "secwebsocketaccept", "lifecycleactiontoken", "mysqlnativepassword", "cachingsha2password", "csrftoken", "csrfmiddlewaretoken", "authorurl", "authoremail",
}

// innocent reports whether name[at:end], a key word, is part of a word or name
// that is known to hold no secret.
func innocent(name []byte, at, end int) bool {
	if end-at == 3 && equalFold(name[at:end], "psw") && at > 0 && letter(name[at-1]) {
		return true // propsWith…
	}
	if equalFold(name[at:end], "key") && containsFold(name[:at], "public") {
		return true // PeerPublicKey, host_public_key
	}
	if straddles(name, at, end) {
		return true // LocalIPAssociation
	}
	from, to := at, end
	for from > 0 && letter(name[from-1]) && !(upper(name[from]) && !upper(name[from-1])) {
		from--
	}
	for to < len(name) && letter(name[to]) && !(upper(name[to]) && !upper(name[to-1])) {
		to++
	}
	word := name[from:to]
	for _, w := range innocentWords {
		if len(w) == len(word) && equalFold(word, w) {
			return true
		}
	}
	for _, n := range innocentNames {
		if SameText(name, []byte(n)) {
			return true
		}
	}
	return false
}

// innocentEnds are last words of names that hold a key word before: what such
// a name is given is where a secret lies, what it must look like or what a
// screen says of it.
var innocentEnds = [...]string{
	"path", "paths", "file", "files", "filename", "dir", "directory", "folder", "url", "uri", "endpoint", "encryption", "algorithm", "algorithms", "alg", "algo",
	"type", "types", "format", "header", "hint", "label", "placeholder", "prompt", "title", "regex", "regexp", "pattern", "length", "len", "size", "ttl",
	"timeout", "expiry", "expires", "expiration", "version", "policy", "count", "enabled", "required", "message", "description", "tooltip", "icon", "class",
	"method", "methods", "mode", "scheme", "strategy", "prefix", "suffix", "selector", "name", "names", "field", "fields", "column", "param", "parameter", "attribute", "property",
	"color", "width", "height", "style", "used", "at", "date", "time", "updated", "created", "changed", "uuid", "username", "scope", "scopes", "codes", "host", "usage",
}

// innocentStarts are first words of the names of messages and codes: what
// follows in words says what was wrong with a password, INVALID_PASSWORD.
var innocentStarts = [...]string{
	"invalid", "missing", "wrong", "weak", "bad", "expired", "reset", "forgot", "change", "require", "requires", "unknown", "unsupported", "incorrect",
	"show", "hide", "toggle", "validate", "check", "verify", "no", "not", "is", "has", "err", "error",
}

// isMessage reports whether a name of several words begins as that of a
// message does, and the value is words.
func isMessage(name, value []byte) bool {
	first := true
	innocent := false
	eachWord(name, func(w []byte) {
		if first {
			innocent = len(w) < len(name) && oneOf(w, innocentStarts[:])
		}
		first = false
	})
	return innocent && (allOf(value, func(b byte) bool { return letter(b) || indexByte([]byte("-_/ .,!'"), b) >= 0 }) || allOf(value, digit))
}

// askers are last words of the names of functions that are asked about a word
// rather than given a secret: headers.has("…"), keys.get("…").
var askers = [...]string{"has", "get", "is", "contains", "includes", "exists", "find", "delete", "remove", "parse", "test", "log", "info", "warn", "error", "startswith", "indexof", "strip", "lstrip", "rstrip", "split", "replace", "encode", "decode", "join", "append"}

// talksAbout reports whether what was cut out is no name with its value after
// all, and how far back it looked: a list of names, a verb, a question.
func talksAbout(data []byte, c Candidate, keyword int) (bool, int) {
	name, value := data[c.KeyStart:c.KeyEnd], data[c.Start:c.End]
	if isExpression(data, c) || isCount(name, value) || isFingerprint(name, value) || isMember(name, value) || goesOn(data, c) {
		return true, c.KeyStart
	}
	word := allOf(value, func(b byte) bool { return letter(b) || b == '_' || b == '$' || b == '-' || b == '.' })
	switch c.Syntax {
	case Pair:
		from := c.KeyStart
		for from > 0 && c.KeyStart-from < 24 && (nameByte(data[from-1]) || data[from-1] == '#' || data[from-1] == '/' || data[from-1] == ':') {
			from-- // page.fill("#password", "…"), set("proxy/password", "…")
		}
		return listed(data, c, from), from - 2
	case Word:
		if equalFold(name, "pass") {
			return c.Quote != 0 || word, c.KeyStart // pass "x" to …, a two pass filter
		}
		if c.Quote == '`' && word {
			return true, c.KeyStart // prose that quotes code
		}
		if equalFold(name, "identified by") {
			from := lineStart(data, c)
			return !speaksSQL(data[from:c.KeyStart]), from - 1
		}
	case Call:
		last := 1 + bytes.LastIndexByte(name, '.')
		return last > 0 && (oneOf(name[last:], askers[:]) || word && keyword < c.KeyStart+last), c.KeyStart // headers.get("…"), key.render("…")
	}
	return false, c.KeyStart
}

// listed reports whether a name and the value behind it are members of a list
// of names, ["username", "password", "host"], rather than arguments of a call.
// from is where the string begins that the name ends.
func listed(data []byte, c Candidate, from int) bool {
	value := data[c.Start:c.End]
	if (hasPrefix(value, "set") || hasPrefix(value, "get")) && len(value) > 3 && upper(value[3]) {
		return true // an accessor
	}
	if from < 2 || data[from-2] == '(' || data[from-1] == '{' {
		return false // an argument, the value of a tuple
	}
	digits := 0
	return allOf(value, func(b byte) bool {
		if digit(b) {
			digits++
		}
		return letter(b) || digit(b) || b == '_' || b == '$' || b == '-' || b == '.'
	}) && digits <= 2
}

// speaksSQL reports whether what stands before "identified by" on its line is
// part of a statement, or nothing.
func speaksSQL(before []byte) bool {
	if allOf(before, func(b byte) bool { return b == ' ' || b == '\t' || b == '"' || b == '\'' }) {
		return true
	}
	for _, w := range [...]string{"user", "role", "login", "grant", "alter", "create"} {
		if containsFold(before, w) {
			return true
		}
	}
	return false
}

// endsInnocently reports whether a name of several words ends in such a word.
func endsInnocently(name []byte) bool {
	words, innocent := 0, false
	eachWord(name, func(w []byte) {
		words++
		innocent = oneOf(w, innocentEnds[:])
	})
	return words > 1 && innocent
}

func oneOf(w []byte, list []string) bool {
	for _, e := range list {
		if len(e) == len(w) && equalFold(w, e) {
			return true
		}
	}
	return false
}

// innocentLeads are what stands before a name and takes its meaning: of keys
// that everybody may have, of the line that go test prints, of the token that
// shows a badge, of the hash of a secret in a Helm chart, of a prompt.
var innocentLeads = [...]string{"public ", "case ", "gpg ", "pgp ", "primary ", "foreign ", "--- ", "badge.svg?", "case \"", "case '", "case\"", "checksum/", "read-host "}

const longestLead = 10

// innocentBefore reports whether a name is excused by what stands before it,
// an ARN for one. from is how far it looked.
func innocentBefore(data []byte, at int) (innocent bool, from int) {
	for _, w := range innocentLeads {
		if at >= len(w) && equalFold(data[at-len(w):at], w) {
			return true, at - len(w)
		}
	}
	from = at
	for from > 0 && at-from < 100 && (data[from-1] == ':' || from < at && inARN(data[from-1])) {
		from--
	}
	return hasPrefix(data[from:at], "arn:"), min(from-1, at-longestLead)
}

func inARN(b byte) bool {
	switch b {
	case '$', '{', '}', '<', '>', '*', '/':
		return true
	}
	return nameByte(b)
}

// straddles reports whether a key word lies across two words of a name, by
// their humps, and begins inside the first.
func straddles(name []byte, at, end int) bool {
	if at == 0 || !upper(name[at-1]) || !upper(name[at]) {
		return false
	}
	for i := at + 1; i+1 <= end && i+1 < len(name); i++ {
		if upper(name[i]) && letter(name[i+1]) && !upper(name[i+1]) {
			return true
		}
	}
	return false
}
