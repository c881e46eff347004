package rewrapper_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live"
	"github.com/spillgate/spillgate/scanner/live/kms"
	"github.com/spillgate/spillgate/scanner/live/kms/kmsfake"
	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper"
	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper/s3fake"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// Made-up accounts and keys; none was ever issued.
const (
	account = "739104" + "826315"
	oldKey  = "arn:aws:kms:eu-west-1:" + account + ":key/" + "8f3b9c1e-5d27-4a60-b1e4-2c9d70f6a835"
	newKey  = "arn:aws:kms:eu-west-1:" + account + ":key/" + "2d7e41f0-86bc-4a19-b5d3-90c8e7f6a142"
	third   = "arn:aws:kms:eu-west-1:" + account + ":key/" + "c47d10b2-93ea-4f58-8a6c-e51b07d9f364"
)

var env = map[string]string{"env": "prod"}

type bench struct {
	t   *testing.T
	kms *kmsfake.Server
	s3  *s3fake.Server
	dir string
}

func newBench(t *testing.T, objects map[string]*s3fake.Object) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.kms = kmsfake.New(t, &kmsfake.Model{Home: account, Keys: []*kmsfake.Key{{ARN: oldKey}, {ARN: newKey}, {ARN: third}}})
	var err error
	if b.s3, err = s3fake.Start(objects); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.s3.Close)
	for name, value := range b.kms.Env() {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", b.s3.URL)
	return b
}

func (b *bench) client(o rewrapper.Options) *rewrapper.Client {
	b.t.Helper()
	s, err := kms.Open(context.Background(), kms.Options{Attempts: 2})
	if err != nil {
		b.t.Fatal(err)
	}
	c, err := rewrapper.New(s, parse(b.t, oldKey), parse(b.t, newKey), o)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func parse(t *testing.T, s string) live.ARN {
	t.Helper()
	a, err := live.ParseARN(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) file(name string, data []byte) string {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, data, 0o640); err != nil {
		b.t.Fatal(err)
	}
	return path
}

func (b *bench) read(path string) []byte {
	b.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

func (b *bench) find(c *rewrapper.Client, sources, blobs []string) *rewrapper.Survey {
	b.t.Helper()
	s, err := c.Find(context.Background(), sources, blobs)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// run carries out what was found, in one run.
func (b *bench) run(c *rewrapper.Client, items []rewrap.Item) (rewrap.Result, []rewrap.Outcome) {
	b.t.Helper()
	l, err := rewrap.OpenLedger(filepath.Join(b.t.TempDir(), "ledger"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer l.Close()
	if err := l.Begin(rewrap.NewPlan(oldKey, newKey, env, env, items), "test"); err != nil {
		b.t.Fatal(err)
	}
	var all []rewrap.Outcome
	r, err := rewrap.Run(context.Background(), l, c, rewrap.Options{Each: func(o rewrap.Outcome) { all = append(all, o) }})
	if err != nil {
		b.t.Fatal(err)
	}
	return r, all
}

func TestBlobs(t *testing.T) {
	b := newBench(t, nil)
	key := b.kms.Key(oldKey)
	plain := []byte("a data key of 32 made-up bytes..")
	raw := b.file("raw", key.Seal(plain, env))
	text := b.file("text", []byte(base64.StdEncoding.EncodeToString(key.Seal(plain, env))+"\n"))
	if err := os.Chmod(text, 0o666); err != nil { // wider than the umask gives a new file
		t.Fatal(err)
	}
	modes := map[string]os.FileMode{}
	for _, path := range []string{raw, text} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		modes[path] = info.Mode()
	}
	other := b.file("other", b.kms.Key(third).Seal(plain, env))
	noContext := b.file("no-context", key.Seal(plain, nil))
	noBlob := b.file("no-blob", []byte("hello, world!"))
	c := b.client(rewrapper.Options{Context: env})
	s := b.find(c, nil, []string{raw, text, other, noContext, noBlob, filepath.Join(b.dir, "gone")})
	if len(s.Items) != 2 || len(s.Problems) != 3 || s.Files != 5 {
		t.Fatalf("%+v", s)
	}
	kept := b.read(other)
	r, outcomes := b.run(c, s.Items)
	if r.Done != 2 || !r.Complete() {
		t.Fatalf("%+v %+v", r, outcomes)
	}
	for _, path := range []string{raw, text} {
		s = b.find(c, nil, []string{path})
		if len(s.Items)+len(s.Problems) != 0 {
			t.Errorf("%s is under the old key still: %+v", path, s)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != modes[path] {
			t.Errorf("mode of %s: %v, was %v, %v", path, info.Mode(), modes[path], err)
		}
	}
	if now := b.read(text); !strings.HasSuffix(string(now), "\n") || strings.Contains(string(now[:len(now)-1]), "\n") {
		t.Error("the text is not written as it was")
	}
	if string(b.read(other)) != string(kept) {
		t.Error("a blob of another key was touched")
	}
	if n := b.kms.Count("kms:ReEncrypt"); n != 2 {
		t.Errorf("%d calls of ReEncrypt", n)
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, ".*")); len(left) != 0 {
		t.Errorf("left over: %q", left)
	}
}

// TestNamesOutliveTheFolder holds that a ledger names files so that a run in
// another folder finds them, and that a link stays one.
func TestNamesOutliveTheFolder(t *testing.T) {
	b := newBench(t, nil)
	b.file("blob", b.kms.Key(oldKey).Seal([]byte("x"), env))
	if err := os.Symlink("blob", filepath.Join(b.dir, "link")); err != nil {
		t.Skip("no links here:", err)
	}
	t.Chdir(b.dir)
	c := b.client(rewrapper.Options{Context: env})
	items := b.find(c, nil, []string{"link"}).Items
	if len(items) != 1 || !filepath.IsAbs(items[0].Place) || filepath.Base(items[0].Place) != "blob" {
		t.Fatalf("%+v", items)
	}
	t.Chdir(t.TempDir())
	if r, all := b.run(c, items); r.Done != 1 {
		t.Errorf("%+v %+v", r, all)
	}
	if to, err := os.Readlink(filepath.Join(b.dir, "link")); to != "blob" {
		t.Errorf("the link is now %q, %v", to, err)
	}
}

func TestBlobThatChangedMeanwhile(t *testing.T) {
	b := newBench(t, nil)
	path := b.file("blob", b.kms.Key(oldKey).Seal([]byte("x"), env))
	c := b.client(rewrapper.Options{Context: env})
	items := b.find(c, nil, []string{path}).Items
	b.file("blob", b.kms.Key(oldKey).Seal([]byte("y"), env))
	if r, all := b.run(c, items); r.Changed != 1 || b.kms.Count("kms:ReEncrypt") != 0 {
		t.Errorf("%+v %+v", r, all)
	}
}

func TestLostAnswerOfReEncrypt(t *testing.T) {
	b := newBench(t, nil)
	blob := b.kms.Key(oldKey).Seal([]byte("x"), env)
	path := b.file("blob", blob)
	c := b.client(rewrapper.Options{Context: env})
	items := b.find(c, nil, []string{path}).Items
	b.kms.Inject(kmsfake.Fault{Action: "kms:ReEncrypt", CutAfter: true})
	if r, all := b.run(c, items); r.Failed != 1 || string(b.read(path)) != string(blob) {
		t.Errorf("%+v %+v", r, all)
	}
	if n := b.kms.Count("kms:ReEncrypt"); n != 1 {
		t.Errorf("ReEncrypt was sent %d times", n)
	}
}

// world is a bucket with one object of each kind.
func world() map[string]*s3fake.Object {
	day := time.Now().AddDate(0, 0, -100).Truncate(time.Second)
	at := func(o s3fake.Object) *s3fake.Object {
		o.Modified = day
		if o.Data == nil {
			o.Data = []byte("made-up data")
		}
		return &o
	}
	return map[string]*s3fake.Object{
		"bkt/p/plain":        at(s3fake.Object{Key: oldKey, Meta: map[string]string{"owner": "payroll"}, ContentType: "text/csv"}),
		"bkt/p/a b+c%/ü?":    at(s3fake.Object{Key: oldKey, Class: "STANDARD_IA", Redirected: "/elsewhere"}),
		"bkt/p/third":        at(s3fake.Object{Key: third}),
		"bkt/p/s3":           at(s3fake.Object{}),
		"bkt/p/dual":         at(s3fake.Object{Key: oldKey, Dual: true}),
		"bkt/p/locked":       at(s3fake.Object{Key: oldKey, Lock: "COMPLIANCE", Version: "v1"}),
		"bkt/p/large":        at(s3fake.Object{Key: oldKey, Size: 6 << 30}),
		"bkt/p/cold":         at(s3fake.Object{Key: oldKey, Class: "GLACIER"}),
		"bkt/p/version":      at(s3fake.Object{Key: oldKey, Version: "v7"}),
		"bkt/q/not-in-there": at(s3fake.Object{Key: oldKey}),
	}
}

func actions(items []rewrap.Item) map[string]rewrap.Action {
	all := map[string]rewrap.Action{}
	for _, it := range items {
		all[strings.TrimPrefix(it.Place, "s3://bkt/p/")] = it.Action
	}
	return all
}

func TestObjects(t *testing.T) {
	const update, copied, hand = rewrap.UpdateObjectEncryption, rewrap.CopyObject, rewrap.ByHand
	for name, test := range map[string]struct {
		o    rewrapper.Options
		want map[string]rewrap.Action
	}{
		"wrapped anew": {rewrapper.Options{}, map[string]rewrap.Action{"plain": update, "a b+c%/ü?": update, "dual": copied, "locked": hand,
			"large": update, "cold": update, "version": update}},
		"encrypted anew": {rewrapper.Options{NewDataKeys: true}, map[string]rewrap.Action{"plain": copied, "a b+c%/ü?": copied, "dual": copied,
			"locked": copied, "large": hand, "cold": hand, "version": copied}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, world())
			c := b.client(test.o)
			s := b.find(c, []string{"s3://bkt/p/"}, nil)
			if got := actions(s.Items); !maps.Equal(got, test.want) || s.Objects != 9 || len(s.Problems) != 0 {
				t.Fatalf("%v of %d, %q", got, s.Objects, s.Problems)
			}
			for _, it := range s.Items {
				if got := it.Age.Text(time.Now()); !strings.HasPrefix(got, "100 days (the object's Last-Modified") {
					t.Errorf("age of %s: %s", it.Place, got)
				}
			}
			before := map[string]s3fake.Object{}
			for place := range test.want {
				before[place] = b.s3.Object("bkt/p/" + place)
			}
			r, all := b.run(c, s.Items)
			if !r.Complete() || r.Done+r.ByHand != len(test.want) {
				t.Fatalf("%+v %+v", r, all)
			}
			for place, action := range test.want {
				was, is := before[place], b.s3.Object("bkt/p/"+place)
				if want := map[bool]string{true: oldKey, false: newKey}[action == hand]; is.Key != want {
					t.Errorf("%s is under %s", place, is.Key)
				}
				if !maps.Equal(was.Meta, is.Meta) || was.Class != is.Class || was.Redirected != is.Redirected || string(was.Data) != string(is.Data) {
					t.Errorf("%s has lost something: %+v, was %+v", place, is, was)
				}
				if action == update && !is.Modified.Equal(was.Modified) {
					t.Errorf("%s was written again", place)
				}
			}
			if b.s3.Object("bkt/p/third").Key != third || b.s3.Object("bkt/p/s3").Key != "" || b.s3.Object("bkt/q/not-in-there").Key != oldKey {
				t.Error("an object that is not in the plan was touched")
			}
			left := b.find(c, []string{"s3://bkt/p/"}, nil)
			for place, action := range actions(left.Items) {
				if action != hand {
					t.Errorf("again: %s would be changed", place)
				}
			}
		})
	}
}

func TestObjectAnswersLost(t *testing.T) {
	for op, o := range map[string]rewrapper.Options{"UpdateObjectEncryption": {}, "CopyObject": {NewDataKeys: true}} {
		b := newBench(t, world())
		c := b.client(o)
		items := b.find(c, []string{"s3://bkt/p/plain"}, nil).Items
		b.s3.Lose(op, 1)
		if r, all := b.run(c, items); r.Done != 1 || b.s3.Count(op) != 1 {
			t.Errorf("%s whose answer was lost: %+v %+v, sent %d times", op, r, all, b.s3.Count(op))
		}
	}
}

func TestObjectWrittenMeanwhile(t *testing.T) {
	b := newBench(t, world())
	c := b.client(rewrapper.Options{NewDataKeys: true})
	items := b.find(c, []string{"s3://bkt/p/plain"}, nil).Items
	b.s3.Write("bkt/p/plain", []byte("made-up DATA"))
	if r, all := b.run(c, items); r.Changed != 1 || b.s3.Count("CopyObject") != 0 {
		t.Errorf("%+v %+v", r, all)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, world())
	c := b.client(rewrapper.Options{})
	items := b.find(c, []string{"s3://bkt/p/plain"}, nil).Items
	b.s3.Refuse("UpdateObjectEncryption", "NotImplemented")
	if r, all := b.run(c, items); r.Failed != 1 || !strings.Contains(all[0].Note, "--new-data-keys") {
		t.Errorf("%+v %+v", r, all)
	}
	b.s3.Refuse("ListObjectsV2", "PermanentRedirect")
	b.s3.Refuse("HeadObject", "AccessDenied")
	s := b.find(c, []string{"s3://bkt/p/", "s3://bkt/p/plain", "s3://", filepath.Join(b.dir, "gone")}, nil)
	if len(s.Problems) != 4 || len(s.Items) != 0 || !slices.ContainsFunc(s.Problems, func(p string) bool { return strings.Contains(p, "is not in eu-west-1") }) {
		t.Errorf("%q", s.Problems)
	}
}

func TestReady(t *testing.T) {
	for state, fine := range map[string]bool{"Enabled": true, "Disabled": false, "PendingDeletion": false} {
		for _, arn := range []string{oldKey, newKey} {
			b := newBench(t, nil)
			b.kms.Change(func() {
				for _, k := range b.kms.Keys {
					if k.ARN == arn {
						k.State = state
					}
				}
			})
			if _, err := b.client(rewrapper.Options{}).Ready(context.Background()); (err == nil) != fine {
				t.Errorf("%s is %s: %v", arn, state, err)
			}
		}
	}
}

// message lays out a header, and a made-up body of one frame with its signature.
func message(keys ...string) []byte {
	field := func(b []byte, s string) []byte { return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...) }
	b := append([]byte{2, 5, 0x78}, strings.Repeat("\xa7", 32)...)
	b = binary.BigEndian.AppendUint16(field(b, ""), uint16(len(keys)))
	for _, k := range keys {
		provider, info, _ := strings.Cut(k, "|")
		b = field(field(field(b, provider), info), "wrapped")
	}
	b = append(b, "\x02\x00\x00\x10\x00"+strings.Repeat("\x33", 48)...)
	b = append(b, "\xff\xff\xff\xff\x00\x00\x00\x01"+strings.Repeat("\x44", 12)+"\x00\x00\x00\x20"+strings.Repeat("\x55", 32+16)...)
	return append(b, "\x00\x67"+strings.Repeat("\x66", 0x67)...)
}

func TestMessages(t *testing.T) {
	b := newBench(t, map[string]*s3fake.Object{"bkt/m": {Data: message("aws-kms|" + oldKey), Modified: time.Now()}})
	b.file("alone", message("aws-kms|"+oldKey))
	b.file("with-third", message("aws-kms|"+third, "aws-kms|"+oldKey, "aws-kms|"+newKey))
	b.file("with-rsa", message("raw-rsa|mine", "aws-kms|"+oldKey))
	b.file("third", message("aws-kms|"+third))
	b.file("in-text", []byte("v: "+base64.StdEncoding.EncodeToString(message("aws-kms|"+oldKey))+"\nw: 1\n"))
	b.file("cut", message("aws-kms|" + oldKey)[:70])
	b.file("none", []byte("hello"))
	c := b.client(rewrapper.Options{Helper: "/bin/false", Inside: true})
	s := b.find(c, []string{b.dir, "s3://bkt/m"}, nil)
	got := map[string]rewrap.Action{}
	for _, it := range s.Items {
		got[filepath.Base(it.Place)] = it.Action
		if filepath.Base(it.Place) == "with-third" && !slices.Equal(it.Keep, []string{third}) {
			t.Errorf("keeps %q", it.Keep)
		}
	}
	want := map[string]rewrap.Action{"alone": rewrap.EncryptAnew, "with-third": rewrap.EncryptAnew, "with-rsa": rewrap.ByHand, "in-text": rewrap.EncryptAnew, "m": rewrap.EncryptAnew}
	if !maps.Equal(got, want) || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "cut") || s.Files != 7 {
		t.Errorf("%v, %d files, %q", got, s.Files, s.Problems)
	}
	before := b.read(filepath.Join(b.dir, "alone"))
	if r, all := b.run(c, s.Items); r.Failed != 4 || r.ByHand != 1 || string(b.read(filepath.Join(b.dir, "alone"))) != string(before) {
		t.Errorf("with a helper that fails: %+v %+v", r, all)
	}
	for _, it := range b.find(b.client(rewrapper.Options{}), []string{b.dir}, nil).Items {
		if it.Action != rewrap.ByHand || it.Why == "" {
			t.Errorf("without a helper: %+v", it)
		}
	}
}
