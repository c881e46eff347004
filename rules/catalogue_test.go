package rules

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A knownFormat is a line of testdata/catalogue.txt.
type knownFormat struct {
	name    string
	rules   []string // the beginnings of rule ids that count as its own
	keyword string   // "-" where the shape alone tells it
	shape   string
}

func readCatalogue(t *testing.T) []knownFormat {
	t.Helper()
	text, err := os.ReadFile("testdata/catalogue.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []knownFormat
	seen := map[string]bool{}
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.SplitN(line, " ", 4)
		if len(f) != 4 || seen[f[0]] {
			t.Fatalf("catalogue.txt:%d: want a new name, rules, a keyword and a shape", n+1)
		}
		seen[f[0]] = true
		list = append(list, knownFormat{f[0], strings.Split(f[1], ","), f[2], f[3]})
	}
	return list
}

// TestCatalogue draws three secrets of every format that the field knows, puts
// each into the contexts in which other tools' tests and people's files have
// it, and asks whether a rule of its provider finds it. A format counts as
// known when that is so for nine contexts in ten.
func TestCatalogue(t *testing.T) {
	p := compileAll(t)
	var misses, weak []string
	formats, known, blocking, texts, found := 0, 0, 0, 0, 0
	for _, f := range readCatalogue(t) {
		d := &drawer{rand.New(rand.NewPCG(7, uint64(crc32.ChecksumIEEE([]byte(f.name)))))}
		tried, own, stops := 0, 0, 0
		var where []string
		for range 3 {
			secret := d.shape(f.shape)
			for _, c := range contextsOf(f.keyword) {
				text := c.fill(f.keyword, secret)
				tried++
				ok, stop := foundByOwn(p, &f, text, secret)
				if ok {
					own++
				} else if !slices.Contains(where, c.name) {
					where = append(where, c.name)
				}
				if stop {
					stops++
				}
			}
		}
		formats++
		texts += tried
		found += own
		if own*10 >= tried*9 {
			known++
		} else {
			misses = append(misses, f.name+": "+strconv.Itoa(own)+" of "+strconv.Itoa(tried)+", not in "+strings.Join(where, ", "))
		}
		if stops*10 >= tried*5 {
			blocking++
		} else if f.keyword == "-" {
			weak = append(weak, f.name)
		}
	}
	for _, m := range misses {
		t.Logf("missed: %s", m)
	}
	t.Logf("told by their shape, and no finding fails the gate: %s", strings.Join(weak, " "))
	t.Logf("%d formats: %d known (%.1f %%), %d fail the gate; %d texts, %d found by their own rule (%.1f %%)",
		formats, known, 100*float64(known)/float64(formats), blocking, texts, found, 100*float64(found)/float64(texts))
	if formats < 1000 || known*100 < formats*minKnown {
		t.Errorf("%d of %d formats are known, want %d %% of 1,000 and more", known, formats, minKnown)
	}
}

// minKnown is the share of formats that must be found by their own rule.
const minKnown = 95

// foundByOwn reports whether a rule of the format finds the secret, or a part of
// it, and whether that fails a commit, together with what fallback rules say of
// the same place.
func foundByOwn(p *Program, f *knownFormat, text, secret string) (own, stops bool) {
	from := strings.Index(text, secret)
	to := from + len(secret)
	p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
		if m.Placeholder != "" || m.SecretStart >= to || m.SecretEnd <= from {
			return
		}
		if !m.Rule.Fallback {
			own = own || slices.ContainsFunc(f.rules, func(prefix string) bool { return strings.HasPrefix(m.Rule.ID, prefix) })
		}
		stops = stops || m.Confidence == ConfidenceHigh && m.Severity >= Medium
	})
	return own, stops && own
}

// A context is a way to write down a secret: KEYWORD stands for the keyword in
// capitals, keyword for it as it is, camel for it in camel case, V for the secret.
type context struct{ name, text string }

var keywordContexts = []context{
	{"environment", "⟨KEYWORD⟩_API_KEY=⟨V⟩\n"},
	{"export", "export ⟨KEYWORD⟩_TOKEN=\"⟨V⟩\"\n"},
	{"json", "{\n  \"⟨camel⟩ApiKey\": \"⟨V⟩\",\n  \"debug\": true\n}\n"},
	{"dashes", "\"⟨keyword⟩-token\": \"⟨V⟩\"\n"},
	{"properties", "⟨keyword⟩.key: ⟨V⟩\n"},
	{"snake", "⟨keyword⟩_api_key = \"⟨V⟩\"\n"},
	{"words", "⟨keyword⟩ token = '⟨V⟩'\n"},
	{"prose", "You can find a ⟨keyword⟩ secret ⟨V⟩ within\n"},
	{"log", "[INFO] Sending request to the ⟨keyword⟩ API\n[DEBUG] Using Key=⟨V⟩\n[INFO] Response received: 200 OK\n"},
	{"section", "⟨keyword⟩:\n  enabled: true\n  api_key: \"⟨V⟩\"\n"},
	{"code", "    const ⟨camel⟩Token = '⟨V⟩';\n"},
	{"argument", "client := ⟨camel⟩.New(\"token\", \"⟨V⟩\")\n"},
	{"header", "\turl := \"https://api.⟨keyword⟩.com/v1/items\"\n\treq.Header.Set(\"Authorization\", \"Bearer ⟨V⟩\")\n"},
	{"xml", "<com.cloudbees.plugins.credentials.impl.StringCredentialsImpl>\n  <scope>GLOBAL</scope>\n  <id>{⟨keyword⟩}</id>\n  <secret>{AQAAABAAA ⟨V⟩}</secret>\n"},
}

var bareContexts = []context{
	{"alone", "⟨V⟩\n"},
	{"environment", "SERVICE_TOKEN=⟨V⟩\n"},
	{"json", "{\n  \"key\": \"⟨V⟩\",\n  \"debug\": true\n}\n"},
	{"yaml", "  value: ⟨V⟩\n"},
	{"code", "    client = connect('⟨V⟩')\n"},
	{"header", "curl -H \"Authorization: Bearer ⟨V⟩\" https://api.example.com/v1\n"},
	{"own header", "X-Api-Key: ⟨V⟩\n"},
	{"prose", "You can find a secret ⟨V⟩ within\n"},
	{"xml", "  <secret>{AQAAABAAA ⟨V⟩}</secret>\n"},
	{"log", "[DEBUG] Using Key=⟨V⟩\n"},
}

// contextsOf returns the contexts of a keyword. One that says itself what the
// value is, such as client_secret, needs fewer.
func contextsOf(keyword string) []context {
	switch {
	case keyword == "-":
		return bareContexts
	case regexp.MustCompile(`(?i)(_|\.)?(secret|key|token|pat|password|PrivateKey|COM|Token)$`).MatchString(keyword):
		return []context{
			{"environment", "⟨KEYWORD⟩=⟨V⟩\n"}, {"quoted", "⟨keyword⟩ = \"⟨V⟩\"\n"},
			{"json", "  \"⟨keyword⟩\": \"⟨V⟩\",\n"}, {"yaml", "  ⟨keyword⟩: ⟨V⟩\n"}, {"php", "'⟨keyword⟩' => '⟨V⟩',\n"},
		}
	}
	return keywordContexts
}

func (c context) fill(keyword, secret string) string {
	upper := strings.ToUpper(regexp.MustCompile(`[^0-9A-Za-z_]+`).ReplaceAllString(keyword, "_"))
	camel := regexp.MustCompile(`[^0-9A-Za-z]+(.?)`).ReplaceAllStringFunc(keyword, func(s string) string {
		return strings.ToUpper(strings.TrimLeft(s, "-_. "))
	})
	return strings.NewReplacer("⟨KEYWORD⟩", upper, "⟨camel⟩", camel, "⟨keyword⟩", keyword, "⟨V⟩", secret).Replace(c.text)
}

// shapeHole and shapeAlphabets are made on first use, like fillers.
var shapeHole = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<([A-Za-z]+?)([0-9]*)>`) })

// shapeAlphabets are the letters of catalogue.txt.
var shapeAlphabets = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"h": "0123456789abcdef", "H": "0123456789ABCDEF", "a": base36, "A": base62,
		"U": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "d": "0123456789", "L": base62[10:], "B": "abcdefghijklmnopqrstuvwxyz234567", "P": "abcdefghijklmnopqrstuvwxyz234567",
		"w": base62 + "_-", "b": base62 + "+/", "AWS": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
	}
})

// shape draws a secret. A checksum covers what stands before it, behind the
// prefix.
func (d *drawer) shape(shape string) string {
	out, rest := "", shape
	for {
		m := shapeHole().FindStringSubmatchIndex(rest)
		if m == nil {
			return out + rest
		}
		out += rest[:m[0]]
		kind, count := rest[m[2]:m[3]], rest[m[4]:m[5]]
		rest = rest[m[1]:]
		n, _ := strconv.Atoi(count)
		switch {
		case kind == "uuid":
			out += d.fill("⟨uuid⟩")
		case kind == "jwt":
			body := `{"sub":"` + d.text(18, base36) + `","iat":17` + d.text(8, "0123456789") + `}`
			out += "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + base64.RawURLEncoding.EncodeToString([]byte(body)) + "." + d.text(43, base62+"_-")
		case kind == "ghcrc" || kind == "npmcrc":
			var sum [6]byte
			putBase(sum[:], uint64(crc32.ChecksumIEEE([]byte(out[4:]))), base62)
			out += string(sum[:])
		case kind == "BECH":
			out += d.bech32(out, n)
		case kind == "nkey":
			raw := append([]byte{0x95, 0}, d.text(32, base62)...) // the seed of a user
			raw = binary.LittleEndian.AppendUint16(raw, crc16(raw))
			out += base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
		case n == 0:
			panic("unknown hole in " + shape)
		default:
			out += d.text(n, shapeAlphabets()[kind])
		}
	}
}

// bech32 draws n characters of which the last six are the checksum of BIP 173
// over the prefix, which ends in "1", and those before.
func (d *drawer) bech32(prefix string, n int) string {
	const charset = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	body := d.text(n-6, charset)
	check := uint32(1)
	human := prefix[:len(prefix)-1]
	for i := range human {
		check = bech32Step(check, toLower(human[i])>>5)
	}
	check = bech32Step(check, 0)
	for i := range human {
		check = bech32Step(check, toLower(human[i])&31)
	}
	for i := range body {
		check = bech32Step(check, byte(strings.IndexByte(charset, body[i])))
	}
	for range 6 {
		check = bech32Step(check, 0)
	}
	for i := range 6 {
		body += string(charset[(check^1)>>(5*(5-i))&31])
	}
	return body
}
