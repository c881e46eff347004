package live

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/spillgate/spillgate/rules"
)

const coverageLine = `{"type":"coverage","schema_version":1,"summary":{"complete":true}}` + "\n"

// findingLine makes a line of a report, as spillgate prints it.
func findingLine(rule, arn, account, path, commit string) string {
	s := `{"type":"finding","rule":"` + rule + `","severity":"medium","confidence":"high","match":"x","fields":[`
	if arn != "" {
		s += `{"name":"arn","value":"` + arn + `"},{"name":"region","value":"eu-west-1"},`
	}
	s += `{"name":"account","value":"` + account + `"}],"fingerprint":"5629` + path + `","location":{"kind":"content","path":"` + path + `","start_line":3`
	if commit != "" {
		s += `,"commit":{"id":"` + commit + `"}`
	}
	return s + "}}\n"
}

func TestSubjects(t *testing.T) {
	key, alias := testKey.String(), "arn:aws:kms:eu-west-1:"+own+":alias/prod"
	in := findingLine("aws-kms-key-arn", key, own, "a.txt", "c1") +
		findingLine("aws-s3-arn", "arn:aws:s3:eu-west-1:"+own+":accesspoint/x", own, "a.txt", "c1") +
		findingLine("aws-kms-alias-arn", alias, own, "b.txt", "") +
		strings.Replace(findingLine("aws-kms-key-arn", key, own, "c.txt", "c2"), "medium", "high", 1) +
		strings.Replace(findingLine("aws-kms-key-arn", "arn:aws:kms:eu-west-1:"+foreign+":key/y", foreign, "c.txt", ""), `"finding"`, `"suppressed"`, 1) +
		findingLine("github-token", "", own, "c.txt", "c2") +
		coverageLine
	got, err := Subjects(iotest.OneByteReader(strings.NewReader(in)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].ARN != testKey || got[1].ARN.String() != alias {
		t.Fatalf("got %+v", got)
	}
	if got[0].Places != 2 || len(got[0].Found) != 2 || got[0].Found[1].Severity != rules.High || got[0].Found[1].Commit != "c2" {
		t.Errorf("the key was found at %+v", got[0].Found)
	}
	if l := got[0].Found[0]; l != (Locator{Rule: "aws-kms-key-arn", Severity: rules.Medium, Fingerprint: "5629a.txt", Path: "a.txt", Line: 3, Commit: "c1", Account: own}) {
		t.Errorf("its first place is %+v", l)
	}
}

// Credentials count for the keys of their account: those of the same change
// and the others apart.
func TestSubjectsBeside(t *testing.T) {
	credential := func(account, path, commit string) string {
		return findingLine("aws-secret-access-key", "", account, path, commit)
	}
	key := func(path, commit string) string {
		return findingLine("aws-kms-key-arn", testKey.String(), own, path, commit)
	}
	for _, tt := range []struct {
		name, in          string
		beside, elsewhere int
	}{
		{"same commit", key("a", "c1") + credential(own, "b", "c1"), 1, 0},
		{"before it", credential(own, "b", "c1") + key("a", "c1"), 1, 0},
		{"same file", key("a", "c1") + credential(own, "a", "c2"), 1, 0},
		{"no commit yet", key("a", "") + credential(own, "b", ""), 1, 0},
		{"another commit", key("a", "c1") + credential(own, "b", "c2"), 0, 1},
		{"another account", key("a", "c1") + credential(foreign, "a", "c1"), 0, 0},
		{"twice", key("a", "c1") + credential(own, "a", "c1") + credential(own, "b", "c1"), 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Subjects(strings.NewReader(tt.in + coverageLine))
			if err != nil || len(got) != 1 {
				t.Fatalf("got %+v, %v", got, err)
			}
			if len(got[0].Beside) != tt.beside || len(got[0].Elsewhere) != tt.elsewhere {
				t.Errorf("beside %v, elsewhere %v", got[0].Beside, got[0].Elsewhere)
			}
		})
	}
}

func TestSubjectsAccessKey(t *testing.T) {
	id := "AKIA" + "Y3FDNQ4RZ7KWTB2M"
	line := strings.Replace(findingLine("aws-access-key-id", "", own, "a", ""), `"match"`, `"access_key_id":"`+id+`","match"`, 1)
	got, err := Subjects(strings.NewReader(line + line + coverageLine))
	if err != nil || len(got) != 1 || got[0].AccessKeyID != id || got[0].Places != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	masked := findingLine("aws-access-key-id", "", own, "a", "")
	if got, err := Subjects(strings.NewReader(masked + coverageLine)); err != nil || len(got) != 0 {
		t.Errorf("of a masked id: got %+v, %v", got, err)
	}
}

func TestSubjectsRefuse(t *testing.T) {
	key := findingLine("aws-kms-key-arn", testKey.String(), own, "a", "")
	for name, in := range map[string]string{
		"text":              "hello\n",
		"a list":            "[]\n",
		"no type":           "{}\n" + coverageLine,
		"after the end":     coverageLine + key,
		"two reports":       coverageLine + coverageLine,
		"newer":             strings.Replace(coverageLine, ":1,", ":2,", 1),
		"other account":     strings.Replace(key, `"account","value":"`+own, `"account","value":"`+foreign, 1) + coverageLine,
		"short account":     strings.Replace(key, `"account","value":"`+own, `"account","value":"47`, 1) + coverageLine,
		"no ARN":            strings.Replace(key, "arn:aws:kms", "arn:aws kms", 1) + coverageLine,
		"severity":          strings.Replace(key, `"medium"`, `"grave"`, 1) + coverageLine,
		"half a line":       key[:80] + "\n" + coverageLine,
		"a long line":       `{"type":"finding","x":"` + strings.Repeat("x", maxLine) + "\"}\n" + coverageLine,
		"a bad id of a key": strings.Replace(key, "aws:kms:", "aws:s3:", 1)[:30] + coverageLine,
	} {
		if got, err := Subjects(strings.NewReader(in)); err == nil || errors.Is(err, ErrCutOff) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for _, in := range []string{"", "\n\n", key, key + "\n", strings.TrimSuffix(key, "\n")} {
		got, err := Subjects(strings.NewReader(in))
		if !errors.Is(err, ErrCutOff) {
			t.Errorf("a report without an end: got %v, %v", got, err)
		}
		if strings.Contains(in, "arn:") && len(got) != 1 {
			t.Errorf("what was read before the end is lost: %v", got)
		}
	}
	if _, err := Subjects(iotest.TimeoutReader(strings.NewReader(strings.Repeat(key, 2000)))); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// What is wrong with a line is said without its text, which may be a secret.
func TestSubjectsQuoteNothing(t *testing.T) {
	secret := "q8Zt3LwB1xY7vKc0R" + "mN5sJd2PfHg9UaEiT4"
	for _, in := range []string{
		secret, `{"type":"` + secret + `"}`, `{"type":"finding","severity":"` + secret + `"}`, `{"type":"finding","fields":"` + secret + `"}`,
		`{"type":"finding","fields":[{"name":"account","value":"` + secret + `"}]}`, `{"type":"finding","access_key_id":"` + secret + `"}`,
	} {
		_, err := Subjects(strings.NewReader(in + "\n"))
		if err == nil || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("the error of a bad line of %d bytes is missing, or quotes it", len(in))
		}
	}
}

// FuzzSubjects: each subject is there once, has a place, and is of a kind that
// can be asked about.
func FuzzSubjects(f *testing.F) {
	f.Add([]byte(findingLine("aws-kms-key-arn", testKey.String(), own, "a", "c1") + findingLine("aws-secret-access-key", "", own, "a", "") + coverageLine))
	f.Add([]byte(`{"type":"finding","access_key_id":"AKIAAAAAAAAAAAAAAAAA"}` + "\n" + coverageLine))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Subjects(strings.NewReader(string(in)))
		if err != nil && !errors.Is(err, ErrCutOff) && len(got) > 0 {
			t.Errorf("subjects of a report with the error %v", err)
		}
		seen := map[string]bool{}
		for i := range got {
			s := &got[i]
			if seen[s.ID()] || len(s.Found) == 0 || s.Places < len(s.Found) {
				t.Errorf("subject %d is wrong: %+v", i, s)
			}
			seen[s.ID()] = true
			if s.AccessKeyID == "" && s.ARN.Service != "kms" && s.ARN.Service != "secretsmanager" {
				t.Errorf("nobody can be asked about %s", s.ID())
			}
			_ = fmt.Sprint(s.Found[0])
		}
	})
}
