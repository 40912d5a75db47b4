package ingest

import (
	"strings"
	"testing"
	"time"

	"nirapod/safety"
)

const silenceRule = `rules:
  - name: silent
    hazard: system
    class: fault
    severity: warning
    scope: sensor
    quantity: any
    when: stale
    for: 10s
    runs: [server]
    clause: test
`

// absence plays a minute of readings, an absence of the server, and what comes
// after its start until the time to. Of what was measured meanwhile perSecond
// packs of one reading arrive each second. It returns what the rule told, and
// when the gateway had caught up.
func absence(t *testing.T, away time.Duration, perSecond int, to time.Duration) (string, time.Duration) {
	t.Helper()
	d := newDisk(testSite("padma", 1, "gw-1"))
	d.packs = loadRules(t, silenceRule)
	c, sent, caught := d.boot(t), 0, time.Duration(0)
	second := func(s int, packs int) {
		now := day.Add(time.Duration(s)*time.Second + 300*time.Millisecond)
		for ; packs > 0 && sent < s; packs-- {
			sent++
			give(t, c, readings(uint64(sent), 1), now)
		}
		if sent == s && caught == 0 {
			caught = time.Duration(s) * time.Second
		}
		c.tick(now, true)
		d.flush(c, now, nowhere, true)
	}
	for s := 1; s <= 60; s++ {
		second(s, 1)
	}
	c, caught = d.boot(t), 0
	for s := 60 + int(away/time.Second); s <= int(to/time.Second); s++ {
		second(s, perSecond)
	}
	var out []string
	for _, tr := range d.transitions {
		if tr.Rule == "silent" && tr.From != safety.Unknown {
			out = append(out, tr.To.String()+"@"+tr.At.Sub(day).String())
		}
	}
	return strings.Join(out, " "), caught
}

// While the server was away its gateways kept what they measured: its start is
// no silence of any sensor, however long the backlog takes.
func TestAStartIsNoSilence(t *testing.T) {
	for _, c := range []struct {
		name      string
		away      time.Duration
		perSecond int
	}{
		{"14 s", 14 * time.Second, 5},
		{"5 minutes", 5 * time.Minute, 20},
		{"an hour, and a slow backlog", time.Hour, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, caught := absence(t, c.away, c.perSecond, 4*time.Hour)
			if got != "" || caught == 0 {
				t.Errorf("told %q; caught up after %v", got, caught)
			}
		})
	}
}

// A gateway that does not come back is silent, and one that trails for ever
// holds the rules back no longer than any other.
func TestSilenceAfterAStart(t *testing.T) {
	got, _ := absence(t, 5*time.Minute, 0, 10*time.Minute)
	if got != "pending@1m3s firing@1m13s" {
		t.Errorf("no word after the start: told %q", got)
	}
	if got, _ = absence(t, 5*time.Minute, 1, time.Hour); !strings.Contains(got, "firing") {
		t.Errorf("5 minutes behind for ever: told %q", got)
	}
}
