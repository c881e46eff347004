// Package rewrap takes data off a KMS key whose use is no longer trusted: it
// finds what is encrypted under the key, says how old the data keys are, plans
// how each piece comes under another key, and keeps a ledger while that is
// carried out. It knows no network; scanner/live/kms/rewrap is who asks AWS.
//
//	files, objects --Look, HeadObject--> Item --NewPlan--> Plan --approved--> Run
//	Run, per item: ledger(intent) --> Worker.Change --> ledger(prepared) --> Worker.Check --> ledger(done)
//
// Three things are called re-encryption, and people confuse them. This package
// names them apart, since only one of them helps against a leaked data key:
//
//   - Rotation makes new key material in KMS. It re-encrypts nothing.
//   - Wrapping anew (ReEncrypt, UpdateObjectEncryption) puts the same data key
//     under another KMS key. Whoever has the data key still reads the data.
//   - Encrypting anew (CopyObject, the Encryption SDK) writes the data under a
//     fresh data key. Copies of the old ciphertext stay readable.
//
// Sources: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html,
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html,
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/update-sse-encryption.html
//
// A change of data cannot be taken back the way a setting can, so an item is
// changed only if it is still what was planned (its digest or ETag), the old
// file is replaced in one step after the new one was shown to open under the
// new key, and a process that dies at any moment leaves either the old state or
// the new one, and a ledger that says which to expect.
package rewrap

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Kind is what an item is.
type Kind string

// The kinds.
const (
	Blob    Kind = "KMS ciphertext"         // what kms:Encrypt or GenerateDataKey returned
	Message Kind = "Encryption SDK message" // a file that is one, raw or in base64
	Object  Kind = "SSE-KMS object"         // an object that S3 encrypts
)

// An Action is how an item comes under the new key.
type Action string

// The actions. ByHand items are in the plan so that they are not forgotten.
const (
	ReEncrypt              Action = "kms:ReEncrypt"
	EncryptAnew            Action = "the Encryption SDK"
	UpdateObjectEncryption Action = "s3:UpdateObjectEncryption"
	CopyObject             Action = "s3:CopyObject"
	ByHand                 Action = "by hand"
)

// NewDataKey reports whether an action leaves the data under a data key that
// did not exist before.
func (a Action) NewDataKey() bool { return a == EncryptAnew || a == CopyObject }

// An Item is something that is encrypted under the key.
type Item struct {
	// Place is the file's path, or s3://bucket/key.
	Place  string `json:"place"`
	Kind   Kind   `json:"kind"`
	Action Action `json:"action"`
	// Why says what stands in the way of an item that is left to be done by
	// hand.
	Why string `json:"why,omitempty"`
	// Key is the ARN under which the item is: the leaked key's, or that of a
	// related multi-Region key.
	Key string `json:"key"`
	// Keep are the ARNs of other KMS keys under which the message is as well,
	// and stays.
	Keep []string `json:"keep,omitempty"`
	// Inside are the messages in the middle of a text; empty where the whole of
	// it is one message.
	Inside   []Span   `json:"inside,omitempty"`
	Encoding Encoding `json:"encoding,omitempty"`
	// Size is in bytes. Digest is the SHA-256 of a file; ETag, Version and
	// Bytes tell which object it was.
	Size    int64  `json:"size"`
	Digest  string `json:"sha256,omitempty"`
	ETag    string `json:"etag,omitempty"`
	Version string `json:"version,omitempty"`
	Age     Age    `json:"data_key"`
	// Notes say what the action does beside its purpose.
	Notes []string `json:"notes,omitempty"`
}

// A Span is a message in base64 in the middle of a text.
type Span struct {
	// At and Length are in bytes of the text.
	At     int `json:"at"`
	Length int `json:"length"`
	// Key and Keep are as those of an Item.
	Key  string   `json:"key"`
	Keep []string `json:"keep,omitempty"`
}

// An Age is what is known about when a data key was made. KMS does not tell.
type Age struct {
	// Since is when the data key was made, or the zero time if that is
	// unknown.
	Since time.Time `json:"since,omitzero"`
	// AtLeast says that the data key may be older than Since.
	AtLeast bool `json:"at_least,omitempty"`
	// Basis says what Since is taken from, or why it is unknown.
	Basis string `json:"basis"`
}

// AgeOfFile is what a file's time says about the data key in it: it was made
// when the file was written or, if the file has been copied, before.
func AgeOfFile(written, now time.Time) Age {
	if written.IsZero() || written.After(now) || written.Unix() <= 0 {
		return Age{Basis: "unknown: the file's date cannot be true"}
	}
	return Age{Since: written.UTC().Truncate(time.Second), AtLeast: true, Basis: "the file's date"}
}

// AgeOfObject is what an object's Last-Modified says: S3 makes a data key when
// it writes an object, and UpdateObjectEncryption, which keeps the data key,
// keeps the date too.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
func AgeOfObject(modified, now time.Time) Age {
	if modified.IsZero() || modified.After(now.Add(24*time.Hour)) {
		return Age{Basis: "unknown: S3 gave no date that can be true"}
	}
	return Age{Since: modified.UTC().Truncate(time.Second), Basis: "the object's Last-Modified"}
}

// Text says the age in days.
func (a Age) Text(now time.Time) string {
	if a.Since.IsZero() {
		return a.Basis
	}
	days := max(0, int(now.Sub(a.Since)/(24*time.Hour)))
	text := fmt.Sprintf("%d days (%s: %s)", days, a.Basis, a.Since.Format(time.DateOnly))
	if days == 1 {
		text = strings.Replace(text, "days", "day", 1)
	}
	if a.AtLeast {
		text = "at least " + text
	}
	return text
}

// A Plan is what is to be done, for somebody to approve. It is made by
// NewPlan.
type Plan struct {
	SchemaVersion int `json:"schema_version"`
	// Hash is over all that follows.
	Hash string `json:"hash"`
	// From is the ARN of the key that data is to leave, To that of the key
	// that it comes under.
	From string `json:"from"`
	To   string `json:"to"`
	// Context is the encryption context of raw blobs, ToContext the one that
	// they get. It is not secret: CloudTrail has it in plain text.
	Context   map[string]string `json:"context,omitempty"`
	ToContext map[string]string `json:"to_context,omitempty"`
	Items     []Item            `json:"items"`
}

// NewPlan returns the plan of items, in the order of their places.
func NewPlan(from, to string, context, toContext map[string]string, items []Item) *Plan {
	p := &Plan{SchemaVersion: 1, From: from, To: to, Context: context, ToContext: toContext, Items: slices.Clone(items)}
	slices.SortStableFunc(p.Items, func(a, b Item) int { return strings.Compare(a.Place, b.Place) })
	p.Items = slices.CompactFunc(p.Items, func(a, b Item) bool { return a.Place == b.Place && a.Kind == b.Kind })
	if p.Items == nil {
		p.Items = []Item{}
	}
	p.Hash = p.digest()
	return p
}

func (p *Plan) digest() string {
	other := *p
	other.Hash = ""
	text, _ := json.Marshal(&other) // strings, numbers and times: it cannot fail
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Acts returns how many items the plan changes.
func (p *Plan) Acts() int {
	n := 0
	for i := range p.Items {
		if p.Items[i].Action != ByHand {
			n++
		}
	}
	return n
}

// minApproval is the least number of digits of a plan's hash that approve it.
const minApproval = 16

// Approved returns an error unless hash is the plan's or its first 16 digits or
// more.
func (p *Plan) Approved(hash string) error {
	switch {
	case len(hash) < minApproval:
		return fmt.Errorf("at least %d digits of the plan's hash are needed", minApproval)
	case !strings.HasPrefix(p.Hash, strings.ToLower(hash)):
		return fmt.Errorf("the plan is now %.16s, which is not the one that was reviewed: something has changed since; look at it again", p.Hash)
	}
	return nil
}

// Text is the plan for people.
func (p *Plan) Text(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "from  %s\nto    %s\n\n", p.From, p.To)
	for i := range p.Items {
		it := &p.Items[i]
		fmt.Fprintf(&b, "%s  %s\n", it.Place, it.Kind)
		line := func(name, text string) { fmt.Fprintf(&b, "  %-9s %s\n", name, text) }
		line("data key", it.Age.Text(now))
		if it.Key != p.From {
			line("under", it.Key)
		}
		switch {
		case it.Action == ByHand:
			line("by hand", it.Why)
		case it.Action.NewDataKey():
			line("do", string(it.Action)+": the data is encrypted anew, under a new data key")
		default:
			line("do", string(it.Action)+": the same data key is wrapped under the new key")
		}
		for _, k := range it.Keep {
			line("keeps", k)
		}
	}
	if len(p.Items) > 0 {
		b.WriteString("\n")
	}
	b.WriteString(p.notes())
	fmt.Fprintf(&b, "plan %s: %d to change, %d by hand\n", p.Hash, p.Acts(), len(p.Items)-p.Acts())
	return b.String()
}

// notes lists each note once, with how many items it is about.
func (p *Plan) notes() string {
	var all []string
	count := map[string]int{}
	for i := range p.Items {
		for _, n := range p.Items[i].Notes {
			if count[n]++; count[n] == 1 {
				all = append(all, n)
			}
		}
	}
	text := ""
	for _, n := range all {
		text += fmt.Sprintf("of %d: %s\n", count[n], n)
	}
	return text
}

// Leaves says what carrying the plan out does not fix.
func (p *Plan) Leaves() []string {
	var wrapped, anew bool
	for i := range p.Items {
		switch a := p.Items[i].Action; {
		case a == ByHand:
		case a.NewDataKey():
			anew = true
		default:
			wrapped = true
		}
	}
	var all []string
	if wrapped {
		all = append(all, "what was wrapped anew has the same data key as before: whoever has got hold of a data key still reads the data; "+
			"encrypting the data itself again is what helps then (--new-data-keys, and your application for raw blobs)")
	}
	if anew {
		all = append(all, "copies of the old ciphertext (older versions, backups, replicas, clones) still open with the old key")
	}
	return append(all, "rotating the old key re-encrypts nothing, and disabling it cuts off what is not in this plan; look at its last use first")
}
