package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

// serve runs the bench on a real port until stop.
func (b *bench) serve(t *testing.T) (base string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.cfg.Listener = l
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stop = func() error {
		cancel()
		select {
		case err := <-ended:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-time.After(5 * time.Second):
			return errors.New("did not end in 5 s")
		}
	}
	t.Cleanup(func() { cancel() })
	return "http://" + l.Addr().String(), stop
}

// listen opens a live stream and sends its lines until it ends.
func (b *bench) listen(t *testing.T, base, name, lastID string) <-chan string {
	t.Helper()
	if !strings.Contains(base, "/api/") {
		base += "/api/v1/stream"
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.tokens[name])
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("stream: %s", answer.Status)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(answer.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return lines
}

// await returns the lines up to and with the one that contains want.
func await(t *testing.T, lines <-chan string, want string) (seen string) {
	t.Helper()
	limit := time.After(10 * time.Second) // beats keep coming
	for {
		select {
		case line, open := <-lines:
			if !open {
				t.Fatalf("stream ended without %q after: %s", want, seen)
			}
			seen += line + "\n"
			if strings.Contains(line, want) {
				return seen
			}
		case <-limit:
			t.Fatalf("no %q in: %s", want, seen)
		}
	}
}

func (b *bench) changeAlert(t *testing.T, factory, id string) {
	t.Helper()
	err := b.db.Book(t.Context(), func(book *state.Book) error {
		return book.SaveAlert(t.Context(), state.Alert{Alert: safety.Alert{ID: id, Point: id, FactoryID: factory, Class: safety.ClassAlarm, State: safety.Unacknowledged, OccurredAt: noon}})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Wake()
}

func TestStreamTellsEachTenantItsOwn(t *testing.T) {
	b := newBench(t)
	base, stop := b.serve(t)
	ours, theirs := b.listen(t, base, "committee-a", ""), b.listen(t, base, "committee-b", "")
	await(t, ours, "event: hello")
	await(t, theirs, "event: hello")

	b.changeAlert(t, "b", "new-b")
	b.changeAlert(t, "a", "new-a")
	value := wire.LiveReading{Reading: safety.Reading{Sensor: "heat-a", Value: 61.5, Quality: safety.Good, At: noon}}
	b.Live("a", wire.Live{At: noon, Readings: []wire.LiveReading{value}})
	if seen := await(t, ours, "61.5"); strings.Contains(seen, "new-b") {
		t.Errorf("committee a heard of b: %s", seen)
	}
	b.changeAlert(t, "b", "last-b")
	if seen := await(t, theirs, "last-b"); strings.Contains(seen, "new-a") || strings.Contains(seen, "61.5") {
		t.Errorf("committee b heard of a: %s", seen)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for range ours { // a closed server closes its streams
	}
}

func TestStreamResumesAfterLastEventID(t *testing.T) {
	b := newBench(t)
	base, stop := b.serve(t)
	last, err := b.db.LastChange(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.changeAlert(t, "a", "missed-a")
	seen := await(t, b.listen(t, base, "committee-a", "0"), "missed-a")
	for _, want := range []string{"alert-a", "permit-a", "incident-a", "notice-a"} {
		if !strings.Contains(seen, want) {
			t.Errorf("resuming from 0 misses %s: %s", want, seen)
		}
	}
	if seen := await(t, b.listen(t, base, "installer-a", "0"), "missed-a"); strings.Contains(seen, "notice-a") || strings.Contains(seen, "incident-a") {
		t.Errorf("an installer heard of papers: %s", seen)
	}
	if seen := await(t, b.listen(t, base, "committee-a", "4"), "missed-a"); last != 8 || strings.Contains(seen, "alert-a\"") {
		t.Errorf("resuming from 4 of %d repeats what was seen: %s", last, seen)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestNothingFallsBetweenSnapshotAndStream(t *testing.T) {
	b := newBench(t)
	base, stop := b.serve(t)
	_, body := b.as(t, "committee-a", http.MethodGet, "/api/v1/snapshot")
	var snapshot struct{ Cursor string }
	if err := json.Unmarshal([]byte(body), &snapshot); err != nil {
		t.Fatal(err)
	}
	b.changeAlert(t, "a", "between-a") // and the server has told its streams before this browser opens one
	await(t, b.listen(t, base, "committee-b", "0"), "notice-b")
	seen := await(t, b.listen(t, base+"/api/v1/stream?after="+snapshot.Cursor, "committee-a", ""), "between-a")
	if strings.Contains(seen, "alert-a") {
		t.Errorf("the stream repeats the snapshot: %s", seen)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestLogoutEndsTheStream(t *testing.T) {
	b := newBench(t)
	token := tokenHash(b.tokens["committee-a"])
	if !b.stillIn(token) {
		t.Error("a login that goes on is taken for ended")
	}
	b.as(t, "committee-a", http.MethodPost, "/api/v1/logout")
	if b.stillIn(token) {
		t.Error("a stream outlives its login")
	}
}

func TestZoneWithoutDetectionIsNotCalledQuiet(t *testing.T) {
	sensor := func(q safety.Quantity, quality string) sensorView {
		age, at := int64(1000), noon
		return sensorView{ID: "s", Zone: "hall", Quantity: q, Quality: quality, Age: &age, At: &at, Period: 1000, LifeSafety: true}
	}
	ended := safety.Alert{FactoryID: "a", ZoneID: "hall", Class: safety.ClassAlarm, Severity: safety.Alarm, Condition: "inactive"}
	burning := ended
	burning.Condition = "firing"
	cases := []struct {
		name    string
		sensors []sensorView
		open    []safety.Alert
		want    string
	}{
		{"no sensor at all", nil, nil, "unwatched"},
		{"a door contact sees no fire", []sensorView{sensor(safety.DoorOpen, "good")}, nil, "unwatched"},
		{"a working smoke head", []sensorView{sensor(safety.Smoke, "good")}, nil, "ok"},
		{"a smoke loop with a suspect wire", []sensorView{sensor(safety.Smoke, "uncertain")}, nil, "blind"},
		{"a dead smoke head", []sensorView{sensor(safety.Smoke, "bad")}, nil, "blind"},
		{"a fire", []sensorView{sensor(safety.Smoke, "good")}, []safety.Alert{burning}, "danger"},
		{"a fire in a room that nothing watches", nil, []safety.Alert{burning}, "danger"},
		{"an alarm that ended and nobody looked", []sensorView{sensor(safety.Smoke, "good")}, []safety.Alert{ended}, "warn"},
	}
	for _, c := range cases {
		if got := drawZone("a", safety.Zone{ID: "hall"}, c.sensors, c.open).Level; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSnapshotAfterRestartKnowsTheNewestValues(t *testing.T) {
	b := newBench(t)
	if err := b.warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, body := b.as(t, "committee-a", http.MethodGet, "/api/v1/snapshot")
	if !strings.Contains(body, `"value":25.5`) || !strings.Contains(body, `"age_ms":2000`) {
		t.Errorf("warm snapshot: %s", body)
	}
	if !strings.Contains(body, `"level":"danger"`) {
		t.Errorf("an open fire alarm must make its zone danger: %s", body)
	}
}

func TestSlowBrowserIsCutOffAndNobodyWaits(t *testing.T) {
	h := newHub()
	slow, quick := h.join([]string{"a"}, true), h.join([]string{"a"}, true)
	for i := range queueLength + 1 {
		h.send("a", event{id: int64(i), name: "alert"})
		<-quick.events
	}
	if h.open() != 1 {
		t.Fatalf("%d streams open, want the quick one only", h.open())
	}
	n := 0
	for range slow.events {
		n++
	}
	if n != queueLength {
		t.Errorf("slow browser had %d events waiting, want %d", n, queueLength)
	}
	h.close()
	if h.join([]string{"a"}, true) != nil {
		t.Error("a closed hub opens streams")
	}
}
