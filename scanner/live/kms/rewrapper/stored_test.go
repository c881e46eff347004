package rewrapper_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper"
	"github.com/spillgate/spillgate/scanner/live/kms/rewrapper/s3fake"
	"github.com/spillgate/spillgate/scanner/live/rewrap"
)

// TestMain is the helper too: it puts the new key's ARN in the place of the old
// one and makes a message that is longer by one key where that is kept. What
// the real one does is tested with it, in its module.
func TestMain(m *testing.M) {
	if len(os.Args) > 4 && os.Args[1] == "--from" {
		in, err := io.ReadAll(os.Stdin)
		if err != nil || !bytes.Contains(in, []byte(os.Args[2])) {
			fmt.Fprintln(os.Stderr, "spillgate-esdk: this is not a message under the old key")
			os.Exit(2)
		}
		_, _ = os.Stdout.Write(bytes.ReplaceAll(in, []byte(os.Args[2]), []byte(os.Args[4])))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func helper(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

func text64(keys ...string) string { return base64.StdEncoding.EncodeToString(message(keys...)) }

// TestInTheMiddle encrypts the messages in the middle of a text anew, and leaves
// every other byte of it.
func TestInTheMiddle(t *testing.T) {
	b := newBench(t, nil)
	old, other, both := text64("aws-kms|"+oldKey), text64("aws-kms|"+third), text64("aws-kms|"+third, "aws-kms|"+oldKey)
	was := "a: " + old + "\nb: '" + other + "'\njson: {\"c\":\"" + both + "\",\"d\":1}\nend: " + strings.TrimRight(old, "=")
	path := b.file("config.yaml", []byte(was))
	b.file("broken.pem", []byte("x:\n"+old[:76]+"\n"+old[76:]+"\n"))
	b.file("followed", []byte("x: "+strings.TrimRight(old, "=")+"AAAA\n"))
	b.file("mixed", []byte("x: "+old+" y: "+old[:100]+"\n"+old[100:]))
	c := b.client(rewrapper.Options{Helper: helper(t)})
	s := b.find(c, []string{b.dir}, nil)
	for _, it := range s.Items {
		if hand := filepath.Base(it.Place) != "config.yaml"; (it.Action == rewrap.ByHand) != hand || hand == (len(it.Inside) > 0) || hand && it.Why == "" {
			t.Errorf("%+v", it)
		}
	}
	if len(s.Items) != 4 || len(s.Problems) != 0 {
		t.Fatalf("%d items, problems %q", len(s.Items), s.Problems)
	}
	r, all := b.run(c, s.Items)
	if r.Done != 1 || r.ByHand != 3 {
		t.Fatalf("%+v %+v", r, all)
	}
	fresh := func(text string) string {
		data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(bytes.ReplaceAll(data, []byte(oldKey), []byte(newKey)))
	}
	want := "a: " + fresh(old) + "\nb: '" + other + "'\njson: {\"c\":\"" + fresh(both) + "\",\"d\":1}\nend: " + strings.TrimRight(fresh(old), "=")
	if got := string(b.read(path)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := b.find(c, []string{path}, nil); len(again.Items) != 0 {
		t.Errorf("found again: %+v", again.Items)
	}
}

// TestStored encrypts messages in S3 anew: alone, in base64, in the middle of a
// text, and in an object that S3 encrypts under the old key as well.
func TestStored(t *testing.T) {
	raw := message("aws-kms|" + oldKey)
	day := time.Now().AddDate(0, 0, -100)
	kept := func(o *s3fake.Object) *s3fake.Object {
		o.Modified, o.Meta, o.Tags = day, map[string]string{"owner": "payroll"}, map[string]string{"cost centre": "a+b/c=d"}
		o.ContentType, o.Class, o.Redirected = "application/octet-stream", "STANDARD_IA", "/elsewhere"
		return o
	}
	objects := map[string]*s3fake.Object{
		"bkt/p/raw":     kept(&s3fake.Object{Data: raw}),
		"bkt/p/base64":  kept(&s3fake.Object{Data: []byte(text64("aws-kms|"+oldKey) + "\n")}),
		"bkt/p/text":    kept(&s3fake.Object{Data: []byte("x: " + text64("aws-kms|"+oldKey) + "\n")}),
		"bkt/p/both":    kept(&s3fake.Object{Data: raw, Key: oldKey}),
		"bkt/p/another": kept(&s3fake.Object{Data: raw, Key: third}),
		"bkt/p/version": kept(&s3fake.Object{Data: raw, Version: "v1"}),
		"bkt/p/none":    kept(&s3fake.Object{Data: []byte("hello")}),
		"bkt/p/locked":  {Data: raw, Lock: "COMPLIANCE", Version: "v1", Modified: day},
		"bkt/p/cold":    {Data: raw, Class: "GLACIER", Modified: day},
		"bkt/p/long":    {Data: append([]byte("x: "+text64("aws-kms|"+oldKey)), strings.Repeat(" y", 1<<17)...), Modified: day},
	}
	b := newBench(t, objects)
	c := b.client(rewrapper.Options{Helper: helper(t), Inside: true})
	before := map[string]s3fake.Object{}
	for name := range objects {
		before[name] = b.s3.Object(name)
	}
	s := b.find(c, []string{"s3://bkt/p/"}, nil)
	const anew, hand = rewrap.EncryptAnew, rewrap.ByHand
	want := map[string]rewrap.Action{"raw": anew, "base64": anew, "text": anew, "both": anew, "another": anew, "version": anew, "locked": hand, "cold": hand, "long": hand}
	if got := actions(s.Items); !maps.Equal(got, want) || len(s.Items) != len(want) || len(s.Problems) != 0 {
		t.Fatalf("%v, %d items, %q", got, len(s.Items), s.Problems)
	}
	r, all := b.run(c, s.Items)
	if r.Done != 6 || r.ByHand != 3 || b.s3.Count("PutObject") != 6 {
		t.Fatalf("%+v %+v", r, all)
	}
	for name, was := range before {
		is := b.s3.Object(name)
		place := strings.TrimPrefix(name, "bkt/p/")
		if want[place] != anew {
			if string(is.Data) != string(was.Data) {
				t.Errorf("%s was changed", place)
			}
			continue
		}
		if bytes.Contains(is.Data, []byte(oldKey)) || string(is.Data) == string(was.Data) {
			t.Errorf("%s is not under the new key", place)
		}
		if !maps.Equal(is.Meta, was.Meta) || !maps.Equal(is.Tags, was.Tags) || is.Class != was.Class || is.ContentType != was.ContentType || is.Redirected != was.Redirected {
			t.Errorf("%s has lost something: %+v, was %+v", place, is, was)
		}
		if key := map[string]string{"both": newKey, "another": third}[place]; is.Key != key {
			t.Errorf("S3 encrypts %s under %q, want %q", place, is.Key, key)
		}
	}
	for place, action := range actions(b.find(c, []string{"s3://bkt/p/"}, nil).Items) {
		if action != hand {
			t.Errorf("found again: %s", place)
		}
	}
}

// TestStoredIsSentOnce: an answer that was lost, and an object that somebody
// else has written meanwhile.
func TestStoredIsSentOnce(t *testing.T) {
	b := newBench(t, map[string]*s3fake.Object{"bkt/m": {Data: message("aws-kms|" + oldKey), Modified: time.Now()}})
	c := b.client(rewrapper.Options{Helper: helper(t), Inside: true})
	items := b.find(c, []string{"s3://bkt/m"}, nil).Items
	b.s3.Write("bkt/m", []byte("another's"))
	if r, all := b.run(c, items); r.Changed != 1 || b.s3.Count("PutObject") != 0 {
		t.Errorf("written meanwhile: %+v %+v", r, all)
	}
	b.s3.Write("bkt/m", message("aws-kms|"+oldKey))
	items = b.find(c, []string{"s3://bkt/m"}, nil).Items
	b.s3.Lose("PutObject", 1)
	if r, all := b.run(c, items); r.Done != 1 || b.s3.Count("PutObject") != 1 {
		t.Errorf("an answer that was lost: %+v %+v, sent %d times", r, all, b.s3.Count("PutObject"))
	}
	b.s3.Write("bkt/m", message("aws-kms|"+oldKey))
	items = b.find(c, []string{"s3://bkt/m"}, nil).Items
	b.s3.Refuse("PutObject", "PreconditionFailed")
	if r, all := b.run(c, items); r.Changed != 1 {
		t.Errorf("S3 refuses the condition: %+v %+v", r, all)
	}
	if got := b.s3.Object("bkt/m"); string(got.Data) != string(message("aws-kms|"+oldKey)) {
		t.Error("the object was changed")
	}
}
