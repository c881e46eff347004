// Package flock locks a file among processes: a lock ends with the last process
// that has the file open, however that ends.
package flock
