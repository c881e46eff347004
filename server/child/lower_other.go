//go:build !unix

package child

// lower does nothing.
func lower(int) {}
