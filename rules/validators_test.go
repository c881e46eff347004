package rules

import (
	"bytes"
	"encoding/base64"
	"hash/crc32"
	"math/rand"
	"os"
	"strings"
	"testing"
)

// A grade is one row of TestGrades. Texts that are whole secrets are written
// in two halves.
type grade struct {
	name, rule, text string
	severity         Severity
	confidence       Confidence
	placeholder      bool
	fields           []string // name, value, ...
}

const (
	keyARN  = "arn:aws:kms:eu-central-1:471938265017:key/5f0c7d1e-93ab-4e26-8d74-b1c60fa2e983"
	someKey = "5f0c7d1e-93ab-4e26-8d74-b1c60fa2e983"
)

var grades = []grade{
	{"a key ARN", "aws-kms-key-arn", keyARN, Medium, ConfidenceHigh, false,
		[]string{"partition", "aws", "region", "eu-central-1", "account", "471938265017", "resource", "key/" + someKey, "multi-region", ""}},
	{"a multi-Region key", "aws-kms-key-arn", "arn:aws:kms:us-east-1:471938265017:key/mrk-7c1e09d5b8424fa39e60d2f7a15b84c3",
		Medium, ConfidenceHigh, false, []string{"multi-region", "true"}},
	{"a Region not known", "aws-kms-key-arn", "arn:aws:kms:eu-moon-7:471938265017:key/" + someKey, Medium, ConfidenceMedium, false, nil},
	{"a key of the documentation", "aws-kms-key-arn", "arn:aws:kms:us-west-2:471938265017:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		Medium, ConfidenceHigh, true, nil},
	{"a key drawn on the keyboard", "aws-kms-key-arn", "arn:aws:kms:us-west-2:471938265017:key/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		Medium, ConfidenceHigh, true, nil},
	{"a random key under an account of the documentation", "aws-kms-key-arn", "arn:aws:kms:us-west-2:123456789012:key/" + someKey,
		Low, ConfidenceHigh, false, []string{"account-is", "an example of AWS's documentation"}},
	{"an alias", "aws-kms-alias-arn", "arn:aws:kms:us-east-2:471938265017:alias/payroll", Low, ConfidenceHigh, false, []string{"managed-by", ""}},
	{"an alias of AWS", "aws-kms-alias-arn", "arn:aws:kms:us-east-2:471938265017:alias/aws/s3", Info, ConfidenceHigh, false,
		[]string{"managed-by", "AWS"}},
	{"an alias that begins alike", "aws-kms-alias-arn", "arn:aws:kms:us-east-2:471938265017:alias/awshop", Low, ConfidenceHigh, false, nil},
	{"an alias under an account of the documentation", "aws-kms-alias-arn", "arn:aws:kms:us-east-2:111122223333:alias/payroll",
		Low, ConfidenceHigh, true, nil},
	{"a role", "aws-iam-arn", "arn:aws:iam::471938265017:role/deploy", Low, ConfidenceHigh, false, nil},
	{"a role that AWS made", "aws-iam-arn", "arn:aws:iam::471938265017:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
		Info, ConfidenceHigh, false, nil},
	{"an account's root", "aws-iam-arn", "arn:aws:iam::471938265017:root", Info, ConfidenceHigh, false, nil},
	{"a long-term key id", "aws-access-key-id", "AKIAQYLP" + "MN5HHHFPZAM2", Medium, ConfidenceHigh, false,
		[]string{"kind", "long-term", "account", "052310077262"}},
	{"a temporary key id", "aws-access-key-id", "ASIAQNZG" + "KIQY56JQ7WML", Medium, ConfidenceHigh, false,
		[]string{"kind", "temporary", "account", "029608264753"}},
	{"a key id of the old kind", "aws-access-key-id", "AKIAJV5U" + "CDRD6PM6HU2Z", Medium, ConfidenceHigh, false, []string{"account", ""}},
	{"a key id of the documentation", "aws-access-key-id", "AKIAIOSF" + "ODNN7EXAMPLE", Medium, ConfidenceHigh, true, nil},
	{"a key pair", "aws-secret-access-key", "AKIAQYLP" + "MN5HHHFPZAM2:" + "k9Qf2LxV7bTz+R4mWc1H" + "Ys8aPj3UeGdN6oKvX5Bi",
		Critical, ConfidenceHigh, false, []string{"account", "052310077262"}},
	{"a secret by AWS's name", "aws-secret-access-key", "AWS_SECRET_KEY=" + "k9Qf2LxV7bTz+R4mWc1H" + "Ys8aPj3UeGdN6oKvX5Bi",
		Critical, ConfidenceHigh, false, nil},
	{"a secret by a general name", "aws-secret-access-key", "secret_key: " + "k9Qf2LxV7bTz+R4mWc1H" + "Ys8aPj3UeGdN6oKvX5Bi",
		Critical, ConfidenceMedium, false, nil},
	{"a secret of the documentation", "aws-secret-access-key", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
		Critical, ConfidenceHigh, true, nil},
	{"a session token of the documentation", "aws-session-token",
		"AQoDYXdzEPT//////////wEXAMPLE" + strings.Repeat("tc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWL", 8), Medium, ConfidenceHigh, true, nil},
	{"a session token with no known beginning", "aws-session-token",
		"SessionToken: " + strings.Repeat("tc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWL", 8), Medium, ConfidenceMedium, false, nil},
	{"a Bedrock key", "aws-bedrock-api-key", "ABSK" + base64.StdEncoding.EncodeToString([]byte("BedrockAPIKey-k3n9-at-471938265017:"+strings.Repeat("k9Qf2LxV7", 6))),
		Critical, ConfidenceHigh, false, []string{"account", "471938265017"}},
	{"an npm token with its checksum", "npm-access-token", "npm_" + npmBody + checksumOf(npmBody), Critical, ConfidenceHigh, false, nil},
	{"an npm token without", "npm-access-token", "npm_" + npmBody + "000000", Critical, ConfidenceMedium, false, nil},
	{"a refresh token without checksum", "github-refresh-token", "ghr_" + npmBody + "000000", High, ConfidenceMedium, false, nil},
	{"a Stripe key of the documentation", "stripe-test-key", "sk_test_4eC39HqLyj" + "WDarjtT1zdp7dc", Low, ConfidenceHigh, true, nil},
	{"a webhook of the documentation", "slack-webhook-url", "hooks.slack.com/services/T00000000/B00000000/" + "XXXXXXXXXXXXXXXXXXXXXXXX",
		High, ConfidenceHigh, true, nil},
}

const npmBody = "8sK2vQpZ4mXw7LrTb1NcYe6HdUoJ9g"

// checksumOf computes GitHub's checksum the long way round, apart from the code
// under test.
func checksumOf(body string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := ""
	for n := crc32.ChecksumIEEE([]byte(body)); n > 0; n /= 62 {
		out = digits[n%62:n%62+1] + out
	}
	return strings.Repeat("0", 6-len(out)) + out
}

// TestGitHubChecksum holds the scheme against a token that was published in
// 2021 by somebody who explained it, and revoked; the prefixes do not matter.
func TestGitHubChecksum(t *testing.T) {
	const token = "ghp_zQWBuTSOoRi4A9spHcVY5" + "ncnsDkxkJ0mLq17"
	p := compileAll(t)
	if got := findings(p, token); len(got) != 1 || got[0] != "github-personal-access-token" {
		t.Errorf("the published token is found by %v", got)
	}
	for i := 4; i < len(token); i++ {
		changed := []byte(token)
		if changed[i]++; !isAlnum(changed[i]) {
			changed[i] = '0'
		}
		if rule := gateStops(p, string(changed), 0, len(changed)); rule != "" {
			t.Errorf("with character %d changed it still fails the gate", i)
		}
	}
}

// TestAWSAccount uses key ids whose accounts others have published: one of a
// sandbox and one of a canary service.
func TestAWSAccount(t *testing.T) {
	for id, want := range map[string]string{
		"ASIAQNZG" + "KIQY56JQ7WML": "029608264753",
		"AKIAQYLP" + "MN5HHHFPZAM2": "052310077262",
		"AKIAIOSF" + "ODNN7EXAMPLE": "", // of the old kind
		"AKIA777777777777" + "7777": "", // a number of 13 digits
		"AKIA":                      "",
	} {
		if got, ok := awsAccount([]byte(id)); got != want || ok != (want != "") {
			t.Errorf("the account of %.4s… is %q, want %q", id, got, want)
		}
	}
}

// TestBech32 uses the vectors of BIP 173.
func TestBech32(t *testing.T) {
	for _, good := range []string{
		"A12UEL5L", "a12uel5l",
		"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
		"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
		"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
		"?1ezyfcl",
	} {
		if !bech32Holds([]byte(good)) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", "1", "A1G7SGD8", "10a06t8", "1qzzfhee", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "A12uEL5L", "de1lg7wt\xff"} {
		if bech32Holds([]byte(bad)) {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// TestAWSSecretLooks measures both mistakes of looksLikeAWSSecret.
func TestAWSSecretLooks(t *testing.T) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	rnd := rand.New(rand.NewSource(1))
	missed, secret := 0, make([]byte, awsSecretLength)
	const tries = 50_000
	for range tries {
		for i := range secret {
			secret[i] = letters[rnd.Intn(len(letters))]
		}
		if !looksLikeAWSSecret(secret) {
			missed++
		}
	}
	if missed > tries/1000 {
		t.Errorf("%d of %d random secrets are refused, want at most 1 in 1,000", missed, tries)
	}
	for _, s := range []string{
		"3f786850e387550fdab836ed7e6dc881de23001b", // SHA-1
		"3F786850E387550FDAB836ED7E6DC881DE23001B",
		"Go/src/Acme/App/internal/Storage/S3Serve",
		"src/main/java/com/Acme/Payment/Service01",
		"getProductionSecretAccessKeyFromVault001",
		"AbstractSingletonProxyFactoryBean2Helper",
		"ThisIsNotASecretItIsALongIdentifierName1",
		"0123456789ABCDEFGHIJabcdefghijKLMNOPQRST",
		"eyJpZCI6NSwibmFtZSI6Iml0c2Rhbmdlcm91cyJ9", // JSON in base64
	} {
		if len(s) != awsSecretLength {
			t.Fatalf("%q has %d characters", s, len(s))
		}
		if looksLikeAWSSecret([]byte(s)) {
			t.Errorf("%q passes for a secret", s)
		}
	}
}

// TestSecretNames holds the names in Go equal to those of the rule.
func TestSecretNames(t *testing.T) {
	want := "(?i)" + strings.ReplaceAll(strings.Join(awsSecretNames[:], "|"), ".", `\.`)
	for _, r := range readRules(t) {
		if r.ID == "aws-secret-access-key" {
			for _, p := range r.Patterns {
				if p.Regexp == want {
					return
				}
			}
		}
	}
	t.Errorf("no pattern of aws-secret-access-key is %s", want)
}

// TestPairs holds that each secret of several pairs is reported once, with the
// id it belongs to, and that the match covers both halves.
func TestPairs(t *testing.T) {
	p := compileAll(t)
	ids := []string{"AKIAQYLP" + "MN5HHHFPZAM2", "ASIAQNZG" + "KIQY56JQ7WML"}
	accounts := []string{"052310077262", "029608264753"}
	secrets := []string{"k9Qf2LxV7bTz+R4mWc1H" + "Ys8aPj3UeGdN6oKvX5Bi", "Zt4/nE8hJq0SgXw6CvR2" + "uLbM1yKd9FoPa7TiQ3Be"}
	for name, format := range map[string]string{
		"rows, id first":       "ID0,S0\nID1,S1\n",
		"JSON, secret first":   `[{"s":"S0","id":"ID0"},` + "\n" + `  {"s":"S1","id":"ID1"}]`,
		"credentials file":     "[a]\naws_access_key_id=ID0\naws_secret_access_key=S0\n[b]\naws_access_key_id=ID1\naws_secret_access_key=S1\n",
		"names and no pairing": "ID0 and ID1 are the ids\n" + strings.Repeat("\n", 400) + "secret_access_key=S0\nsecretKey: S1",
	} {
		text := strings.NewReplacer("ID0", ids[0], "ID1", ids[1], "S0", secrets[0], "S1", secrets[1]).Replace(format)
		var got []string
		p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
			if m.Rule.ID != "aws-secret-access-key" {
				return
			}
			got = append(got, text[m.SecretStart:m.SecretEnd])
			for i := range ids {
				if text[m.SecretStart:m.SecretEnd] != secrets[i] || name == "names and no pairing" {
					continue
				}
				if a := field(m, "account"); a != accounts[i] {
					t.Errorf("%s: secret %d belongs to account %q, want %q", name, i, a, accounts[i])
				}
				if !strings.Contains(text[m.Start:m.End], ids[i]) {
					t.Errorf("%s: the match of secret %d does not cover its id", name, i)
				}
			}
		})
		if len(got) != 2 || got[0] == got[1] {
			t.Errorf("%s: %d secrets are reported, want each of 2 once", name, len(got))
		}
	}
}

// TestKeyGrades reads the private keys among the examples and grades them.
func TestKeyGrades(t *testing.T) {
	p := compileAll(t)
	want := map[string]Severity{
		"RSA PRIVATE KEY": Critical, "EC PRIVATE KEY": Critical, "PRIVATE KEY": Critical,
		"OPENSSH PRIVATE KEY": Critical, "PGP PRIVATE KEY BLOCK": Critical, "ENCRYPTED PRIVATE KEY": High,
		"SSH2 ENCRYPTED PRIVATE KEY": High,
	}
	encrypted := map[string]bool{}
	for n, text := range p.Rule("private-key").Match {
		p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
			kind, severity := field(m, "kind"), want[field(m, "kind")]
			if field(m, "encrypted") == "true" {
				severity, encrypted[kind] = High, true
			}
			if m.Severity != severity || m.Confidence != ConfidenceHigh {
				t.Errorf("example %d (%s) is %v with %v confidence, want %v, high", n+1, kind, m.Severity, m.Confidence, severity)
			}
			if whole := strings.Contains(text[m.Start:m.End], "END "); !whole {
				t.Errorf("example %d (%s): the match ends before the END line", n+1, kind)
			}
		})
	}
	for _, kind := range []string{"RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK", "ENCRYPTED PRIVATE KEY", "SSH2 ENCRYPTED PRIVATE KEY"} {
		if !encrypted[kind] {
			t.Errorf("no example of %s is recognised as encrypted", kind)
		}
	}
}

// TestTruncatedKey cuts a key at every place: it is found as long as enough is
// there, with less confidence, and nothing panics.
func TestTruncatedKey(t *testing.T) {
	p := compileAll(t)
	text := p.Rule("private-key").Match[0]
	least := len(text)
	for n := range strings.Index(text, "END") {
		p.Scan([]byte(text[:n]), 0, n, false, func(m *Match) {
			least = min(least, n)
			if m.Confidence == ConfidenceHigh {
				t.Errorf("cut at %d the key counts as whole", n)
			}
		})
	}
	if least > 120 || least < 90 {
		t.Errorf("a key counts from %d bytes on, want about 100", least)
	}
}

// TestServiceAccount names the format of a key in its JSON file.
func TestServiceAccount(t *testing.T) {
	p := compileAll(t)
	pem := p.Rule("private-key").Match[2]
	text := `{"type": "service_account", "private_key": "` + strings.ReplaceAll(pem, "\n", `\n`) + `", "client_email": "x@y.iam.example.com"}`
	found := 0
	p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
		found++
		if field(m, "format") != "Google service account" {
			t.Errorf("format is %q", field(m, "format"))
		}
	})
	if found != 1 {
		t.Errorf("%d findings, want 1", found)
	}
}

func TestMadeUp(t *testing.T) {
	for _, s := range []string{
		"ghp_xxxxxxxxxxxxxxxxxxxx", "token-0123456789", "AKIAABCDEFGHIJKLMNOP", "your-token-here", "deadbeefdeadbeefdeadbeef",
		"sk_live_REDACTED1234", "1212121212121212", "glpat-9876543210ExamplE0",
	} {
		if madeUp([]byte(s)) == "" {
			t.Errorf("%q passes for real", s)
		}
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	rnd := rand.New(rand.NewSource(2))
	suppressed := 0
	for range 20_000 {
		s := make([]byte, 100)
		for i := range s {
			s[i] = letters[rnd.Intn(len(letters))]
		}
		if madeUp(s) != "" {
			suppressed++
		}
	}
	if suppressed > 1 {
		t.Errorf("%d of 20,000 random tokens count as made up", suppressed)
	}
}

// FuzzValidators runs every validator on any span of any text. A validator
// keeps its bounds within the text, accepts what it accepts also when more text
// stands around, and never panics.
func FuzzValidators(f *testing.F) {
	for _, r := range readRules(f) {
		for _, s := range append(append([]string{}, r.Match...), r.Clean...) {
			f.Add([]byte(s), uint16(0), uint16(len(s)))
			f.Add([]byte(s), uint16(0), uint16(min(len(s), 31)))
		}
	}
	pad := bytes.Repeat([]byte("~\n"), MaxMatch/2)
	f.Fuzz(func(t *testing.T, data []byte, start, length uint16) {
		if len(data) < 11 {
			return
		}
		from := int(start) % (len(data) - 10)
		to := min(len(data), from+10+int(length))
		rule := &Rule{Severity: Critical, Confidence: ConfidenceHigh}
		for _, name := range ValidatorNames() {
			validate, _ := lookupValidator(name)
			m := newMatch(rule, from, to)
			ok := validate(data, &m)
			if !ok {
				continue
			}
			if m.Start < 0 || m.Start > m.SecretStart || m.SecretStart > m.SecretEnd || m.SecretEnd > m.End || m.End > len(data) {
				t.Fatalf("%s: bounds %d %d %d %d of %d", name, m.Start, m.SecretStart, m.SecretEnd, m.End, len(data))
			}
			if m.End-m.Start > to-from+MaxMatch {
				t.Fatalf("%s: the match grew from %d to %d bytes", name, to-from, m.End-m.Start)
			}
			if from == 0 || to == len(data) {
				continue // the edge of a text is a boundary, padding another
			}
			wide := append(append(append([]byte{}, pad...), data...), pad...)
			w := newMatch(rule, from+len(pad), to+len(pad))
			if validate(wide, &w) != ok {
				t.Fatalf("%s: the verdict changes with text far away", name)
			}
		}
	})
}

func newMatch(r *Rule, start, end int) Match {
	return Match{Rule: r, Start: start, End: end, SecretStart: start, SecretEnd: end, Severity: r.Severity, Confidence: r.Confidence}
}

// TestExampleFiles holds that no rule file contains a complete example secret:
// scanned by its own rules, each is clean from medium up. What the generic
// rules make of half a secret does not matter here.
func TestExampleFiles(t *testing.T) {
	p := compileAll(t)
	for _, name := range []string{"aws.toml", "github.toml", "gitlab.toml", "google.toml", "npm.toml", "private-key.toml", "slack.toml", "stripe.toml", "validators_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p.Scan(text, 0, len(text), false, func(m *Match) {
			if m.Placeholder == "" && m.Severity >= Medium && !m.Rule.Identifier && !m.Rule.Fallback {
				t.Errorf("%s:%d: %s", name, bytes.Count(text[:m.Start], []byte("\n"))+1, m.Rule.ID)
			}
		})
	}
}
