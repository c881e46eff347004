package generic

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
	"csrftoken", "csrfmiddlewaretoken", "authorurl", "authoremail",
}

// innocent reports whether name[at:end], a key word, is part of a word or name
// that is known to hold no secret.
func innocent(name []byte, at, end int) bool {
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
