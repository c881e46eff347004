package generic

// A Keyword is a literal that a candidate is looked for at, in any case.
type Keyword struct {
	Text string
	Kind KeywordKind
}

// KeywordKind tells which of the three ways to look for a candidate fits.
type KeywordKind uint8

// The kinds of key word.
const (
	InName   KeywordKind = iota // part of a name: Find
	InURL                       // "://": FindURL
	InHeader                    // the scheme of a header and a blank: FindHeader
)

// Keywords are the literals that the generic rule is anchored to.
var Keywords = [...]Keyword{
	{"passw", InName}, {"passphrase", InName}, {"_pass", InName}, {"-pass", InName}, {"pass", InName}, {"pwd", InName}, {"psw", InName},
	{"secret", InName}, {"token", InName}, {"key", InName}, {"auth", InName}, {"cred", InName}, {"apikey", InName}, {"identified by", InName}, {"securestring", InName},
	{shortKeyword, InName},
	{"://", InURL},
	{"bearer ", InHeader}, {"basic ", InHeader}, {"token ", InHeader},
}

// shortKeyword is a key word only where a name ends in it: pw, bindpw, rootPW.
const shortKeyword = "pw"
