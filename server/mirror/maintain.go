package mirror

import (
	"context"
	"path/filepath"
)

// Bounds above which a mirror is put in order: packs, and loose objects in one
// of the 256 folders that git spreads them over, as git gc guesses.
const (
	maxPacks = 24
	maxLoose = 16
)

// Maintain puts the mirror in order where many fetches have left many packs and
// loose objects, which make each scan dearer. It removes nothing that a ref
// reaches, and may be interrupted at any time. It reports whether there was
// something to do.
func (r *Mirror) Maintain(ctx context.Context) (bool, error) {
	packs, err := filepath.Glob(filepath.Join(r.Dir, "objects", "pack", "*.pack"))
	if err != nil {
		return false, err
	}
	loose, err := filepath.Glob(filepath.Join(r.Dir, "objects", "17", "*"))
	if err != nil {
		return false, err
	}
	if len(packs) <= maxPacks && len(loose) <= maxLoose {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	// A geometric repack joins small packs and loose objects, and leaves the
	// large pack of a long history as it is: its cost is that of what is new.
	if _, err := r.git(ctx, nil, "repack", "--quiet", "-d", "-l", "--geometric=2"); err != nil {
		return false, err
	}
	if _, err := r.git(ctx, nil, "prune-packed", "--quiet"); err != nil {
		return false, err
	}
	if _, err := r.git(ctx, nil, "pack-refs", "--all"); err != nil {
		return false, err
	}
	return true, r.measure()
}
