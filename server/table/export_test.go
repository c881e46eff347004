package table

import "github.com/nats-io/nats.go/jetstream"

// MaxAdopted is how many bytes are held while they are moved.
func MaxAdopted() *int { return &maxAdopted }

// Listed returns the table as it is listed through another view of its stream.
func (t *Table) Listed(view func(jetstream.Stream) jetstream.Stream) *Table {
	return &Table{t.kv, view(t.stream), t.o, t.now}
}
