package ingest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

// A broker that never answers holds the publisher up for a bounded time; what
// it did not take is sent again.
func TestABrokerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := true
		p := newPublisher(func(ctx context.Context, _ mqttconn.Message) error {
			if !deaf {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, discard)
		for _, gateway := range []string{"gw-1", "gw-2", "gw-3"} {
			key := trackKey{"padma", gateway, testRun, wire.Readings}
			p.commits([]commitment{{key, wire.Commit{Run: testRun, Stream: wire.Readings, Upto: 1, Epoch: "0123456789abcdef"}, true}})
		}
		began := time.Now()
		if p.sendAll(t.Context()) || time.Since(began) != publishTimeout || len(p.due) != 3 {
			t.Errorf("after %v %d commits wait", time.Since(began), len(p.due))
		}
		deaf = false
		if !p.sendAll(t.Context()) || len(p.due) != 0 {
			t.Errorf("%d commits wait", len(p.due))
		}
	})
}
