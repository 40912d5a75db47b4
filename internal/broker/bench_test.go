package broker_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"nirapod/internal/broker"
	"nirapod/internal/broker/brokertest"
	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

// BenchmarkPacks measures packs of 1 kB, QoS 1, from four gateways with 64 in
// flight each, through the broker to one subscriber.
func BenchmarkPacks(b *testing.B) {
	srv, err := broker.New(broker.Config{Listen: "127.0.0.1:0", Auth: brokertest.Auth}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer srv.Close()
	var got atomic.Int64
	all := make(chan struct{})
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	connect := func(user string, count bool) *mqttconn.Conn {
		c := mqttconn.New(mqttconn.Config{URL: "tcp://" + srv.Addr(), ClientID: user, Username: user, Password: brokertest.Password(user)},
			slog.New(slog.DiscardHandler))
		if count {
			for _, f := range wire.ServerFilters() {
				c.Subscribe(f, 1, func(mqttconn.Message) {
					if got.Add(1) == int64(b.N) {
						close(all)
					}
				})
			}
		}
		running.Go(func() { _ = c.Run(ctx) }) // ends by cancel
		for !c.Online() {
		}
		return c
	}
	connect(wire.ServerUser, true)
	payload := make([]byte, 1000)
	work := make(chan struct{})
	var sending sync.WaitGroup
	for _, gw := range [][2]string{{"padma", "gw-1"}, {"padma", "gw-2"}, {"padma", "gw-10"}, {"lotus", "gw-1"}} {
		c := connect(wire.GatewayUser(gw[0], gw[1]), false)
		topic := wire.PackTopic(gw[0], gw[1], wire.Readings, false).String()
		for range 64 {
			sending.Go(func() {
				for range work {
					if err := c.Publish(ctx, mqttconn.Message{Topic: topic, Payload: payload, QoS: 1}); err != nil {
						b.Error(err)
					}
				}
			})
		}
	}
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	sending.Wait()
	<-all
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packs/s")
}
