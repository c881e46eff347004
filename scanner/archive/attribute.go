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

// Attribute implements scanner.Attributor: a finding in an archive is attributed
// as if it stood in the archive itself, and learns of its archive's path and
// commit what the source behind learned.
func (a *attributor) Attribute(ctx context.Context, findings []*scanner.Finding) error {
	stand := make([]*scanner.Finding, len(findings))
	before := map[*scanner.Object]string{} // paths of the outermost archives
	for i, f := range findings {
		if f.Object.Container == nil {
			stand[i] = f
			continue
		}
		top := outermost(f.Object)
		before[top] = top.Path
		copied := *f
		copied.Object = top
		stand[i] = &copied
	}
	err := a.inner.Attribute(ctx, stand)
	done := map[*scanner.Object]bool{}
	for i, f := range findings {
		if f.Object.Container == nil {
			continue
		}
		f.OtherCommits = stand[i].OtherCommits
		top := outermost(f.Object)
		for o := f.Object; o != top && !done[o]; o = o.Container {
			done[o] = true
			o.Commit = top.Commit
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
