package backtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nirapod/rules"
	"nirapod/rules/backtest"
	"nirapod/safety"
)

var begin = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

func packs(t *testing.T, limit int, hold string) []rules.Pack {
	t.Helper()
	text := fmt.Sprintf(`rules:
  - {name: high, hazard: gas, class: alarm, severity: alarm, scope: sensor, quantity: co, when: value >= limit, for: %s, runs: server, clause: c,
     limits: {limit: {value: %d, unit: ppm, source: s, clause: c, confidence: chosen}}}
`, hold, limit)
	out, err := rules.Load(fstest.MapFS{"p.yml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// history is one word a second: a number, _ silence, x a bad reading; with *n behind it, n times.
func history(words string) (out []safety.Reading) {
	at := begin
	for w := range strings.FieldsSeq(words) {
		word, times := w, 1
		if text, n, found := strings.Cut(w, "*"); found {
			word = text
			_, _ = fmt.Sscan(n, &times)
		}
		for range times {
			r := safety.Reading{Sensor: "s", At: at, Quality: safety.Good}
			at = at.Add(time.Second)
			switch word {
			case "_":
				continue
			case "x":
				r.Quality, r.Reason = safety.Bad, safety.NACK
			default:
				_, _ = fmt.Sscan(word, &r.Value)
			}
			out = append(out, r)
		}
	}
	return out
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, words string
		limit       int
		hold        string
		want        string // kinds and starts, s: of present and edit
		gaps        string
	}{
		{"nothing changes", "0*5 60*5 0*5", 50, "0s", "", ""},
		{"a higher limit misses", "0*5 60*5 0*5", 70, "0s", "missed 5/-", ""},
		{"a lower limit raises more", "0*5 40*5 0*5 60*5 0", 30, "0s", "raised -/5", ""},
		{"a hold comes later", "0*5 60*9 0*5", 50, "4s", "moved 5/9", ""},
		{"a hold that is never reached", "0*5 60*3 0*5 60*9", 50, "4s", "missed 5/-, moved 13/17", ""},
		{"a lower limit comes earlier", "0*5 40*5 60*5 0", 30, "0s", "moved 10/5", ""},
		{"two that the edit makes one", "0*5 60*5 40*5 60*5 0", 30, "0s", "moved 5/5, missed 15/-", ""},
		{"silence is named", "0*9 _*90 0*9", 50, "0s", "", "silent 8-99"},
		{"and what has no value", "0*9 x*90 0*9", 50, "0s", "", "no good value 8-99"},
		{"and the end", "0*9 _*90", 50, "0s", "", "silent 8-300"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := question(history(c.words), packs(t, 50, "0s"), packs(t, c.limit, c.hold))
			if c.gaps == "" { // let it end with the readings
				q.To = begin.Add(time.Duration(len(history(c.words))) * time.Second)
			} else if !strings.HasSuffix(c.words, "_*90") {
				q.To = begin.Add(108 * time.Second)
			}
			r, err := backtest.Run(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			var got, gaps []string
			for _, x := range r.Changes {
				got = append(got, fmt.Sprintf("%s %s/%s", x.Kind, from(x.Present), from(x.Edit)))
			}
			for _, g := range r.Gaps {
				gaps = append(gaps, fmt.Sprintf("%s %v-%v", g.Why, g.From.Sub(begin).Seconds(), g.To.Sub(begin).Seconds()))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if text := strings.Join(gaps, ", "); text != c.gaps {
				t.Errorf("gaps %q, want %q", text, c.gaps)
			}
		})
	}
}

func from(s *backtest.Span) string {
	if s == nil {
		return "-"
	}
	return fmt.Sprint(s.From.Sub(begin).Seconds())
}

func question(all []safety.Reading, present, edit []rules.Pack) backtest.Question {
	return backtest.Question{
		Present: present, Edit: edit, From: begin, To: begin.Add(300 * time.Second),
		Plant: rules.Plant{Factory: "f", Zones: []safety.Zone{{ID: "z"}}, Sensors: []safety.Sensor{
			{ID: "s", Zone: "z", Gateway: "gw-1", Quantity: safety.CO, Grade: safety.Industrial, Period: time.Second},
		}},
		Readings: func(_ context.Context, from, to time.Time, yield func(safety.Reading) error) error {
			for _, r := range all {
				if r.At.Before(from) || !r.At.Before(to) {
					continue
				}
				if err := yield(r); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func TestNothingIsNotSilence(t *testing.T) {
	_, err := backtest.Run(t.Context(), question(nil, packs(t, 50, "0s"), packs(t, 50, "0s")))
	if !errors.Is(err, safety.ErrNoData) {
		t.Errorf("no readings: %v", err)
	}
	broken := errors.New("disk")
	q := question(nil, packs(t, 50, "0s"), packs(t, 50, "0s"))
	q.Readings = func(context.Context, time.Time, time.Time, func(safety.Reading) error) error { return broken }
	if _, err := backtest.Run(t.Context(), q); !errors.Is(err, broken) {
		t.Errorf("a store that fails: %v", err)
	}
}

// Work under a permit is no alarm of the past; an edit that covers it no longer
// says what it would have raised.
func TestWhatStoodUnderAPermit(t *testing.T) {
	covered := func(permit string) []rules.Pack {
		text := `rules: [{name: high, hazard: fire, class: alarm, severity: alarm, scope: sensor, quantity: flame, when: value == 1, ` + permit + `runs: server, clause: c}]`
		out, err := rules.Load(fstest.MapFS{"p.yml": {Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	ended := begin.Add(15 * time.Second)
	welding := safety.PermitRecord{EndedAt: &ended, Permit: safety.Permit{
		ID: "p", Work: safety.HotWork, Zone: "z", Sensors: []string{"s"}, From: begin.Add(5 * time.Second), Until: begin.Add(time.Hour),
		IssuedBy: "Rahim", AcceptedBy: "Salma", Watch: "Karim",
	}}
	for _, c := range []struct{ name, permit, want string }{
		{"still covered", "permit: hot_work, ", ""},
		{"covered no longer", "", "moved 15/7"},
	} {
		q := question(history("0*7 1*12 0*5"), covered("permit: hot_work, "), covered(c.permit))
		q.Plant.Sensors[0].Quantity, q.Permits = safety.Flame, []safety.PermitRecord{welding}
		r, err := backtest.Run(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, x := range r.Changes {
			got += fmt.Sprintf("%s %s/%s", x.Kind, from(x.Present), from(x.Edit))
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
