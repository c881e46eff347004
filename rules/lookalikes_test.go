package rules

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// maxLookAlikes is the share of look-alikes that may be reported at the gate's
// default. One false alarm in fifty lines that look like secrets is what a
// person still reads.
const maxLookAlikes = 0.02

// TestLookAlikes makes lines that look like secrets and are none, family by
// family, and counts those that would fail a commit. The lines are made here,
// by templates and drawn values, and not taken from anybody's code: neither the
// rules nor the weights of package generic were fitted to them.
func TestLookAlikes(t *testing.T) {
	p := compileAll(t)
	seen := map[string]bool{}
	total, reported := 0, 0
	for _, f := range lookAlikes {
		lines, bad := 0, []string{}
		draw := &drawer{rand.New(rand.NewPCG(1, uint64(len(f.name))))}
		for round := 0; round < 40 && lines < 60; round++ {
			for _, template := range f.lines {
				line := draw.fill(template)
				if seen[line] {
					continue
				}
				seen[line] = true
				lines++
				if rule := gateStops(p, line, 0, len(line)); rule != "" {
					bad = append(bad, rule+": "+template)
				}
			}
		}
		total += lines
		reported += len(bad)
		if lines < 20 {
			t.Errorf("%s: %d lines only", f.name, lines)
		}
		if len(bad)*5 > lines {
			t.Errorf("%s: %d of %d lines reported", f.name, len(bad), lines)
		}
		slices.Sort(bad)
		for _, b := range slices.Compact(bad) {
			t.Logf("%s: reported by %s", f.name, b)
		}
	}
	t.Logf("%d look-alikes in %d families, %d reported (%.2f %%)", total, len(lookAlikes), reported, 100*float64(reported)/float64(total))
	if total < 1500 {
		t.Errorf("%d look-alikes, want 1,500 at least", total)
	}
	if float64(reported) > maxLookAlikes*float64(total) {
		t.Errorf("%d of %d look-alikes reported, %.0f %% at most are tolerable", reported, total, 100*maxLookAlikes)
	}
}

// gateStops returns the rule that would fail a commit with text[from:to], "" if
// none does: severity medium and more, high confidence, no known example.
func gateStops(p *Program, text string, from, to int) (rule string) {
	p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
		if m.Severity >= Medium && m.Confidence == ConfidenceHigh && m.Placeholder == "" && m.SecretStart < to && m.SecretEnd > from {
			rule = m.Rule.ID
		}
	})
	return rule
}

// A drawer fills templates. The same seed makes the same lines.
type drawer struct{ *rand.Rand }

var hole = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`⟨([A-Za-z0-9]+) ?([0-9]*)⟩`) })

// fill replaces every ⟨kind⟩ or ⟨kind 40⟩ of a template by a drawn value.
func (d *drawer) fill(template string) string {
	return hole().ReplaceAllStringFunc(template, func(h string) string {
		m := hole().FindStringSubmatch(h)
		n := 0
		fmt.Sscan(m[2], &n)
		switch m[1] {
		case "hex":
			return d.text(n, "0123456789abcdef")
		case "HEX":
			return d.text(n, "0123456789ABCDEF")
		case "num":
			return d.text(max(n, 1), "123456789")
		case "b64":
			return d.text(n, base62+"+/")
		case "b62":
			return d.text(n, base62)
		case "low":
			return d.text(n, "abcdefghijklmnopqrstuvwxyz")
		case "uuid":
			return d.fill("⟨hex 8⟩-⟨hex 4⟩-4⟨hex 3⟩-a⟨hex 3⟩-⟨hex 12⟩")
		}
		words, ok := fillers()[m[1]]
		if !ok {
			panic("no filler " + m[1])
		}
		return words[d.IntN(len(words))]
	})
}

func (d *drawer) text(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[d.IntN(len(alphabet))]
	}
	return string(b)
}

// fillers are the words of each kind. They and hole are made on first use: a
// test measures what the package pays at start-up.
var fillers = sync.OnceValue(func() map[string][]string {
	return map[string][]string{
		"word":  strings.Fields("order invoice cart basket shipment ledger report profile address catalog widget planet garden harbor river window ticket season engine bridge"),
		"Word":  strings.Fields("Order Invoice Cart Basket Shipment Ledger Report Profile Address Catalog Widget Planet Garden Harbor River Window Ticket Season Engine Bridge"),
		"key":   strings.Fields("password passwd secret api_key access_token auth_token client_secret db_password secret_key private_key credentials passphrase refresh_token admin_password signing_key smtp_pass"),
		"Key":   strings.Fields("password apiKey accessToken authToken clientSecret dbPassword secretKey privateKey passphrase refreshToken adminPassword signingKey userPassword"),
		"Pas":   strings.Fields("Password ApiKey AccessToken AuthToken ClientSecret DbPassword SecretKey PrivateKey Passphrase RefreshToken AdminPassword SigningKey"),
		"KEY":   strings.Fields("PASSWORD DB_PASSWORD API_KEY ACCESS_TOKEN AUTH_TOKEN CLIENT_SECRET SECRET_KEY PRIVATE_KEY SMTP_PASS REFRESH_TOKEN GITHUB_TOKEN JWT_SECRET REDIS_PASSWORD"),
		"ph":    strings.Fields("changeme CHANGEME change-me your-password your_password <password> <your-password> [password] PASSWORD xxxxxxxx XXXXXXXXXXXX ******** ........ TODO REPLACE_ME replace-me placeholder REDACTED [REDACTED] none null undefined example EXAMPLE your-secret-here <secret> <YOUR_TOKEN> {password} insert-key-here dummy 00000000 12345678"),
		"phk":   strings.Fields("YOUR_API_KEY your-api-key <api-key> <your_api_key> xxxxxxxxxxxxxxxx XXXX-XXXX-XXXX-XXXX 0000000000000000 1234567890abcdef abcdefghijklmnop your_token_here insert_token_here REPLACE_WITH_YOUR_KEY example-api-key ${API_KEY} {{api_key}} %API_KEY% $API_KEY"),
		"host":  strings.Fields("example.com db.example.org localhost 127.0.0.1 api.example.com postgres redis mail.example.net"),
		"lang":  strings.Fields("en de fr es nl sv it pt"),
		"type":  strings.Fields("string String str &str Option<String> []byte char* varchar(255) SecureString bytes Secret<String> Vec<u8> TEXT NSString* std::string"),
		"func":  strings.Fields("getPassword() generate_token() readSecret(path) fetchKey(id) randomBytes(32) prompt() askPassword() uuid.NewString() crypto.randomUUID() hash(pw) decrypt(blob) load(name)"),
		"var":   strings.Fields("pw self.password this.token cfg.Secret opts.key args.password user.password_hash config.apiKey req.body.password params[:token] secrets.db request.headers settings.SECRET_KEY credentials.token input.Password form.password.data"),
		"env":   strings.Fields("DB_PASSWORD API_TOKEN SECRET_KEY STRIPE_KEY GITHUB_TOKEN SMTP_PASS JWT_SECRET AWS_SECRET_ACCESS_KEY"),
		"label": strings.Split("Enter your password|Forgot password?|Password must not be empty|Confirm your password|Invalid token|Your session token has expired|Please choose a secret question|Show password|Passwort eingeben|Mot de passe oublié ?|Contraseña incorrecta|Wachtwoord vergeten|API key is required|Sign in with your access key", "|"),
		"css":   strings.Fields("password-input token-list__item secret-field--hidden auth-form__password btn-api-key key-value-row input-password-toggle credential-card"),
		"path":  strings.Fields("/run/secrets/db_password ./certs/server.key /etc/ssl/private/ca.pem ~/.ssh/id_ed25519 config/secrets.yml C:\\keys\\app.pfx ../fixtures/token.json secret/data/app /var/lib/app/auth.json"),
		"enum":  strings.Fields("PASSWORD_RESET TOKEN_EXPIRED INVALID_CREDENTIALS AUTH_REQUIRED KEY_NOT_FOUND SECRET_ROTATED PASSWORD_TOO_SHORT"),
		"alg":   strings.Fields("HS256 RS256 AES-256-GCM SHA256withRSA PBKDF2WithHmacSHA256 bcrypt ed25519 scram-sha-256 mysql_native_password caching_sha2_password"),
		"ver":   strings.Fields("1.0.0 2.13.7-beta.1 v18.2.0 0.0.0-20240102150405 4.17.21 3.0.0-rc.2+build.5 2024.1"),
		"pkg":   strings.Fields("left-pad lodash react-dom token-types password-hash key-tree secret-stack auth-header js-tokens"),
	}
})
