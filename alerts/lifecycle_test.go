package alerts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"nirapod/safety"
	"nirapod/state"
)

var t0 = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

func second(n int) time.Time { return t0.Add(time.Duration(n) * time.Second) }

// play drives one alert through words such as "gw:firing ack gw:inactive" and
// returns its state after each, one second a word.
func play(t *testing.T, latched bool, script string) (a state.Alert, states string) {
	t.Helper()
	words := heard{}
	var got []string
	raised := false
	for i, word := range strings.Fields(script) {
		now := second(i)
		source, said, isWord := strings.Cut(word, ":")
		switch {
		case isWord:
			to, ok := safety.ParseState(said)
			if !ok {
				t.Fatalf("no state %q", said)
			}
			tr := safety.Transition{ID: int64(i + 1), Source: source, From: words.newest(source).State, To: to, At: now, Class: safety.ClassAlarm, Severity: safety.Alarm}
			words.add(tr)
			if to == safety.Firing && !raised {
				a, raised = raise("A", tr, latched, now), true
			} else if to == safety.Firing {
				absorb(&a, tr)
			}
			if raised && a.State != safety.Cleared {
				settle(&a, words, now)
			}
		case word == "ack":
			acknowledge(&a, "rahima", now)
		case word == "reset":
			if _, err := reset(&a, "rahima", now); err != nil && !errors.Is(err, safety.ErrConflict) {
				t.Fatal(err)
			}
		case word == "worse":
			tr := safety.Transition{ID: int64(i + 1), Source: "gw", To: safety.Firing, At: now, Severity: safety.Evacuate}
			words.add(tr)
			absorb(&a, tr)
			settle(&a, words, now)
		}
		short := map[safety.AlertState]string{"": "-", safety.Unacknowledged: "U", safety.Acknowledged: "A", safety.Returned: "R", safety.Cleared: "C"}[a.State]
		got = append(got, short+map[string]string{"": "", "firing": "f", "unknown": "u", "inactive": "i"}[a.Condition])
	}
	return a, strings.Join(got, " ")
}

// The states of ISA-18.2: U unacknowledged, A acknowledged, R returned to
// normal and unacknowledged, C cleared; then what the sources say together.
func TestLifecycle(t *testing.T) {
	cases := []struct {
		name    string
		latched bool
		script  string
		want    string
	}{
		{"acknowledge, then it goes away", false, "gw:firing ack gw:inactive", "Uf Af Ci"},
		{"it goes away, then acknowledge", false, "gw:firing gw:inactive ack", "Uf Ri Ci"},
		{"it comes back before anyone looked", false, "gw:firing gw:inactive gw:firing ack", "Uf Ri Uf Af"},
		{"a second acknowledge changes nothing", false, "gw:firing ack ack gw:inactive ack", "Uf Af Af Ci Ci"},
		{"unknown never clears", false, "gw:firing ack gw:unknown gw:inactive", "Uf Af Au Ci"},
		{"pending after firing never clears", false, "gw:firing ack gw:unknown gw:pending gw:inactive", "Uf Af Au Au Ci"},
		{"unknown, then firing again, asks nobody twice", false, "gw:firing ack gw:unknown gw:firing", "Uf Af Au Af"},
		{"unknown before any firing is no alert", false, "gw:unknown gw:pending gw:inactive", "- - -"},
		{"unknown after it ended does not bring it back", false, "gw:firing gw:inactive gw:unknown", "Uf Ri Ri"},
		{"one of two sources says inactive", false, "gw:firing server:firing ack gw:inactive server:inactive", "Uf Uf Af Af Ci"},
		{"one of two sources goes blind", false, "gw:firing server:firing ack gw:unknown server:inactive gw:inactive", "Uf Uf Af Af Au Ci"},
		{"a source that never fired has no say", false, "server:unknown gw:firing ack gw:inactive", "- Uf Af Ci"},
		{"latched waits for a person", true, "gw:firing ack gw:inactive reset", "Uf Af Ai Ci"},
		{"latched and not acknowledged is not reset", true, "gw:firing gw:inactive reset ack reset", "Uf Ri Ri Ai Ci"},
		{"latched, reset while it burns", true, "gw:firing ack reset gw:inactive", "Uf Af Af Ci"},
		{"latched, fires again before the reset", true, "gw:firing ack gw:inactive gw:firing", "Uf Af Ai Uf"},
		{"what ends by itself cannot be reset", false, "gw:firing ack reset", "Uf Af Af"},
		{"graver than what was acknowledged", false, "gw:firing ack worse", "Uf Af Uf"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, got := play(t, c.latched, c.script); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.script, got, c.want)
			}
		})
	}
}

func TestFirstAcknowledgerStays(t *testing.T) {
	a, _ := play(t, false, "gw:firing ack")
	if changed := acknowledge(&a, "karim", second(60)); changed || a.AcknowledgedBy != "rahima" || !a.AcknowledgedAt.Equal(second(1)) {
		t.Errorf("acknowledged by %s at %v", a.AcknowledgedBy, a.AcknowledgedAt)
	}
}

// What people isolated is watched again: that is no news for them.
func TestAnIsolationEndsByItself(t *testing.T) {
	for class, want := range map[safety.Class]safety.AlertState{safety.ClassIsolation: safety.Cleared, safety.ClassFault: safety.Returned} {
		a := raise("A", safety.Transition{Source: "gw", To: safety.Firing, At: second(0), Class: class}, false, second(0))
		settle(&a, heard{"gw": {{State: safety.Inactive, At: second(9)}}}, second(9))
		if a.State != want || (a.ClearedAt != nil) != (want == safety.Cleared) {
			t.Errorf("class %s: %s at %v, want %s", class, a.State, a.ClearedAt, want)
		}
	}
}

func TestOldResetDoesNotClearLater(t *testing.T) {
	a, _ := play(t, true, "gw:firing ack reset")
	later := second(2).Add(resetWindow + time.Second)
	settle(&a, heard{"gw": {{State: safety.Inactive, At: later}}}, later)
	if a.State != safety.Acknowledged {
		t.Errorf("a reset of %v ago cleared the alert: %s", resetWindow, a.State)
	}
}

func TestAbsorb(t *testing.T) {
	first := safety.Transition{ID: 1, Source: "gw", To: safety.Firing, At: second(10), Severity: safety.PreAlarm, Grade: safety.Indicative,
		Class: safety.ClassAlarm, Flags: safety.Simulated, Clause: "old"}
	a := raise("A", first, false, second(11))
	if !a.Exercise || a.Late || !a.OccurredAt.Equal(second(10)) {
		t.Fatalf("raised as %+v", a.Alert)
	}
	absorb(&a, safety.Transition{ID: 2, Source: "server", To: safety.Firing, At: second(8), Severity: safety.Alarm, Grade: safety.Industrial, Clause: "new"})
	if a.Exercise {
		t.Error("one real piece of evidence must make it real")
	}
	if !a.OccurredAt.Equal(second(8)) || a.Severity != safety.Alarm || a.Grade != safety.Industrial || a.Clause != "new" {
		t.Errorf("earliest, gravest, best: %+v", a.Alert)
	}
	absorb(&a, safety.Transition{ID: 3, Source: "gw", To: safety.Firing, At: second(-60), Severity: safety.Info, Grade: safety.Indicative})
	if !a.Late || a.Severity != safety.Alarm || a.Grade != safety.Industrial {
		t.Errorf("late %t, severity %s, grade %s", a.Late, a.Severity, a.Grade)
	}
	for i := range 3 * maxEvidence {
		absorb(&a, safety.Transition{ID: int64(10 + i), Source: "gw", To: safety.Firing, At: second(20 + i)})
	}
	e := a.Work.Evidence
	if len(e) != maxEvidence || e[0].Transition != 1 || e[maxEvidence-1].Transition != int64(9+3*maxEvidence) {
		t.Errorf("%d pieces, first %d, last %d", len(e), e[0].Transition, e[len(e)-1].Transition)
	}
}
