package archive

import (
	"context"
	"strings"

	"github.com/spillgate/spillgate/scanner"
)

// An attributor is a source whose objects are attributed after the scan.
type attributor struct {
	*source
	inner scanner.Attributor
}

// Attribute implements scanner.Attributor: what is in an archive is attributed
// as if it stood in the archive itself, and learns of its archive's path and
// commit what the source behind learned.
func (a *attributor) Attribute(ctx context.Context, objects []*scanner.Object) error {
	stand := make([]*scanner.Object, 0, len(objects))
	before := map[*scanner.Object]string{} // their paths
	for _, o := range objects {
		top := outermost(o)
		if _, known := before[top]; !known {
			before[top] = top.Path
			stand = append(stand, top)
		}
	}
	err := a.inner.Attribute(ctx, stand)
	done := map[*scanner.Object]bool{}
	for _, o := range objects {
		top := outermost(o)
		for ; o != top && !done[o]; o = o.Container {
			done[o] = true
			o.Commit, o.OtherCommits = top.Commit, top.OtherCommits
			o.Path = top.Path + strings.TrimPrefix(o.Path, before[top])
		}
	}
	return err
}

// outermost returns the object of the source that o was unpacked from.
func outermost(o *scanner.Object) *scanner.Object {
	for o.Container != nil {
		o = o.Container
	}
	return o
}
