package rules

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	testUUID = "3f0a9c4e-77d1-4b02-9e5f-" + "0c6d8b1a2f93"
	testMRK  = "mrk-" + "3f0a9c4e77d14b029e5f0c6d8b1a2f93"
	testKey  = "arn:aws:kms:eu-west-1:421087653219:key/" + testUUID
)

// arnPatterns are those of the tests, one rule each.
var arnPatterns = []string{
	"kms key/{uuid|mrk}",
	"kms alias/{[a-zA-Z0-9/_-]1,250}",
	"iam::account role/{name}",
	"iam::aws policy/{name}",
	"s3:: {bucket}",
	"rds (db|cluster|snapshot):{[0-9a-z-]1,63}",
	"lambda function:{[0-9A-Za-z_-]1,64}(:{[0-9A-Za-z_$-]1,128})?",
	"secretsmanager secret:{[0-9A-Za-z/_+=.@!-]1,512}-{[0-9A-Za-z]6}",
	"ssm parameter/{[0-9A-Za-z_./-]1,1011}",
	"cognito-idp userpool/{region}_{[0-9A-Za-z]1,55}",
	"apigateway:region: /restapis/{[0-9a-z]10}",
	"sns {[0-9A-Za-z_-]1,256}:{uuid}",
	"eks cluster/{digits}",
}

func arnProgram(t testing.TB) *Program {
	var rules []Rule
	for _, a := range arnPatterns {
		rules = append(rules, Rule{ID: a, Confidence: ConfidenceHigh, Patterns: []Pattern{{ARN: a}}})
	}
	p, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// arns returns rule, text and confidence of what p finds.
func arns(p *Program, text string) []string {
	var out []string
	p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
		out = append(out, fmt.Sprintf("%s %s %s", m.Rule.ID, text[m.Start:m.End], m.Confidence))
	})
	return out
}

func TestARNMatches(t *testing.T) {
	p := arnProgram(t)
	for _, c := range []struct{ rule, text, arn, confidence string }{
		{"kms key/{uuid|mrk}", testKey, testKey, "high"},
		{"kms key/{uuid|mrk}", `"` + testKey + `"`, testKey, "high"},
		{"kms key/{uuid|mrk}", "aws-kms://" + testKey, testKey, "high"},
		{"kms key/{uuid|mrk}", "See " + testKey + ".", testKey, "high"},
		{"kms key/{uuid|mrk}", "arn:aws:kms:us-east-1:012345678904:key/" + testMRK, "arn:aws:kms:us-east-1:012345678904:key/" + testMRK, "high"},
		{"kms key/{uuid|mrk}", strings.ReplaceAll(testKey, testUUID, strings.ToUpper(testUUID)), strings.ReplaceAll(testKey, testUUID, strings.ToUpper(testUUID)), "medium"},
		{"kms key/{uuid|mrk}", strings.Replace(testKey, "eu-west-1", "eu-west-9", 1), strings.Replace(testKey, "eu-west-1", "eu-west-9", 1), "medium"},
		{"kms key/{uuid|mrk}", strings.Replace(testKey, "aws:kms:eu-west-1", "aws-cn:kms:cn-north-1", 1), strings.Replace(testKey, "aws:kms:eu-west-1", "aws-cn:kms:cn-north-1", 1), "high"},
		{"kms key/{uuid|mrk}", strings.Replace(testKey, "aws:kms:eu-west-1", "aws-us-gov:kms:us-gov-west-1", 1), strings.Replace(testKey, "aws:kms:eu-west-1", "aws-us-gov:kms:us-gov-west-1", 1), "high"},
		{"kms key/{uuid|mrk}", strings.Replace(testKey, "aws:kms:eu-west-1", "aws-eusc:kms:eusc-de-east-1", 1), strings.Replace(testKey, "aws:kms:eu-west-1", "aws-eusc:kms:eusc-de-east-1", 1), "high"},
		{"kms key/{uuid|mrk}", strings.Replace(testKey, "aws:kms:eu-west-1", "aws-moon:kms:moon-base-1", 1), strings.Replace(testKey, "aws:kms:eu-west-1", "aws-moon:kms:moon-base-1", 1), "medium"},
		{"kms alias/{[a-zA-Z0-9/_-]1,250}", "(arn:aws:kms:eu-west-1:421087653219:alias/app/main_1)", "arn:aws:kms:eu-west-1:421087653219:alias/app/main_1", "high"},
		{"iam::account role/{name}", "arn:aws:iam::421087653219:role/ops/Admin, and", "arn:aws:iam::421087653219:role/ops/Admin", "high"},
		{"iam::aws policy/{name}", "arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess", "high"},
		{"s3:: {bucket}", "arn:aws:s3:::my-bucket.example/*", "arn:aws:s3:::my-bucket.example", "high"},
		{"s3:: {bucket}", "arn:aws:s3:::my-bucket.", "arn:aws:s3:::my-bucket", "high"},
		{"rds (db|cluster|snapshot):{[0-9a-z-]1,63}", "arn:aws:rds:eu-west-1:421087653219:cluster:main", "arn:aws:rds:eu-west-1:421087653219:cluster:main", "high"},
		{"lambda function:{[0-9A-Za-z_-]1,64}(:{[0-9A-Za-z_$-]1,128})?", "arn:aws:lambda:eu-west-1:421087653219:function:f:$LATEST", "arn:aws:lambda:eu-west-1:421087653219:function:f:$LATEST", "high"},
		{"lambda function:{[0-9A-Za-z_-]1,64}(:{[0-9A-Za-z_$-]1,128})?", "arn:aws:lambda:eu-west-1:421087653219:function:f'", "arn:aws:lambda:eu-west-1:421087653219:function:f", "high"},
		{"secretsmanager secret:{[0-9A-Za-z/_+=.@!-]1,512}-{[0-9A-Za-z]6}", "arn:aws:secretsmanager:eu-west-1:421087653219:secret:db/main-a1B2c3\n", "arn:aws:secretsmanager:eu-west-1:421087653219:secret:db/main-a1B2c3", "high"},
		{"ssm parameter/{[0-9A-Za-z_./-]1,1011}", "arn:aws:ssm:eu-west-1:421087653219:parameter/app/x", "arn:aws:ssm:eu-west-1:421087653219:parameter/app/x", "high"},
		{"cognito-idp userpool/{region}_{[0-9A-Za-z]1,55}", "arn:aws:cognito-idp:eu-west-1:421087653219:userpool/eu-west-1_aBcDeFgHi", "arn:aws:cognito-idp:eu-west-1:421087653219:userpool/eu-west-1_aBcDeFgHi", "high"},
		{"apigateway:region: /restapis/{[0-9a-z]10}", "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5", "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5", "high"},
		{"sns {[0-9A-Za-z_-]1,256}:{uuid}", "arn:aws:sns:eu-west-1:421087653219:topic:" + testUUID, "arn:aws:sns:eu-west-1:421087653219:topic:" + testUUID, "high"},
	} {
		want := []string{fmt.Sprintf("%s %s %s", c.rule, c.arn, c.confidence)}
		if got := arns(p, c.text); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", c.text, got, want)
		}
	}
}

func TestARNRefuses(t *testing.T) {
	p := arnProgram(t)
	for _, text := range []string{
		"arn:aws:kms:cn-north-1:421087653219:key/" + testUUID,                    // Region of another partition
		"arn:aws:kms:us-gov-west-1:421087653219:key/" + testUUID,                 // the same, by a longer prefix
		"arn:aws-cn:kms:eu-west-1:421087653219:key/" + testUUID,                  // the same
		"arn:aws-moon:kms:eu-west-1:421087653219:key/" + testUUID,                // a new partition has no old Regions
		"arn:awsx:kms:eu-west-1:421087653219:key/" + testUUID,                    // no partition
		"arn:aws:kms:eu-west-1:42108765321:key/" + testUUID,                      // 11 digits
		"arn:aws:kms:eu-west-1:4210876532190:key/" + testUUID,                    // 13 digits
		"arn:aws:kms::421087653219:key/" + testUUID,                              // no Region
		"arn:aws:kms:eu-west-1::key/" + testUUID,                                 // no account
		"arn:aws:kms:*:421087653219:key/" + testUUID,                             // wildcard
		"arn:aws:kms:${AWS::Region}:421087653219:key/" + testUUID,                // template
		"arn:aws:kms:eu-west-1:421087653219:key/*",                               // wildcard
		"arn:aws:kms:eu-west-1:421087653219:key/${key}",                          // template
		"arn:aws:kms:eu-west-1:421087653219:key/<id>",                            // template
		"arn:aws:kms:eu-west-1:421087653219:key/" + testUUID[:30],                // truncated
		"arn:aws:kms:eu-west-1:421087653219:key/" + testUUID + "0",               // longer
		"arn:aws:kms:eu-west-1:421087653219:key/" + testUUID + "-x",              // longer
		"arn:aws:kms:eu-west-1:421087653219:key/" + testUUID + "*",               // wildcard
		"arn:aws:kms:eu-west-1:421087653219:key/" + testMRK + "Z",                // longer
		"arn:aws:kms:eu-west-1:421087653219:key:" + testUUID,                     // wrong separator
		"learn:aws:kms:eu-west-1:421087653219:key/" + testUUID,                   // within a word
		"_arn:aws:kms:eu-west-1:421087653219:key/" + testUUID,                    // the same
		"ARN:aws:kms:eu-west-1:421087653219:key/" + testUUID,                     // not an ARN
		"arn:aws:kmss:eu-west-1:421087653219:key/" + testUUID,                    // another service
		"arn:aws:kms:eu-west-1:421087653219:alias/app*",                          // wildcard
		"arn:aws:kms:eu-west-1:421087653219:alias/app-${env}",                    // template
		"arn:aws:kms:eu-west-1:421087653219:alias/app{env}",                      // template
		"arn:aws:kms:eu-west-1:421087653219:alias/#{name}",                       // template
		"arn:aws:kms:eu-west-1:421087653219:alias/%s",                            // template
		"arn:aws:kms:eu-west-1:421087653219:alias/app-<env>",                     // template
		"arn:aws:kms:eu-west-1:421087653219:alias/foo...",                        // truncated
		"arn:aws:kms:eu-west-1:421087653219:alias/foo…",                          // truncated
		"arn:aws:kms:eu-west-1:421087653219:alias/foo-\" + env",                  // put together
		"arn:aws:kms:eu-west-1:421087653219:alias/" + strings.Repeat("a", 251),   // too long
		"arn:aws:iam::421087653219:role/",                                        // nothing
		"arn:aws:iam::421087653219:role/...",                                     // nothing
		"arn:aws:iam:eu-west-1:421087653219:role/Admin",                          // a Region where none is
		"arn:aws:s3:::Bucket",                                                    // no bucket
		"arn:aws:secretsmanager:eu-west-1:421087653219:secret:db/main",           // partial
		"arn:aws:secretsmanager:eu-west-1:421087653219:secret:db/main-a1B2c3-??", // wildcard
		"arn%3Aaws%3Akms%3Aeu-west-1%3A421087653219%3Akey%2F*",                   // wildcard
		"arn%zzaws:kms", "arn:aws", "arn:aws:", "arn%3", "arn:aws:kms:", "arn\\u003", "arn:aws-",
	} {
		if got := arns(p, text); len(got) > 0 {
			t.Errorf("%s: found %q", text, got)
		}
	}
}

func TestARNFields(t *testing.T) {
	p := arnProgram(t)
	text := []byte(`{"k":"arn%3Aaws\u003akms:eu-west-1%253A421087653219:key\/` + testUUID + `"}`)
	n := 0
	p.Scan(text, 0, len(text), false, func(m *Match) {
		n++
		want := []Field{{"arn", testKey}, {"partition", "aws"}, {"region", "eu-west-1"},
			{"account", "421087653219"}, {"resource", "key/" + testUUID}}
		if !slices.Equal(m.Fields, want) {
			t.Errorf("fields %v, want %v", m.Fields, want)
		}
		if got := string(text[m.SecretStart:m.SecretEnd]); !strings.HasPrefix(got, "arn%3A") || !strings.HasSuffix(got, testUUID) {
			t.Errorf("the match is %q", got)
		}
	})
	if n != 1 {
		t.Errorf("%d matches", n)
	}
}

// However the separators are written, each for itself, the ARN is found and
// comes out plain.
func TestARNEncodings(t *testing.T) {
	p := arnProgram(t)
	r := rand.New(rand.NewPCG(1, 1))
	colons := []string{":", "%3A", "%3a", "%253A", "%253a", `\u003a`, `\u003A`}
	slashes := []string{"/", "%2F", "%2f", "%252F", "%252f", `\/`, `\u002f`, `\u002F`}
	for range 2000 {
		var b strings.Builder
		for _, c := range testKey {
			switch c {
			case ':':
				b.WriteString(colons[r.IntN(len(colons))])
			case '/':
				b.WriteString(slashes[r.IntN(len(slashes))])
			default:
				b.WriteRune(c)
			}
		}
		before := []string{"", " ", "'", "%22", `\n`, `\u0022`, "=", "%3D", "//"}[r.IntN(9)]
		after := []string{"", " ", "'", "%22", `\n`, `"`, "&", ".", ",", ")"}[r.IntN(10)]
		if got := arns(p, before+b.String()+after); len(got) != 1 || !strings.Contains(got[0], " "+b.String()+" ") {
			t.Fatalf("%s: %q", before+b.String()+after, got)
		}
	}
}

func TestParseARNPatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                            "one space",
		"kms":                         "one space",
		"kms  key/{uuid}":             "one space",
		"kms key/{uuid":               "missing }",
		"kms key/{uid}":               `did you mean "uuid"`,
		"kms key/(a|b":                "missing )",
		"kms key/)":                   "unexpected ')'",
		"kms key/{[a-z]}":             "bounds",
		"kms key/{[a-z]5,2}":          "bounds",
		"kms key/{[a-z]0,2}":          "bounds",
		"kms key/{[a-z1,2}":           "missing ]",
		"kms key/{[^a]1,2}":           "ASCII",
		"kms key/{[z-a]1,2}":          "invalid character class",
		"kms key/{[a-z]1,2000}":       "1 to",
		"kms key/*":                   "no meaning",
		"kms ()":                      "empty",
		"kms a||b":                    "empty",
		"KMS key/{uuid}":              "lower-case",
		"kms:region key/{uuid}":       "service:region:account",
		"kms:Region:account {uuid}":   "empty, the word region",
		"kms ((((((((((a))))))))))":   "nested",
		"kms key/{uuid|}":             "unknown type",
		"kms:region:account:x {uuid}": "service:region:account",
	} {
		if err := ParseARNPattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", pattern, err, want)
		}
	}
	for _, pattern := range arnPatterns {
		if err := ParseARNPattern(pattern); err != nil {
			t.Error(err)
		}
	}
}

// plainKey is the twin of the first pattern for text without escapes.
var plainKey = `arn:(aws(?:-[a-z]+)*):kms:([a-z0-9-]+):([0-9]{12}):key/(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}|mrk-[0-9A-Fa-f]{32})`

// FuzzARN holds the ARN matcher to its properties on any text: it does not
// fail, what it finds is an ARN again when it is written plain, and it finds
// every key that a regular expression finds.
func FuzzARN(f *testing.F) {
	p := arnProgram(f)
	re := regexp.MustCompile(plainKey)
	f.Add(testKey)
	f.Add(strings.ReplaceAll(testKey, ":", "%3A"))
	f.Add(strings.ReplaceAll(testKey, "/", `\u002f`))
	f.Add("arn:aws:lambda:eu-west-1:421087653219:function:f:$LATEST arn:aws:s3:::bucket.")
	f.Fuzz(func(t *testing.T, text string) {
		keys := map[int]bool{}
		p.Scan([]byte(text), 0, len(text), false, func(m *Match) {
			if m.Start < 0 || m.End > len(text) || m.Start >= m.End {
				t.Fatalf("a match at %d:%d of %d bytes", m.Start, m.End, len(text))
			}
			keys[m.Start] = true
			plain := m.Fields[0].Value
			if again := arns(p, plain); len(again) == 0 || !strings.HasPrefix(again[0], m.Rule.ID+" "+plain) {
				t.Fatalf("%q was found as %q, which is found as %q", text[m.Start:m.End], plain, again)
			}
		})
		for _, loc := range re.FindAllStringSubmatchIndex(text, -1) {
			part := func(i int) []byte { return []byte(text[loc[2*i]:loc[2*i+1]]) }
			before, after := loc[0] == 0 || !isWordByte(text[loc[0]-1]), loc[1] == len(text) || !strings.ContainsRune("*-", rune(text[loc[1]])) && !isWordByte(text[loc[1]])
			if before && after && regionOf(part(1), part(2)) != disagree && !keys[loc[0]] {
				t.Fatalf("%q was not found", text[loc[0]:loc[1]])
			}
		}
	})
}

func TestRegions(t *testing.T) {
	count := 0
	for _, p := range partitions {
		if !slices.IsSorted(p.regions) {
			t.Errorf("the Regions of %s are not in order", p.name)
		}
		for _, r := range p.regions {
			count++
			if regionOf([]byte(p.name), []byte(r)) != known {
				t.Errorf("%s is not a known Region of %s", r, p.name)
			}
			for _, q := range partitions {
				if q.name != p.name && regionOf([]byte(q.name), []byte(r)) != disagree {
					t.Errorf("%s is a Region of %s too", r, q.name)
				}
			}
		}
	}
	if count != 46 {
		t.Errorf("%d Regions", count)
	}
	for _, r := range []string{"", "eu", "eu-west", "eu-west-", "eu-west-1a", "eu-west-100", "eu--west-1", "EU-west-1", "1-west-1", "-1", "eu-west-1-", "us-east1"} {
		if regionOf([]byte("aws"), []byte(r)) != disagree {
			t.Errorf("%q passes as a Region", r)
		}
	}
}
