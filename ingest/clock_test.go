package ingest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/state"
	"nirapod/wire"
)

func TestClock(t *testing.T) {
	start := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	type step struct {
		mono  time.Duration // since the start
		wall  time.Duration // the wall clock, relative to the start
		want  time.Duration // ingest time, relative to the start
		wrong bool
	}
	for _, c := range []struct {
		name  string
		saved time.Duration
		first time.Duration // wall clock at the start
		steps []step
	}{
		{"follows the wall clock", -time.Hour, 0, []step{{time.Second, time.Second, time.Second, false}}},
		{"follows a correction forwards", 0, 0, []step{{time.Second, 50 * time.Minute, 50 * time.Minute, false}}},
		{"goes on at half its pace after a correction backwards", 0, 0, []step{
			{10 * time.Second, 10 * time.Second, 10 * time.Second, false},
			{20 * time.Second, 0, 15 * time.Second, false},
			{40 * time.Second, 20 * time.Second, 25 * time.Second, false},
			{60 * time.Second, 40 * time.Second, 40 * time.Second, false},
		}},
		{"does not follow a jump of years", 0, 0, []step{
			{time.Second, 9000 * time.Hour, time.Second, true},
			{2 * time.Second, 9000*time.Hour + time.Second, 2 * time.Second, true},
			{3 * time.Second, -9000 * time.Hour, 3 * time.Second, true},
			{4 * time.Second, 4 * time.Second, 4 * time.Second, false},
		}},
		{"does not go behind an earlier process", 0, -5 * time.Second, []step{
			{2 * time.Second, -3 * time.Second, time.Second, false},
			{10 * time.Second, 5 * time.Second, 5 * time.Second, false},
		}},
		{"does not believe a wall clock that lost its battery", 0, -400_000 * time.Hour, []step{
			{time.Second, -400_000 * time.Hour, time.Second, true},
			{2 * time.Second, 30 * time.Minute, 30 * time.Minute, false},
		}},
		{"does not believe a start more than a week after the last", -8 * 24 * time.Hour, 0, []step{
			{time.Second, time.Second, time.Second, true},
		}},
		{"a start after six days is a long weekend", -6 * 24 * time.Hour, 0, []step{
			{time.Second, time.Second, time.Second, false},
		}},
		{"a stopped monotonic clock does not go back", 0, 0, []step{
			{time.Second, time.Second, time.Second, false},
			{time.Second, time.Second, time.Second, false},
			{0, time.Second, time.Second, false},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clk := startClock(start.Add(c.saved), start.Add(c.first), 0)
			for i, s := range c.steps {
				got := clk.at(s.mono, start.Add(s.wall)).Sub(start)
				if got != s.want || clk.wrong != s.wrong {
					t.Errorf("step %d: got %v, wrong %v; want %v, wrong %v", i, got, clk.wrong, s.want, s.wrong)
				}
			}
		})
	}
}

// A server whose clock runs ahead at the start refuses nothing for its time: a
// gateway that knows the time decides whether it does.
func TestAClockThatRunsAheadAtTheStart(t *testing.T) {
	for _, c := range []struct {
		name    string
		off     time.Duration // the gateway's clock, relative to the server's
		running time.Duration
		silent  bool
		wrong   bool
	}{
		{"a long holiday", 0, 0, false, false},
		{"a clock that runs ahead", -30 * 24 * time.Hour, time.Hour, false, true},
		{"nobody has spoken yet", 0, doubtHeld, true, true},
		{"nobody knows better", 0, offlineAfter, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, series := openBoth(t, t.TempDir())
			defer db.Close()
			defer series.Close()
			_, err := db.ImportSite(t.Context(), testSite("padma", 1, "gw-1"), time.Now())
			saved := strconv.FormatInt(time.Now().Add(-30*24*time.Hour).UnixMilli(), 10)
			err = errors.Join(err, db.CommitBatch(t.Context(), state.Batch{Engine: map[string]map[string][]byte{"": {markTime: []byte(saved)}}}))
			if err != nil {
				t.Fatal(err)
			}
			i := offline(t, Config{Rules: loadRules(t, killRules)}, db, series, func(mqttconn.Message) error { return nil })
			truth := time.Now().Add(c.off).UTC().Truncate(time.Millisecond)
			if !c.silent {
				birth, err := wire.EncodeBirth(wire.Birth{Gateway: "gw-1", Run: testRun, Boot: "b1", Version: "1", Clock: wire.Synced, At: truth})
				if err != nil {
					t.Fatal(err)
				}
				m := mqttconn.Message{Topic: wire.BirthTopic("padma", "gw-1").String(), Payload: birth}
				if err := i.take(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
			p := nowPack(1, 1)
			p.Sent, p.Records[0].At = truth, truth
			topic, payload := encode(t, p)
			if err := i.take(t.Context(), mqttconn.Message{Topic: topic, Payload: payload}); err != nil {
				t.Fatal(err)
			}
			i.began = i.began.Add(-c.running)
			i.tick(t.Context())
			if err := i.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := states(t, i, "padma", faultClock)
			if wrong := len(got) > 0 && got[len(got)-1] == "firing"; wrong != c.wrong || i.core.clockWrong != c.wrong {
				t.Errorf("server-clock went %v, wrong %t; want wrong %t", got, i.core.clockWrong, c.wrong)
			}
			if g := i.core.gateways[gatewayKey{"padma", "gw-1"}]; len(g.refused) > 0 {
				t.Errorf("refused %v", g.refused)
			}
			own, err := db.EngineStates(t.Context(), "")
			if kept := string(own[markTime]) == saved; err != nil || kept != c.wrong {
				t.Errorf("the time that is not believed was kept: %t, %v", !kept, err)
			}
		})
	}
}

// What the broker kept of a gateway's words says nothing of now.
func TestDisputedTime(t *testing.T) {
	d := newDisk(testSite("padma", 1, "gw-1", "gw-2"))
	c := d.boot(t)
	for _, s := range []struct {
		gateway  string
		at       time.Time
		retained bool
		want     witness
	}{
		{"gw-1", day.Add(-50 * time.Hour), true, noWitness},
		{"gw-1", time.Time{}, false, noWitness},
		{"gw-1", day.Add(2 * time.Hour), false, disagrees},
		{"gw-2", day.Add(time.Minute), false, agrees},
		{"gw-2", day.Add(-2 * time.Hour), false, disagrees},
	} {
		payload, err := wire.EncodePresence(wire.Presence{Run: testRun, Online: true, At: s.at})
		if err != nil {
			t.Fatal(err)
		}
		c.retained = s.retained
		if err := c.take(t.Context(), wire.PresenceTopic("padma", s.gateway).String(), payload, day); err != nil {
			t.Fatal(err)
		}
		if got := c.witnesses(); got != s.want {
			t.Errorf("%s says %v (retained %t): got %d, want %d", s.gateway, s.at, s.retained, got, s.want)
		}
	}
}
