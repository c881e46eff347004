package generic

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// made-up values, in halves so that no scanner takes this file for a leak
const (
	strong = "x9Kq2v" + "LmT4pRz8Wb"
	weak   = "hunter" + "2"
)

func TestFindCutsTheValueInEveryLanguage(t *testing.T) {
	for _, tt := range []struct{ text, key, syntax string }{
		{`password = "V"`, "password", "assign"},
		{`	password := "V" // comment`, "password", "assign"},
		{`var dbPassword string = "V"`, "dbPassword", "assign"},
		{`const apiToken: string = 'V';`, "apiToken", "assign"},
		{`"password": "V",`, "password", "assign"},
		{`{\"password\":\"V\",\"x\":1}`, "password", "assign"},
		{`'secret' => 'V',`, "secret", "assign"},
		{`:password => "V"`, "password", "assign"},
		{`db_password: V`, "db_password", "assign"},
		{`export DB_PASSWORD=V`, "DB_PASSWORD", "assign"},
		{`DB_PASSWORD="V" \`, "DB_PASSWORD", "assign"},
		{`-e MYSQL_ROOT_PASSWORD=V -p 1:1`, "MYSQL_ROOT_PASSWORD", "assign"},
		{`jdbc:x://h/db?user=u&password=V&ssl=true`, "password", "assign"},
		{`Server=h;Password=V;Encrypt=yes`, "Password", "assign"},
		{`config["password"] = "V"`, "password", "assign"},
		{`$config['db']['password'] = 'V';`, "password", "assign"},
		{`obj.setPassword("V");`, "obj.setPassword", "call"},
		{`withToken('V')`, "withToken", "call"},
		{`define('DB_PASSWORD', 'V');`, "DB_PASSWORD", "pair"},
		{`os.environ.get("API_TOKEN", "V")`, "API_TOKEN", "pair"},
		{`mysqladmin --password V status`, "--password", "flag"},
		{`mysqladmin --password=V status`, "--password", "assign"},
		{`Connect-Thing -Password "V"`, "-Password", "flag"},
		{`machine h login u password V`, "password", "word"},
		{`ENV DB_PASSWORD V`, "DB_PASSWORD", "word"},
		{`CREATE USER u IDENTIFIED BY 'V'`, "IDENTIFIED BY", "word"},
		{`ALTER ROLE r PASSWORD 'V'`, "PASSWORD", "word"},
		{`$p = ConvertTo-SecureString "V" -AsPlainText`, "ConvertTo-SecureString", "word"},
		{`ConvertTo-SecureString -String "V"`, "ConvertTo-SecureString", "word"},
		{`<password>V</password>`, "password", "element"},
		{`<add key="apiToken" value="V"/>`, "apiToken", "attribute"},
		{`AccessKey: aws.String("V"),`, "AccessKey", "assign"},
		{`password = b'V'`, "password", "assign"},
		{`SecretKey = []byte("V")`, "SecretKey", "assign"},
		{`if password == "V" {`, "password", "compare"},
		{`password="""V"""`, "password", "assign"},
		{`{"name": "DB_PASSWORD", "value": "V"}`, "DB_PASSWORD", "attribute"},
		{"- name: DB_PASSWORD\n  value: V\n", "DB_PASSWORD", "attribute"},
		{"{\n  \"key\": \"password\",\n  \"value\": \"V\",\n}", "password", "attribute"},
		{`postgres://admin:V@db.internal:5432/app`, "postgres://admin", "url"},
		{`Authorization: Bearer V`, "Bearer", "header"},
		{`-H 'authorization: Basic V'`, "Basic", "header"},
	} {
		text := strings.ReplaceAll(tt.text, "V", strong)
		found := false
		for _, c := range All([]byte(text)) {
			if text[c.Start:c.End] == strong {
				found = true
				if got := text[c.KeyStart:c.KeyEnd]; got != tt.key || c.Syntax.String() != tt.syntax {
					t.Errorf("%s: name %q by %s, want %q by %s", tt.text, got, c.Syntax, tt.key, tt.syntax)
				}
				break
			}
		}
		if !found {
			t.Errorf("%s: the value was not found", tt.text)
		}
	}
}

func TestFindLeavesAlone(t *testing.T) {
	for _, text := range []string{
		"password", "password:", "password =", "the password is not here, is it", `"password"`, "https://example.com/a:b@c", "://:@", `password = ""`,
		"bearer ", "Bearer ${TOKEN}", "x://user:@host",
	} {
		for _, c := range All([]byte(text)) {
			if Judge([]byte(text), c) > 0 {
				t.Errorf("%q: %q counts as a secret", text, text[c.Start:c.End])
			}
		}
	}
}

// best returns the highest score in a line.
func best(text string) Score {
	s := Score(-100_000)
	for _, c := range All([]byte(text)) {
		s = max(s, Judge([]byte(text), c))
	}
	return s
}

func TestJudgeTellsSecretsFromCode(t *testing.T) {
	for _, text := range []string{
		`password = "` + weak + `"`, `api_key: ` + strong, `{"client_secret": "` + strong + `"}`,
		`DB_PASSWORD=` + strong, `mysql://root:` + strong + `@db/app`, `Authorization: Bearer ` + strong + strong, `token: '` + strong + `'`,
	} {
		if s := best(text); s < 1000 {
			t.Errorf("%.20q…: score %d", text, s)
		}
	}
	for _, text := range []string{
		`password = getpass.getpass()`, `config.Password = values[EnvPassword]`, `token := os.Getenv("TOKEN")`, `password: ${DB_PASSWORD}`,
		`key = "name"`, `public_key_path: /etc/ssl/key.pem`, `"token": "string"`, `secret = None`, `def login(user, password=None):`,
		`api_key = "<your api key>"`, `tokenTimeout: 2591977,`, `passwordLabel = "Enter your password"`, `author = "Jane Doe"`,
	} {
		if s := best(text); s > 0 {
			t.Errorf("%q: score %d", text, s)
		}
	}
}

func TestExplainAddsUpToTheScore(t *testing.T) {
	text := []byte(`db_password: "` + strong + `"`)
	c := All(text)[0]
	sum := 0.0
	for _, x := range Explain(text, c) {
		sum += x.Weight
	}
	if got := float64(Judge(text, c)) / 1000; sum < got-0.01 || sum > got+0.01 {
		t.Errorf("the contributions add up to %.3f, the score is %.3f", sum, got)
	}
	if first := Explain(text, c)[0]; first.Feature == "" || first.Weight == 0 {
		t.Error("the heaviest feature says nothing")
	}
	for _, x := range Explain(text, c) {
		if strings.Contains(x.Feature, strong[:8]) {
			t.Error("an explanation holds the secret")
		}
	}
}

func TestTables(t *testing.T) {
	if !slices.IsSorted(weightHashes[:]) || len(weightHashes) != len(weights) || len(weights) < 100 {
		t.Errorf("%d weights for %d hashes, or not sorted", len(weights), len(weightHashes))
	}
	size := 6 * len(weights)
	size += len(pairCost)
	for n, words := range dictionary {
		size += len(words)
		if n > 0 && len(words)%n != 0 {
			t.Errorf("words of %d letters have %d in all", n, len(words))
		}
	}
	if size > 100_000 {
		t.Errorf("the model takes %d bytes", size)
	}
	for _, w := range []string{"password", "About", "THE"} {
		if longestWord([]byte(w)) != len(w) {
			t.Errorf("%q is not in the dictionary", w)
		}
	}
	if a, b := randomness([]byte("connection")), randomness([]byte("xqzjkvwpqh")); a > 0.3 || b < 0.5 {
		t.Errorf("randomness of a word %.2f, of drawn letters %.2f", a, b)
	}
}

func TestJudgeDoesNotAllocate(t *testing.T) {
	text := []byte(`db_password: "` + strong + `"`)
	c, ok := Find(text, 3, 8)
	if !ok {
		t.Fatal("not found")
	}
	if n := testing.AllocsPerRun(100, func() { Judge(text, c) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { Find(text, 3, 8) }); n > 0 {
		t.Errorf("%v allocations to find", n)
	}
}

// FuzzAll checks that every candidate lies in the text and that what is judged
// depends on nothing beyond Reach.
func FuzzAll(f *testing.F) {
	f.Add([]byte(`password = "x"`))
	f.Add([]byte("http://a:b@c \x00 token=&quot;\\"))
	f.Add([]byte("secret: [ ( { aws.String("))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, c := range All(text) {
			if c.KeyStart < 0 || c.KeyEnd < c.KeyStart || c.Start >= c.End || c.End > len(text) || c.KeyEnd > len(text) || c.End-c.Start > 1024+MaxValue {
				t.Fatalf("candidate %+v of %d bytes", c, len(text))
			}
			if Judge(text, c) != Judge(slices.Clone(text), c) {
				t.Fatal("two scores for one text")
			}
			Explain(text, c)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	text := []byte(`db_password: "` + strong + `"`)
	c, _ := Find(text, 3, 8)
	for b.Loop() {
		Judge(text, c)
	}
}

// TestFoldedLikeContainsFold holds the quick search for many words to the
// letter by letter one, and the longest word to the one that every length is
// asked for.
func TestFoldedLikeContainsFold(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 4))
	alphabet := []byte("paSsWoRd-_ @`[{\x00é9keyTOKEN")
	for range 20000 {
		text := make([]byte, g.IntN(40))
		for i := range text {
			text[i] = alphabet[g.IntN(len(alphabet))]
		}
		for _, w := range []string{"pass", "key", "d-", " ", "@", "token"} {
			if got, want := contains(fold(nil, text), w), containsFold(text, w); got != want {
				t.Fatalf("%q in %q: %v, want %v", w, text, got, want)
			}
		}
		letters := bytes.Map(func(r rune) rune {
			if r > 'z' || !letter(byte(r)) {
				return -1
			}
			return r
		}, text)
		want := 0
		for n := min(len(letters), len(dictionary)-1); n >= shortestWord && want == 0; n-- {
			if hasWord(dictionary[n], letters[:n]) {
				want = n
			}
		}
		if got := longestWord(letters); got != want {
			t.Fatalf("the longest word of %q has %d letters, want %d", letters, got, want)
		}
	}
}
