package hooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func pending(ref string, at time.Time) Pending {
	return Pending{Time: at, Base: strings.Repeat("a", 40), Updates: []Update{{Ref: ref, Old: strings.Repeat("0", 40), New: strings.Repeat("b", 40)}}}
}

func TestSpool(t *testing.T) {
	s := Spool{Dir: filepath.Join(t.TempDir(), "deep", "spool")}
	if all, err := s.List(); len(all) != 0 || err != nil {
		t.Fatalf("one that is not there: %v, %v", all, err)
	}
	now := time.Now()
	for i, ref := range []string{"refs/heads/late", "refs/heads/early"} {
		if err := s.Add(pending(ref, now.Add(-time.Duration(i)*time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	// what is being written is not read yet
	if err := os.WriteFile(filepath.Join(s.Dir, "20000101T000000Z-1"), []byte(`{"vers`), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil || len(all) != 2 || all[0].Updates[0].Ref != "refs/heads/early" || all[0].Base != strings.Repeat("a", 40) {
		t.Fatalf("%+v, %v", all, err)
	}
	if info, err := os.Stat(all[0].path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read which refs there are: %v, %v", info.Mode(), err)
	}
	for range 2 { // the second time somebody else was quicker
		if err := s.Remove(all[:1]); err != nil {
			t.Fatal(err)
		}
	}
	if all, err = s.List(); err != nil || len(all) != 1 || all[0].Updates[0].Ref != "refs/heads/late" {
		t.Fatalf("%+v, %v", all, err)
	}
}

func TestSpoolRefuses(t *testing.T) {
	id := strings.Repeat("a", 40)
	for name, text := range map[string]string{
		"cut off":         `{"version":1,"upd`,
		"another version": `{"version":2,"updates":[]}`,
		"no id":           `{"version":1,"updates":[{"Ref":"refs/heads/a","Old":"x","New":"` + id + `"}]}`,
		"an option":       `{"version":1,"base":"--upload-pack=x","updates":[]}`,
		"no ref":          `{"version":1,"updates":[{"Ref":"a","Old":"` + id + `","New":"` + id + `"}]}`,
		"empty":           ``,
	} {
		s := Spool{Dir: t.TempDir()}
		file := filepath.Join(s.Dir, "x.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.List(); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := Spool{Dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.Dir, "x.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(); err == nil {
		t.Error("a folder passes for an entry")
	}
	if err := (Spool{Dir: filepath.Join(os.DevNull, "x")}).Add(pending("refs/heads/a", time.Now())); err == nil {
		t.Error("kept where nothing can be kept")
	}
}
