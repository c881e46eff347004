package table_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/spillgate/spillgate/server/table"
)

// A hasty stream's consumers say with each message that it is the last, as real ones
// do now and then while others write.
type (
	hastyStream   struct{ jetstream.Stream }
	hastyConsumer struct{ jetstream.Consumer }
	hastyBatch    struct{ jetstream.MessageBatch }
	hastyMsg      struct{ jetstream.Msg }
)

func (s hastyStream) CreateConsumer(ctx context.Context, c jetstream.ConsumerConfig) (jetstream.Consumer, error) {
	made, err := s.Stream.CreateConsumer(ctx, c)
	return hastyConsumer{made}, err
}

func (c hastyConsumer) Fetch(n int, o ...jetstream.FetchOpt) (jetstream.MessageBatch, error) {
	b, err := c.Consumer.Fetch(n, o...)
	return hastyBatch{b}, err
}

func (b hastyBatch) Messages() <-chan jetstream.Msg {
	all := make(chan jetstream.Msg)
	go func() {
		defer close(all)
		for m := range b.MessageBatch.Messages() {
			all <- hastyMsg{m}
		}
	}()
	return all
}

func (m hastyMsg) Metadata() (*jetstream.MsgMetadata, error) {
	meta, err := m.Msg.Metadata()
	if err == nil {
		meta.NumPending = 0
	}
	return meta, err
}

// TestEachToTheEnd: that a consumer takes what is left for nothing ends no list.
func TestEachToTheEnd(t *testing.T) {
	const n = 50
	records := open(t, stream(t), table.Options{})
	for i := range n {
		must(t, records.Put(t.Context(), strconv.Itoa(i), nil))
	}
	hasty := records.Listed(func(s jetstream.Stream) jetstream.Stream { return hastyStream{s} })
	if held := all(t, hasty); len(held) != n {
		t.Errorf("%d of %d records are listed", len(held), n)
	}
}
