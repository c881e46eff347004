package rules

import (
	"bytes"
	"strings"
)

// Example values are everywhere: in vendors' documents, in every project's
// README and tests. A match that is one is not reported but suppressed with
// the reason that placeholderReason gives, and counted.

// PlaceholderNames lists the names that a rule's placeholders may use.
func PlaceholderNames() []string {
	return []string{"aws-documentation", "stripe-documentation", "made-up"}
}

// placeholderReason says why the secret of m is a known example value according
// to the named list, or returns "". It may grade m down instead.
func placeholderReason(list string, secret []byte, m *Match) string {
	switch list {
	case "aws-documentation":
		return awsPlaceholder(secret, m)
	case "stripe-documentation":
		return stripePlaceholder(secret)
	case "made-up":
		return madeUp(secret)
	}
	return ""
}

// awsPlaceholder knows the accounts, key ids and credentials of Amazon's
// documentation.
//
// An example key id says that the whole ARN is an example: nobody has that
// key. An example account with any name beside it says the same, since names
// prove nothing. But a random key id beside an example account was made by
// something: mostly an emulator, whose default account it is, at times a
// search-and-replace over a real ARN. The finding stays, one severity lower.
//
// Source: the IAM, KMS and CLI guides at https://docs.aws.amazon.com, which use
// these values throughout.
func awsPlaceholder(secret []byte, m *Match) string {
	if reason := awsCredentialPlaceholder(secret); reason != "" {
		return reason
	}
	resource := field(m, "resource")
	id, isKey := strings.CutPrefix(resource, "key/")
	isUUIDKey := isKey && (len(id) == 36 || strings.HasPrefix(id, "mrk-"))
	if isUUIDKey && isExampleKeyID(id) {
		return "key id of AWS's documentation"
	}
	if account := field(m, "account"); resource != "" && isExampleAccount(account) {
		if !isUUIDKey {
			return "account of AWS's documentation"
		}
		if m.Severity > Info {
			m.Severity--
		}
		addField(m, "account-is", "an example of AWS's documentation")
	}
	return ""
}

// awsCredentialPlaceholder relies on a habit that Amazon keeps: its example
// credentials have EXAMPLE in them, which a random session token of 1,000
// letters has once in 10^9. One older example token lacks it.
func awsCredentialPlaceholder(secret []byte) string {
	if bytes.Contains(secret, []byte("EXAMPLE")) || bytes.HasPrefix(secret, []byte("fICCQD6m7oRw0uXOjANBgkqhkiG9w0B")) {
		return "example of AWS's documentation"
	}
	return ""
}

// isExampleAccount reports whether an account number stands in documents or is
// an emulator's default. Numbers of one repeated digit are examples too.
func isExampleAccount(account string) bool {
	switch account {
	case "111122223333", "123456789012", "444455556666", "555566667777", "777788889999",
		"012345678901", "012345678910", "012345678912", "112233445566", "123456781234", "210987654321", "223456789012":
		return true
	}
	return account != "" && strings.Count(account, account[:1]) == len(account)
}

// isExampleKeyID reports whether a KMS key id stands in documents, or is drawn
// on the keyboard: every group of one letter, or few letters in all. A random
// id of 32 hexadecimal digits has fewer than 6 different ones once in 10^9.
func isExampleKeyID(id string) bool {
	id = strings.ToLower(id)
	switch id {
	case "1234abcd-12ab-34cd-56ef-1234567890ab", "0987dcba-09fe-87dc-65ba-ab0987654321",
		"mrk-1234abcd12ab34cd56ef1234567890ab", "1a2b3c4d-5e6f-1a2b-3c4d-5e6f1a2b3c4d",
		"0987ab65-43cd-21ef-09ab-87654321cdef", "12345678-1234-1234-1234-123456789012",
		"12345678-1234-1234-1234-123456789abc", "12345678-90ab-cdef-1234-567890abcdef",
		"mrk-0987dcba09fe87dc65baab0987654321":
		return true
	}
	var seen [256]bool
	digits, oneEach := 0, true
	for group := range strings.SplitSeq(strings.TrimPrefix(id, "mrk-"), "-") {
		for i := range len(group) {
			if !seen[group[i]] {
				seen[group[i]] = true
				digits++
			}
			oneEach = oneEach && group[i] == group[0]
		}
	}
	return oneEach || digits < 6
}

// stripePlaceholder knows the test keys that Stripe's documentation shows to
// readers who are not logged in. Each is written in two halves here, so that
// this file holds no complete key.
func stripePlaceholder(secret []byte) string {
	for _, k := range [...][2]string{
		{"sk_test_4eC39HqLyj", "WDarjtT1zdp7dc"},
		{"sk_test_BQokikJOvB", "iI2HlWgH4olfQ2"},
		{"sk_test_26PHem9AhJ", "ZvU623DfE1x4sd"},
	} {
		if head, tail := k[0], k[1]; len(secret) == len(head)+len(tail) &&
			string(secret[:len(head)]) == head && string(secret[len(head):]) == tail {
			return "test key of Stripe's documentation"
		}
	}
	return ""
}

// Thresholds of madeUp, in characters. A random token of 100 base62 letters
// passes each of them by chance less than once in 10^9 times.
const (
	madeUpRepeat   = 8  // the same character in a row
	madeUpSequence = 9  // each character the successor of the one before
	madeUpPeriod   = 12 // a stretch that repeats its first 2 to 10 characters
	madeUpLetters  = 5  // different characters in 16 or more
)

// madeUp recognises values that somebody typed to fill a place: one character
// repeated, runs along the alphabet or the digits, a short text repeated, and
// words that say so.
func madeUp(secret []byte) string {
	var buf [128]byte
	small := appendLower(buf[:0], secret)
	if saysMadeUp(small) {
		return "made-up value: it says so"
	}
	repeat, sequence := 1, 1
	var seen [256]bool
	letters := 0
	for i, c := range secret {
		if !seen[c] {
			seen[c] = true
			letters++
		}
		if i == 0 {
			continue
		}
		repeat = step(repeat, c == secret[i-1])
		sequence = step(sequence, succeeds(small[i], small[i-1]))
		if repeat >= madeUpRepeat {
			return "made-up value: one character repeated"
		}
		if sequence >= madeUpSequence {
			return "made-up value: a sequence"
		}
	}
	if len(secret) >= 16 && letters < madeUpLetters {
		return "made-up value: few different characters"
	}
	for period := 2; period <= 10; period++ {
		if repeats(secret, period) {
			return "made-up value: a short text repeated"
		}
	}
	return ""
}

// repeats reports whether madeUpPeriod-1 characters in a row are those period
// places before them. One of so many stands at each multiple of that number.
func repeats(secret []byte, period int) bool {
	const long = madeUpPeriod - 1
	for i := period; i < len(secret); i += long {
		if secret[i] != secret[i-period] {
			continue
		}
		from, to := i, i+1
		for from > period && secret[from-1] == secret[from-1-period] {
			from--
		}
		for to < len(secret) && secret[to] == secret[to-period] {
			to++
		}
		if to-from >= long {
			return true
		}
	}
	return false
}

// madeUpWords are what made-up values say, in small letters.
var madeUpWords = [...]string{
	"example", "placeholder", "changeme", "change-me", "redacted", "dummy", "your-", "your_",
	"yourtoken", "yoursecret", "yourkey", "-here", "_here", "insert-", "replace", "notreal", "not-a-real", "foobar",
}

// saysMadeUp reports whether small holds one of madeUpWords. Most random tokens
// lack a letter of each.
func saysMadeUp(small []byte) bool {
	has := lettersOf(small)
	for _, w := range madeUpWords {
		if need := lettersOf([]byte(w)); need&has == need && bytes.Contains(small, []byte(w)) {
			return true
		}
	}
	return false
}

// lettersOf is the set of the characters of s, a bit for those with the same
// last five bits.
func lettersOf(s []byte) (set uint32) {
	for _, c := range s {
		set |= 1 << (c & 31)
	}
	return set
}

// step continues a run or begins the next.
func step(run int, continues bool) int {
	if continues {
		return run + 1
	}
	return 1
}

// succeeds reports whether the small letter or digit c follows last on the way
// 0-9 or a-z, with 0 after 9.
func succeeds(c, last byte) bool {
	return isAlnum(c) && (c == last+1 || c == '0' && last == '9')
}
