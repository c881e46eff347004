//go:build spillgate_bootstrap

package rules

// The generator builds this package without its own output, which may be of
// another version of the compiler.

var builtin Program
