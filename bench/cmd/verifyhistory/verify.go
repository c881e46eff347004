package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/spillgate/spillgate/bench/history"
	"github.com/spillgate/spillgate/scanner"
	"github.com/spillgate/spillgate/scanner/gitrepo"
)

// A result compares what a history scan covered with what git lists.
type result struct {
	Commits, Blobs, Covered int
	Bytes                   int64
	Backend                 string
	// Hashed is how many blobs were put together again from their chunks and
	// hash to their ids.
	Hashed int
	// Differences are the first of what does not agree.
	Differences []string
	count       int
}

// maxDifferences bounds how many differences are told one by one.
const maxDifferences = 20

func (r *result) differ(format string, args ...any) {
	if r.count++; r.count <= maxDifferences {
		r.Differences = append(r.Differences, fmt.Sprintf(format, args...))
	}
}

// Same reports whether nothing differs.
func (r *result) Same() bool { return r.count == 0 }

// String says it in one line.
func (r *result) String() string {
	verdict := "the same"
	if !r.Same() {
		verdict = fmt.Sprintf("%d DIFFERENCES", r.count)
	}
	return fmt.Sprintf("%s: %d commits; git lists %d blobs of %d bytes, the scan (%s) covered %d, of which %d hash to their ids",
		verdict, r.Commits, r.Blobs, r.Bytes, r.Backend, r.Covered, r.Hashed)
}

// A blob is what the scan emitted of one object.
type blob struct {
	hash    hash.Hash
	next    int64 // offset that the next chunk must begin at
	decoded bool  // its text was emitted beside its bytes
	whole   bool  // its last chunk was seen
	broken  bool  // chunks leave a gap or overlap
	objects map[*scanner.Object]bool
}

// verify scans the history of dir without rules and compares.
func verify(ctx context.Context, dir, backend string) (*result, error) {
	r := &result{}
	sizes, err := listed(ctx, dir, r)
	if err != nil {
		return nil, err
	}
	repo, err := gitrepo.Open(ctx, gitrepo.Options{Dir: dir, Backend: backend})
	if err != nil {
		return nil, err
	}
	defer repo.Close()
	c := &collector{sizes: sizes, blobs: map[string]*blob{}}
	cov, err := repo.History(gitrepo.HistoryOptions{}).Chunks(ctx, c.take)
	if err != nil {
		return nil, err
	}
	r.Backend = cov.Backend
	for _, p := range cov.Problems {
		r.differ("problem: %v", p)
	}
	r.Covered = len(c.blobs)
	if cov.Blobs != int64(r.Blobs) {
		r.differ("the coverage says %d blobs, git lists %d", cov.Blobs, r.Blobs)
	}
	if cov.Commits != int64(r.Commits) {
		r.differ("the coverage says %d commits, git lists %d", cov.Commits, r.Commits)
	}
	r.compare(sizes, c.blobs)
	return r, nil
}

// listed asks git which blobs any ref reaches, and how large they are.
func listed(ctx context.Context, dir string, r *result) (map[string]int64, error) {
	commits, err := history.Git(ctx, dir, "rev-list", "--all", "--count").Output()
	if err != nil {
		return nil, fmt.Errorf("counting commits: %w", err)
	}
	if _, err := fmt.Sscan(string(commits), &r.Commits); err != nil {
		return nil, fmt.Errorf("counting commits: %w", err)
	}
	objects, err := history.Git(ctx, dir, "rev-list", "--objects", "--all").Output()
	if err != nil {
		return nil, fmt.Errorf("listing objects: %w", err)
	}
	var ids bytes.Buffer
	for line := range bytes.Lines(objects) {
		id, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		fmt.Fprintf(&ids, "%s\n", id)
	}
	c := history.Git(ctx, dir, "cat-file", "--batch-check=%(objecttype) %(objectname) %(objectsize)", "--buffer")
	c.Stdin = &ids
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("sizing objects: %w", err)
	}
	sizes := map[string]int64{}
	for line := range strings.Lines(string(out)) {
		var kind, id string
		var n int64
		if _, err := fmt.Sscan(line, &kind, &id, &n); err != nil {
			return nil, fmt.Errorf("git cat-file printed %.80q: %w", line, err)
		}
		if kind == "blob" {
			sizes[id] = n
			r.Bytes += n
		}
	}
	r.Blobs = len(sizes)
	return sizes, nil
}

// A collector puts blobs together from chunks that come from many goroutines.
type collector struct {
	sizes map[string]int64
	mu    sync.Mutex
	blobs map[string]*blob
}

// take adds the part of the blob that a chunk answers for to its hash.
func (c *collector) take(chunk *scanner.Chunk) error {
	o := chunk.Object
	if o.Kind != scanner.Content && o.Kind != scanner.SymlinkTarget {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.blobs[o.ID]
	if b == nil {
		b = &blob{hash: newHash(o.ID), objects: map[*scanner.Object]bool{}}
		fmt.Fprintf(b.hash, "blob %d\x00", c.sizes[o.ID])
		c.blobs[o.ID] = b
	}
	if b.objects[o] = true; o.Encoding != "" {
		b.decoded = true // its raw bytes come as another object with the same id
		return nil
	}
	from := chunk.Offset + int64(chunk.From)
	if b.next == 0 && from == 3 { // the byte order mark of UTF-8 is left out
		b.hash.Write([]byte{0xEF, 0xBB, 0xBF})
		b.next = 3
	}
	b.broken = b.broken || from != b.next
	b.hash.Write(chunk.Data[chunk.From:chunk.To])
	b.next = from + int64(chunk.To-chunk.From)
	b.whole = b.whole || chunk.Last && chunk.To == len(chunk.Data)
	return nil
}

// newHash returns the hash function that an id of its length comes from.
func newHash(id string) hash.Hash {
	if len(id) == 2*sha256.Size {
		return sha256.New()
	}
	return sha1.New()
}

// compare records every difference between what git lists and what was emitted.
func (r *result) compare(sizes map[string]int64, blobs map[string]*blob) {
	for id, size := range sizes {
		b := blobs[id]
		switch {
		case b == nil:
			r.differ("blob %s (%d bytes) was not scanned", id, size)
		case b.broken:
			r.differ("blob %s (%d bytes): chunks leave a gap or overlap", id, size)
		case !b.whole || b.next != size:
			r.differ("blob %s (%d bytes): %d bytes were scanned", id, size, b.next)
		case hex.EncodeToString(b.hash.Sum(nil)) != id:
			r.differ("blob %s (%d bytes): what was scanned has another hash", id, size)
		default:
			r.Hashed++
		}
		if b != nil && !b.decoded && len(b.objects) != 1 {
			r.differ("blob %s was scanned %d times", id, len(b.objects))
		}
	}
	for id := range blobs {
		if _, ok := sizes[id]; !ok {
			r.differ("blob %s was scanned, but no ref reaches it", id)
		}
	}
}
