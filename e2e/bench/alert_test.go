package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/internal/mqttconn"
	"nirapod/safety"
	"nirapod/wire"
)

// told measures from just before a gateway publishes the reading of a smoke
// head in alarm until its alert is on the live stream of a committee's page,
// under the shipped rules and beside the readings of l.
func told(t *testing.T, l load, heads int) []time.Duration {
	t.Helper()
	s := site(t, l)
	s.Gateways = append(s.Gateways, box(l.gateways))
	for i := range heads {
		s.Sensors = append(s.Sensors, sensor(s, headID(i), gatewayID(l.gateways), i, safety.Smoke, time.Minute))
	}
	p := newPlant(t, s, options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	l.start = time.Now().UTC().Truncate(time.Second)
	for i := range l.gateways {
		w := newGateway(l, i, p.url, p.passwords[i])
		g.Go(func() error { _ = w.conn.Run(ctx); return nil }) // ends by cancel
		g.Go(func() error { _ = w.send(ctx); return nil })     // so does this
	}
	h := newHeads(l.gateways, p.url, p.passwords[l.gateways])
	g.Go(func() error { _ = h.conn.Run(ctx); return nil })
	seen := make(chan string, heads)
	g.Go(func() error { return p.listen(ctx, seen) })
	for !h.conn.Online() {
		time.Sleep(10 * time.Millisecond)
	}
	h.say(t, 0, heads, 0)
	time.Sleep(3 * time.Second)
	var took []time.Duration
	for i := range heads {
		time.Sleep(50*time.Millisecond + rand.N(100*time.Millisecond))
		began := time.Now()
		h.say(t, i, i+1, 1)
		await(t, seen, headID(i))
		took = append(took, time.Since(began))
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	return took
}

// await takes what the page is told until it is about sensor.
func await(t *testing.T, seen <-chan string, sensor string) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case who := <-seen:
			if who == sensor {
				return
			}
		case <-limit:
			t.Fatalf("no alert of %s within 30 s", sensor)
		}
	}
}

// heads is a gateway with smoke heads only.
type heads struct {
	gateway string
	run     string
	next    uint64
	conn    *mqttconn.Conn
}

func newHeads(g int, url, password string) *heads {
	user := wire.GatewayUser(factory, gatewayID(g))
	return &heads{
		gateway: gatewayID(g), run: fmt.Sprintf("%016x", rand.Uint64()), next: 1,
		conn: mqttconn.New(mqttconn.Config{URL: url, ClientID: user, Username: user, Password: password}, slog.New(slog.DiscardHandler)),
	}
}

// say publishes a reading of each of the heads from from to below to.
func (h *heads) say(t *testing.T, from, to int, value float64) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	p := wire.Pack{
		Factory: factory, Gateway: h.gateway, Run: h.run, Stream: wire.Readings, First: h.next,
		Boot: "bench-heads", Clock: wire.Synced, Sent: now,
	}
	for i := from; i < to; i++ {
		p.Records = append(p.Records, wire.Record{At: now, Unit: safety.Smoke.Unit(), Reading: safety.Reading{Sensor: headID(i), Value: value, Quality: safety.Good}})
	}
	h.next += uint64(len(p.Records))
	payload, err := wire.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	topic := wire.PackTopic(factory, h.gateway, wire.Readings, false).String()
	if err := h.conn.Publish(t.Context(), mqttconn.Message{Topic: topic, Payload: payload, QoS: 1}); err != nil {
		t.Fatal(err)
	}
}

// listen follows the live stream as a committee's browser does and says which
// sensors' smoke alarms are on it.
func (p *plant) listen(ctx context.Context, seen chan<- string) error {
	token, err := p.logIn(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.http+"/api/v1/stream", http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	lines := bufio.NewScanner(got.Body)
	lines.Buffer(nil, 16<<20)
	event, open := "", map[string]bool{}
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || event != "alert" {
			continue
		}
		var a safety.Alert
		if err := json.Unmarshal([]byte(data), &a); err != nil {
			return err
		}
		if a.Rule == "smoke" && !open[a.SensorID] {
			open[a.SensorID] = true
			seen <- a.SensorID
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the live stream ended: %w", lines.Err())
}

func (p *plant) logIn(ctx context.Context) (string, error) {
	body, err := json.Marshal(map[string]string{"username": people, "password": peopleWord})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.http+"/api/v1/login", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	var session struct{ Token string }
	if err := json.NewDecoder(got.Body).Decode(&session); err != nil {
		return "", err
	}
	if session.Token == "" {
		return "", fmt.Errorf("login: %s", got.Status)
	}
	return session.Token, nil
}

// The short form of the alert measurement.
func TestTold(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests do not run with -short")
	}
	took := told(t, load{gateways: 2, sensors: 20, period: time.Second}, 5)
	t.Logf("publish to page: p50 %v, worst %v", quantile(took, 0.5), quantile(took, 1))
}
