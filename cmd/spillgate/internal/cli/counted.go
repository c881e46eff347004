package cli

import (
	"context"

	"github.com/spillgate/spillgate/scanner"
)

// counted remembers the coverage of a source, and hands attribution on.
type counted struct {
	scanner.Source
	coverage scanner.Coverage
}

// Chunks implements scanner.Source.
func (s *counted) Chunks(ctx context.Context, emit func(*scanner.Chunk) error) (scanner.Coverage, error) {
	c, err := s.Source.Chunks(ctx, emit)
	s.coverage = c
	return c, err
}

// Attribute implements scanner.Attributor.
func (s *counted) Attribute(ctx context.Context, objects []*scanner.Object) error {
	if a, ok := s.Source.(scanner.Attributor); ok {
		return a.Attribute(ctx, objects)
	}
	return nil
}

func (s *counted) empty() bool {
	return s.coverage.Blobs == 0 && s.coverage.Files == 0 && s.coverage.Complete()
}
