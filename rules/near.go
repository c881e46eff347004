package rules

// Most vendors' keys have no prefix: 32 hexadecimal digits are a key of Acme
// because "acme" stands before them. How far before, and with what between, is
// the same for all of them and written down here, once.

// nearPattern returns the pattern of a secret that stands near a name. All three
// are expressions; near and named ignore case.
//
// The name and the value are tied in one of two ways: by an operator, whatever
// the rest of the name is (ACME_PROD = "…", "acme": "…"), or by a word that says
// what the value is, at most 40 characters on, in the same line or the next ones
// (acme_api_key, <acme><token>…, a URL of acme above an authorization header).
// Where named is given only such a word will do: a vendor's client id and client
// secret may look the same.
func nearPattern(near, named, secret string) string {
	if named == "" {
		return "(?i:" + near + ")(?:" + tiedByOperator + "|" + filler + "(?i:key|token|secret|auth|pass|api|pat|pwd|cred)" + tiedByName + ")(?P<secret>" + secret + ")"
	}
	return "(?i:" + near + ")" + filler + "(?i:" + named + ")" + tiedByName + "(?P<secret>" + secret + ")"
}

const (
	// The rest of a name, an operator of some language with a type before it,
	// and an opening quotation mark.
	tiedByOperator = `[0-9A-Za-z_. -]{0,40}["'\x60\\\])]{0,4}[ \t]{0,4}` +
		`(?:=>|:{1,3}=|[?+.|]{0,2}={1,3}|:[ \t]{0,3}&?[A-Za-z]{3,9}\??[ \t]{0,3}=|[:,(>|])[ \t]{0,4}["'\x60\\(]{0,3}`
	// What may stand between the vendor's name and the word.
	filler = `[\w\s.:/"'<>{}()\[\],=?&;#@-]{0,40}?`
	// The rest of the word, the scheme of a header or what Jenkins and XML put
	// before a value, and signs.
	tiedByName = `[\w.-]{0,12}(?:["'\s,:={>]{1,16}(?i:value|bearer|basic|token|aqaaabaaa))?[\s"'\x60\\=:,>(\[\]?|{]{1,16}`
)
